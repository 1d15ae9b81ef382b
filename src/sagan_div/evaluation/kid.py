"""KID (Binkowski et al. 2018, arXiv 1801.01401): the kernel distance of two sets of features."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from sagan_div.errors import UserError
from sagan_div.evaluation.comparison import SEED, Comparison
from sagan_div.evaluation.distances import check_finite


class KernelDistance(NamedTuple):
    """KID: mean and standard deviation over subsets, and the standard error of the mean."""

    mean: float
    std: float
    error: float | None


def measure(given: Comparison) -> Iterator[float | None]:
    size = min(1000, len(given.fake) // 2, len(given.real) // 2)
    yield from (*kernel_distance(given.fake, given.real, size=size), size)


def kernel_distance(a: np.ndarray, b: np.ndarray, subsets: int = 100, size: int = 1000, seed: int = SEED) -> KernelDistance:
    """KID of features [M, d] and [N, d]: unbiased, so it may be negative.

    The unbiased squared MMD with the kernel (x.y/d + 1)^3 over random subsets, drawn as torch-fidelity draws them.
    Subsets overlap, hence the error is the delete-d jackknife's, std sqrt(size / (min(M, N) - size)) (Shao and Wu 1989);
    None where a subset is everything. Raises UserError where a set is smaller than a subset.
    """
    check_finite(a)
    check_finite(b)
    fewest = min(len(a), len(b))
    if not 2 <= size <= fewest:
        raise UserError(f"KID over subsets of {size} (at least 2) needs as many images on each side, not {fewest}")
    random = np.random.RandomState(seed)
    found = [_mmd(*(each[random.choice(len(each), size, replace=False)] for each in (a, b))) for _ in range(subsets)]
    error = float(np.std(found) * np.sqrt(size / (fewest - size))) if fewest > size else None
    return KernelDistance(float(np.mean(found)), float(np.std(found)), error)


def _mmd(a: np.ndarray, b: np.ndarray) -> float:
    """Unbiased squared maximum mean discrepancy of features [n, d] and [n, d] (Gretton et al. 2012, equation 3)."""
    within = sum(kernel.sum() - kernel.trace() for kernel in (_kernel(a, a), _kernel(b, b)))
    return float(within / (len(a) * (len(a) - 1)) - 2 * _kernel(a, b).mean())


def _kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    base = (a @ b.T).astype(np.float64) / a.shape[1] + 1
    return np.asarray(base * base * base)
