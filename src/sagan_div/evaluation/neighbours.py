"""Nearest neighbours in feature space."""

from typing import NamedTuple

import numpy as np

from sagan_div.errors import UserError
from sagan_div.evaluation.distances import check_finite, squared_distances

PART = 10_000  # features that are searched at a time, of bounded memory


class Neighbours(NamedTuple):
    """The nearest neighbour of each feature: indices int64 [N], and distances float64 [N]."""

    indices: np.ndarray
    distances: np.ndarray


def nearest(features: np.ndarray, among: np.ndarray) -> Neighbours:
    """The nearest of features [M, d] to each of features [N, d].

    Raises UserError for features that are not finite, and for none to be near to.
    """
    check_finite(features)
    check_finite(among)
    if not len(among):
        raise UserError("nearest neighbours are sought among no images; give at least one")
    indices, squares = np.zeros(len(features), np.int64), np.full(len(features), np.inf)
    for start in range(0, len(among), PART):
        for rows, distances in squared_distances(features, among[start : start + PART]):
            found = distances.min(1)
            indices[rows] = np.where(found < squares[rows], start + distances.argmin(1), indices[rows])
            squares[rows] = np.minimum(found, squares[rows])
    return Neighbours(indices, np.sqrt(squares))
