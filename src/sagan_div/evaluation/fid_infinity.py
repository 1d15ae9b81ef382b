"""FID extrapolated to infinitely many generated images (Chong and Forsyth 2020, arXiv 1911.07023)."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from sagan_div.errors import UserError
from sagan_div.evaluation.comparison import SEED, Comparison
from sagan_div.evaluation.distances import blocks
from sagan_div.evaluation.frechet import Moments, Streaming, frechet_distance

SIZES = 3  # points of the line


class Extrapolation(NamedTuple):
    """The mean over orders of the features, and the standard deviation that it has when all features are drawn anew."""

    mean: float
    std: float


def measure(given: Comparison) -> Extrapolation:
    return frechet_infinity(given.fake, given.reference)


def frechet_infinity(features: np.ndarray, reference: Moments, draws: int = 3, seed: int = SEED) -> Extrapolation:
    """The Fréchet distance of features [N, d] to the reference, for N to infinity. The bias of the reference's size stays.

    The spread is that of halves, which share no feature: extrapolations from N/2 differ with twice the variance of one, and
    one from N has half of it, or less where the distributions are nearly equal. Raises UserError for up to 4 d features: the
    halves' shorter prefixes would have no covariance of full rank, and their distances lie on no line.
    """
    count, dimensions = features.shape
    if count <= 4 * dimensions:
        raise UserError(
            f"FID of so few images is no line in 1/N: {dimensions} features need more than {4 * dimensions}, not {count}"
        )
    random, found, variances = np.random.default_rng(seed), [], []
    for _ in range(draws):
        ordered = features[random.permutation(count)]
        found.append(_extrapolated(ordered, reference))
        one, other = (_extrapolated(half, reference) for half in (ordered[: count // 2], ordered[count // 2 :]))
        variances.append((one - other) ** 2 / 4)
    return Extrapolation(float(np.mean(found)), float(np.sqrt(np.mean(variances))))


def _extrapolated(features: np.ndarray, reference: Moments) -> float:
    """A line in 1/n through the distances of the first n of features [N, d], n from N/2 to N, where 1/n is 0."""
    counts = np.linspace(len(features) // 2, len(features), SIZES).astype(int)
    distances = [frechet_distance(reference, each) for each in _nested(features, counts)]
    return float(np.polynomial.Polynomial.fit(1 / counts, distances, 1)(0))


def _nested(features: np.ndarray, counts: np.ndarray) -> Iterator[Moments]:
    """Moments of the first n features for each n, which grow."""
    streaming = Streaming(features.shape[1])
    for count in counts:
        for block in blocks(features[streaming.count : count]):
            streaming.add(block)
        yield streaming.moments()
