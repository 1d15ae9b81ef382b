"""Features and Gaussians that tests of metrics start from."""

import numpy as np
from scipy import stats

from sagan_div.evaluation.comparison import Comparison
from sagan_div.evaluation.frechet import Moments, moments


def normal(count: int, dimensions: int, seed: int = 0, scale: float = 1.0, shift: float = 0.0) -> np.ndarray:
    return (np.random.default_rng(seed).normal(size=(count, dimensions)) * scale + shift).astype(np.float32)


def features(count: int, dimensions: int, seed: int) -> np.ndarray:
    """Features as networks have them: rectified, correlated, not centred."""
    mix = np.random.default_rng(99).normal(size=(dimensions, dimensions)) / np.sqrt(dimensions)
    return np.maximum(normal(count, dimensions, seed) @ mix + 0.3, 0).astype(np.float32)


def gaussian(covariance: np.ndarray, mean: np.ndarray | float = 0.0) -> Moments:
    return Moments(0, np.zeros(len(covariance)) + mean, covariance)


def rotation(dimensions: int, seed: int = 0) -> np.ndarray:
    return stats.ortho_group.rvs(dimensions, random_state=seed)


def comparison(fake: np.ndarray, real: np.ndarray) -> Comparison:
    probabilities = np.random.default_rng(0).dirichlet(np.ones(10), len(fake))
    return Comparison(fake, probabilities, real, moments(real, "some:space"))
