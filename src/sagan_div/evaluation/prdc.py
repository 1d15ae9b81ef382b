"""Precision and recall (Kynkäänniemi et al. 2019), density and coverage (Naeem et al. 2020, arXiv 2002.09797)."""

from typing import NamedTuple

import numpy as np

from sagan_div.errors import UserError
from sagan_div.evaluation.comparison import SEED, Comparison
from sagan_div.evaluation.distances import check_finite, mutual_distances, squared_distances

LARGEST = 10_000  # images on a side: the cost of all pairs grows with their square


class Manifold(NamedTuple):
    precision: float
    recall: float
    density: float
    coverage: float


def measure(given: Comparison) -> Manifold:
    return manifold(_some(given.real), _some(given.fake))


def _some(features: np.ndarray) -> np.ndarray:
    """At most LARGEST of the features, drawn at random, never the first ones."""
    return features[np.random.default_rng(SEED).permutation(len(features))[:LARGEST]]


def manifold(real: np.ndarray, fake: np.ndarray, k: int = 5) -> Manifold:
    """All four of features [N, d] and [M, d]; a ball reaches to the k-th neighbour, itself excluded, and is open, as in prdc.

    Raises UserError where a set has no k neighbours.
    """
    check_finite(real)
    check_finite(fake)
    if min(len(real), len(fake)) <= k:
        raise UserError(f"precision and recall need more than {k} images on each side, not {min(len(real), len(fake))}")
    reach_real, reach_fake = _reach(real, k), _reach(fake, k)
    realistic, recalled, inside, covered = np.zeros(len(fake), bool), 0, 0, 0
    for rows, distances in squared_distances(real, fake):
        within = distances < reach_real[rows, None]
        realistic |= within.any(0)
        recalled += (distances < reach_fake).any(1).sum()
        inside += within.sum()
        covered += within.any(1).sum()
    return Manifold(
        float(realistic.mean()), float(recalled / len(real)), float(inside / (k * len(fake))), float(covered / len(real))
    )


def _reach(features: np.ndarray, k: int) -> np.ndarray:
    """Squared distance [N] of each feature to its k-th neighbour among the others."""
    nearest = np.full((len(features), k), np.inf)
    for rows, distances in mutual_distances(features):
        nearest[rows] = _smallest(nearest[rows], distances, k)
        nearest[rows.stop :] = _smallest(nearest[rows.stop :], distances[:, rows.stop - rows.start :].T, k)
    return np.asarray(nearest.max(1))


def _smallest(known: np.ndarray, more: np.ndarray, k: int) -> np.ndarray:
    """The k smallest [N, k] in each row of what is known [N, k] and of more [N, M]."""
    return np.partition(np.hstack([known, more]), k - 1)[:, :k]
