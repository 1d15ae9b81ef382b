"""KID (Binkowski et al. 2018, arXiv 1801.01401): the kernel distance of two sets of features."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from sagan_div.errors import UserError
from sagan_div.evaluation.comparison import SEED, Comparison
from sagan_div.evaluation.distances import check_finite
from sagan_div.evaluation.kid_error import Kernels, Spread


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
    The error is that of an average of U-statistics over overlapping subsets (see `kid_error`); None for subsets below 4.
    Raises UserError where a set is smaller than a subset.
    """
    check_finite(a)
    check_finite(b)
    fewest = min(len(a), len(b))
    if not 2 <= size <= fewest:
        raise UserError(f"KID over subsets of {size} (at least 2) needs as many images on each side, not {fewest}")
    one, other = _shifted(a, b)
    random, spread, found = np.random.RandomState(seed), Spread(len(a), len(b), size), []
    for _ in range(subsets):
        chosen_a, chosen_b = (random.choice(len(each), size, replace=False) for each in (a, b))
        kernels = _kernels(one.part(chosen_a), other.part(chosen_b))
        found.append(_mmd(kernels))
        if size >= 4:
            spread.add(chosen_a, chosen_b, kernels)
    return KernelDistance(float(np.mean(found)), float(np.std(found)), spread.error() if size >= 4 else None)


class _Shifted(NamedTuple):
    """Features around an origin o: x.y = (x-o).(y-o) + s(x) + s(y) with s(x) = (x-o).o + o.o/2."""

    values: np.ndarray  # x - o in float32, or in float64 where the features are: [N, d]
    offsets: np.ndarray  # s(x), float64 [N]

    def part(self, chosen: np.ndarray) -> "_Shifted":
        return _Shifted(self.values[chosen], self.offsets[chosen])


def _shifted(a: np.ndarray, b: np.ndarray) -> list[_Shifted]:
    """Both sets around the mean of b, so that products in float32 lose nothing of features with an offset, or in float16."""
    origin = b.mean(0, dtype=np.float64)
    precision = np.result_type(a, b, np.float32)
    centred = [each.astype(np.float64) - origin for each in (a, b)]
    return [_Shifted(each.astype(precision), each @ origin + origin @ origin / 2) for each in centred]


def _kernels(a: _Shifted, b: _Shifted) -> Kernels:
    return Kernels(_kernel(a, a), _kernel(b, b), _kernel(a, b))


def _kernel(a: _Shifted, b: _Shifted) -> np.ndarray:
    products = (a.values @ b.values.T).astype(np.float64) + a.offsets[:, None] + b.offsets
    base = products / a.values.shape[1] + 1
    return np.asarray(base * base * base)


def _mmd(kernels: Kernels) -> float:
    """Unbiased squared maximum mean discrepancy of features [n, d] and [n, d] (Gretton et al. 2012, equation 3)."""
    count = len(kernels.across)
    within = sum(kernel.sum() - kernel.trace() for kernel in (kernels.a, kernels.b))
    return float(within / (count * (count - 1)) - 2 * kernels.across.mean())
