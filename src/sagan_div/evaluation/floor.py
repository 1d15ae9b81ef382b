"""The FID expected of a perfect generator: finitely many images of one distribution are at a distance from each other.

FID of m and n features is too high by about c (1/m + 1/n); a FID near that value says nothing against a generator.
"""

from collections.abc import Iterator

import numpy as np
from scipy import linalg

from sagan_div.evaluation.comparison import SEED, Comparison
from sagan_div.evaluation.frechet import frechet_distance, moments, rounding


def measure(given: Comparison) -> Iterator[float]:
    """By formula, and measured on real images."""
    for constant in given.bias:
        yield expected(constant, len(given.real), len(given.fake))


def expected(constant: float, real: int, fake: int) -> float:
    """The FID that a perfect generator is expected to have with that many real and generated images."""
    return constant * (1 / real + 1 / fake)


def bias(covariance: np.ndarray) -> float:
    """c of the first-order bias of FID, c (1/m + 1/n) for m and n features of one Gaussian with this covariance.

    c = sum l + 1/2 sum_ij l_i l_j / (l_i + l_j) + 1/4 sum l over its eigenvalues l: of the means, and of the covariances
    (the second-order term of the delta method for the Bures distance).
    """
    values = linalg.eigvalsh(covariance)
    values = values[values > rounding(values)]
    pairs = values[:, None] * values / (values[:, None] + values)
    return float(1.25 * values.sum() + 0.5 * pairs.sum())


def measured_bias(features: np.ndarray, draws: int = 5, seed: int = SEED) -> float:
    """The same constant from real features [N, d] alone: mean FID between random halves of them, times N/4.

    Raises UserError for fewer than four features.
    """
    half, random = len(features) // 2, np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        order = random.permutation(len(features))
        found.append(frechet_distance(moments(features[order[:half]]), moments(features[order[half : 2 * half]])))
    return float(np.mean(found) * half / 2)
