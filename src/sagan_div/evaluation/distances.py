"""Features and the distances between them, a block at a time so that memory stays bounded. NumPy only."""

from collections.abc import Iterator

import numpy as np

from sagan_div.errors import UserError


def blocks(features: np.ndarray, size: int = 1000) -> Iterator[np.ndarray]:
    for start in range(0, len(features), size):
        yield features[start : start + size]


def check_finite(features: np.ndarray) -> None:
    """Raises UserError for features of which some are NaN or infinite."""
    if not np.isfinite(features).all():
        raise UserError("some features are not finite; the network's weights or the images are damaged")


def squared_distances(a: np.ndarray, b: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Rows of the squared Euclidean distances float64 [M, N] of features [M, d] and [N, d], N >= 1, a block at a time."""
    left, right = _factors(a, b)
    for rows, block in _rows(left):
        yield rows, _distances(block, right)


def mutual_distances(features: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """The same among features [N, d], each pair once: a block has the columns from its first row on, and inf for itself."""
    left, right = _factors(features, features)
    for rows, block in _rows(left):
        distances = _distances(block, right[rows.start :])
        np.fill_diagonal(distances, np.inf)
        yield rows, distances


def _factors(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """[M, d + 2] and [N, d + 2] whose products are |a|^2 + |b|^2 - 2 a.b.

    In float64 and around a feature of b, whatever the precision and the offset of the features: squares of a common offset
    would drown the distances, and around a feature those of whole numbers stay exact, so that ties stay ties.
    """
    origin = b[0].astype(np.float64)
    a, b = a.astype(np.float64) - origin, b.astype(np.float64) - origin
    norms_a, norms_b = (np.square(each).sum(1, keepdims=True) for each in (a, b))
    return np.hstack([a, norms_a, np.ones_like(norms_a)]), np.hstack([-2 * b, np.ones_like(norms_b), norms_b])


def _rows(features: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    start = 0
    for block in blocks(features):
        yield slice(start, start + len(block)), block
        start += len(block)


def _distances(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    distances: np.ndarray = left @ right.T
    np.maximum(distances, 0, out=distances)
    return distances
