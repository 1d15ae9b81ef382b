"""The standard error of KID: the spread that its average over subsets has when all features are drawn anew.

KID is a U-statistic of two samples. Hoeffding's decomposition (1948) splits its variance into that of single features, ζ, and
that of pairs, τ, which is all there is where the distributions are equal. With M and N features it is

    V(M, N) = 4 ζ_a / M + 4 ζ_b / N + 2 τ_a / (M (M - 1)) + 2 τ_b / (N (N - 1)) + 4 τ_ab / (M N)

and that of an average over B random subsets of m features is (1 - 1/B) V(M, N) + V(m, m) / B: given the features, subsets are
independent around the statistic of all of them (Blom 1976, incomplete U-statistics).
"""

from typing import NamedTuple

import numpy as np


class Kernels(NamedTuple):
    """The kernel [m, m] within a subset of a, within one of b, and across both."""

    a: np.ndarray
    b: np.ndarray
    across: np.ndarray


class _Side:
    """What single features of one set contribute, gathered over the subsets in which they are."""

    def __init__(self, count: int, size: int) -> None:
        self.count, self.size = count, size
        self.total, self.times, self.pairs = np.zeros(count), np.zeros(count, int), 0.0

    def add(self, chosen: np.ndarray, within: np.ndarray, across: np.ndarray) -> None:
        own = (within.sum(1) - within.diagonal()) / (self.size - 2)  # around their mean: the main effects of pairs i != j
        contribution = own - across.mean(1)
        self.total[chosen] += contribution - contribution.mean()
        self.times[chosen] += 1
        half = self.size // 2
        self.pairs += _interaction(within[:half, half:])  # independent features in rows and columns

    def single(self, noise: float) -> float:
        """ζ: the variance of contributions, less what the finitely many partners of a feature add, which noise may overdo."""
        times = self.times[self.times > 0]
        found = self.total[self.times > 0] / times
        shared = 1 + (times - 1) * self.size / self.count  # partners that come again with another subset
        return float((np.square(found) - noise / self.size * shared / times).mean())


class Spread:
    """The spread of KID over subsets of `size` out of M and N features, from the kernels of each subset."""

    def __init__(self, count_a: int, count_b: int, size: int) -> None:
        self.a, self.b = _Side(count_a, size), _Side(count_b, size)
        self.size, self.subsets, self.pairs = size, 0, 0.0

    def add(self, chosen_a: np.ndarray, chosen_b: np.ndarray, kernels: Kernels) -> None:
        """Take in a subset of at least 4: its places in either set and its kernels."""
        self.subsets += 1
        self.a.add(chosen_a, kernels.a, kernels.across)
        self.b.add(chosen_b, kernels.b, kernels.across.T)
        self.pairs += _interaction(kernels.across)

    def error(self) -> float:
        pairs_a, pairs_b, across = (each / self.subsets for each in (self.a.pairs, self.b.pairs, self.pairs))
        single_a, single_b = self.a.single(pairs_a + across), self.b.single(pairs_b + across)

        def variance(m: int, n: int) -> float:
            pairs = 2 * pairs_a / (m * (m - 1)) + 2 * pairs_b / (n * (n - 1)) + 4 * across / (m * n)
            return max(4 * single_a / m + 4 * single_b / n, 0.0) + pairs

        whole, part = variance(self.a.count, self.b.count), variance(self.size, self.size)
        return float(np.sqrt(whole + (part - whole) / self.subsets))


def _interaction(kernel: np.ndarray) -> float:
    """The variance of what pairs contribute beyond their row and their column: a two-way layout's residual mean square."""
    rest = kernel - kernel.mean(1, keepdims=True)
    rest -= rest.mean(0)
    rows, columns = kernel.shape
    return float(np.square(rest).sum() / ((rows - 1) * (columns - 1)))
