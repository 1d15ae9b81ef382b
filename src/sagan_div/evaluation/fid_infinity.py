"""FID extrapolated to infinitely many generated images (Chong and Forsyth 2020, arXiv 1911.07023)."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from sagan_div.evaluation.comparison import SEED, Comparison
from sagan_div.evaluation.distances import blocks
from sagan_div.evaluation.frechet import Moments, Streaming, frechet_distance, moments


class Extrapolation(NamedTuple):
    """Mean and standard deviation over orders of the features."""

    mean: float
    std: float


def measure(given: Comparison) -> Extrapolation:
    return frechet_infinity(given.fake, given.reference)


def frechet_infinity(
    features: np.ndarray, reference: Moments, sizes: int = 3, draws: int = 3, seed: int = SEED
) -> Extrapolation:
    """The Fréchet distance of features [N, d] to the reference, for N to infinity. The bias of the reference's size stays.

    A line in 1/n through the distances of the first n features in a random order, n from N/2 to N.
    """
    counts = np.linspace(len(features) // 2, len(features), sizes).astype(int)
    random, found = np.random.default_rng(seed), []
    for _ in range(draws):
        distances = [frechet_distance(reference, each) for each in _nested(features[random.permutation(len(features))], counts)]
        found.append(np.polynomial.Polynomial.fit(1 / counts, distances, 1)(0))
    return Extrapolation(float(np.mean(found)), float(np.std(found, ddof=1)))


def _nested(features: np.ndarray, counts: np.ndarray) -> Iterator[Moments]:
    """Moments of the first n features for each n, which grow; few features bring their deviations, a cheap root."""
    streaming = Streaming(features.shape[1])
    for count in counts:
        if count <= features.shape[1]:
            yield moments(features[:count])
            continue
        for block in blocks(features[streaming.count : count]):
            streaming.add(block)
        yield streaming.moments()
