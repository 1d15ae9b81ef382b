"""Statistics over training seeds: pure functions of numbers. The unit of replication is the seed."""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

ALPHA = 0.05


def interval(values: Sequence[float], confidence: float = 1 - ALPHA) -> tuple[float, float] | None:
    """Student's t interval of the mean over seeds, or None below two values.

    At three seeds a percentile bootstrap that claims 95 % covers 73 %, this one 95 %.
    """
    if len(values) < 2:
        return None
    mean, error = float(np.mean(values)), float(stats.sem(values))
    reach = float(stats.t.ppf((1 + confidence) / 2, len(values) - 1)) * error
    return mean - reach, mean + reach


def sign_flip(differences: Sequence[float]) -> float:
    """Exact two-sided p of the paired sign-flip test; n pairs cannot go below 2 / 2^n."""
    if len(differences) < 2:
        return 1.0
    zeros = np.zeros(len(differences))
    return _exact((np.asarray(differences, dtype=float), zeros), "samples")


def permutation(first: Sequence[float], second: Sequence[float]) -> float:
    """Exact two-sided p of the unpaired permutation test of two means."""
    if min(len(first), len(second)) < 2:
        return 1.0
    return _exact((np.asarray(first, dtype=float), np.asarray(second, dtype=float)), "independent")


def _exact(samples: tuple[np.ndarray, np.ndarray], kind: str) -> float:
    def difference(a: np.ndarray, b: np.ndarray, axis: int) -> np.ndarray:
        return np.asarray(np.mean(a, axis=axis) - np.mean(b, axis=axis))

    test = stats.permutation_test(samples, difference, permutation_type=kind, n_resamples=np.inf, vectorized=True)
    return float(test.pvalue)


def smallest_p(first: int, second: int, paired: bool) -> float:
    """The least two-sided p that so many seeds can reach."""
    arrangements = 2**first if paired else math.comb(first + second, first)
    return min(1.0, 2 / arrangements)


def pairs_needed(tests: int, alpha: float = ALPHA) -> int:
    """The least number of paired seeds at which the strictest of `tests` Holm steps can reach `alpha`."""
    return math.ceil(math.log2(2 * tests / alpha))


def holm(ps: Sequence[float]) -> list[float]:
    """Holm's adjusted p values, in the order given."""
    order = np.argsort(ps, kind="stable")
    stepped = [min(1.0, (len(ps) - rank) * ps[index]) for rank, index in enumerate(order)]
    adjusted = np.empty(len(ps))
    adjusted[order] = np.maximum.accumulate(stepped)
    return [float(p) for p in adjusted]


def chance_lower(first: Sequence[float], second: Sequence[float]) -> float:
    """The probability that a random run of the first lies below one of the second, ties counting half (Mann-Whitney)."""
    above = stats.mannwhitneyu(second, first).statistic
    return float(above / (len(first) * len(second)))


def order_share(values: pd.DataFrame, order: Sequence[str], resamples: int = 10_000) -> float | None:
    """The share of bootstrap resamples of the seeds in which the columns' means rise strictly in this order.

    `values`: a row per seed, a column per method. None below two complete seeds. The draws are seeded: same data, same share.
    """
    complete = values[list(order)].dropna().to_numpy(dtype=float)
    if len(complete) < 2:
        return None
    draws = np.random.default_rng(0).integers(len(complete), size=(resamples, len(complete)))
    means = complete[draws].mean(axis=1)
    return float(np.mean((np.diff(means, axis=1) > 0).all(axis=1)))


def welch(first: Sequence[float], second: Sequence[float], confidence: float = 1 - ALPHA) -> tuple[float, float] | None:
    """The t interval of the difference of two unpaired means (Welch), or None where either has fewer than two values."""
    if min(len(first), len(second)) < 2:
        return None
    low, high = stats.ttest_ind(first, second, equal_var=False).confidence_interval(confidence)
    return float(low), float(high)
