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
    """Rows of the squared Euclidean distances float64 [M, N] of features [M, d] and [N, d], a block at a time.

    Products are taken in the features' own precision, as prdc and torch-fidelity do.
    """
    norms_a, norms_b = (np.square(each, dtype=np.float64).sum(1) for each in (a, b))
    start = 0
    for block in blocks(a):
        rows = slice(start, start + len(block))
        distances = norms_a[rows, None] + norms_b - 2 * (block @ b.T)
        yield rows, np.maximum(distances, 0, out=distances)
        start = rows.stop
