"""Statistics over seeds against numbers worked out by hand or taken from the literature."""

import math

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from sagan_div.report import stats


def test_interval_is_students() -> None:
    low, high = stats.interval([1.0, 2.0, 3.0]) or (0.0, 0.0)
    assert (low, high) == pytest.approx((2 - 4.30265 / math.sqrt(3), 2 + 4.30265 / math.sqrt(3)), rel=1e-5)


def test_interval_of_one_value_is_none_and_of_equal_values_a_point() -> None:
    assert stats.interval([1.0]) is None
    assert stats.interval([2.0, 2.0, 2.0]) == (2.0, 2.0)


@pytest.mark.parametrize(("pairs", "p"), [(3, 0.25), (5, 0.0625), (6, 0.03125), (10, 2 / 1024)])
def test_sign_flip_reaches_the_least_p_of_so_many_pairs(pairs: int, p: float) -> None:
    assert stats.sign_flip(list(range(1, pairs + 1))) == pytest.approx(p)
    assert stats.smallest_p(pairs, pairs, paired=True) == pytest.approx(p)


def test_sign_flip_by_hand() -> None:
    # their sum is 3; of the eight sums +-1 +-2 +-4 six lie at 3 or further from 0: 7, 5, 3 and their negatives
    assert stats.sign_flip([1.0, -2.0, 4.0]) == pytest.approx(6 / 8)


def test_sign_flip_of_ties_and_of_one_pair_says_nothing() -> None:
    assert stats.sign_flip([0.0, 0.0, 0.0]) == 1.0
    assert stats.sign_flip([5.0]) == 1.0


@pytest.mark.parametrize(("first", "second", "p"), [(3, 3, 0.1), (5, 5, 2 / 252)])
def test_permutation_reaches_the_least_p_of_such_groups(first: int, second: int, p: float) -> None:
    assert stats.permutation(list(range(first)), list(range(100, 100 + second))) == pytest.approx(p)
    assert stats.smallest_p(first, second, paired=False) == pytest.approx(p)


def test_holm_as_in_his_example() -> None:
    assert stats.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert stats.holm([]) == []


@pytest.mark.parametrize("count", [3, 5, 10])
def test_reach_is_the_gap_that_is_just_decided(count: int) -> None:
    gaps = np.random.default_rng(0).normal(0, 1, count)
    gaps = (gaps - gaps.mean()) / gaps.std(ddof=1) + stats.reach(count)
    found = stats.difference(list(gaps), [0.0] * count, paired=True)
    assert found is not None
    assert found.p == pytest.approx(0.05)


@pytest.mark.parametrize("paired", [True, False])
def test_t_is_scipys(paired: bool) -> None:
    a, b = np.random.default_rng(0).normal(0, 3, (2, 6))
    known = scipy.stats.ttest_rel(a, b) if paired else scipy.stats.ttest_ind(a, b, equal_var=False)
    found = stats.difference(list(a), list(b), paired)
    assert found is not None
    assert (found.p, found.freedom, found.t) == pytest.approx((known.pvalue, known.df, known.statistic))
    assert found.interval(0.9) == pytest.approx(tuple(known.confidence_interval(0.9)))
    below = scipy.stats.ttest_rel if paired else lambda x, y, **how: scipy.stats.ttest_ind(x, y, equal_var=False, **how)
    assert found.below == pytest.approx(below(a, b, alternative="less").pvalue)


def test_no_spread_is_decided_by_the_difference_alone() -> None:
    for paired in (True, False):
        same, apart = (stats.difference([1.0, 1.0, 1.0], [other] * 3, paired) for other in (1.0, 2.0))
        assert same is not None
        assert apart is not None
        assert (same.p, same.interval()) == (1.0, (0.0, 0.0))
        assert (apart.p, apart.below) == (0.0, 0.0)
    assert stats.difference([1.0], [2.0, 3.0], paired=False) is None


def test_equivalence_is_two_one_sided_tests_of_the_ratio() -> None:
    a, b = np.array([9.5, 10.2, 10.1, 9.9]), np.array([10.0, 10.1, 9.8, 10.3])
    under = scipy.stats.ttest_rel(a, 1.1 * b, alternative="less").pvalue
    over = scipy.stats.ttest_rel(a, 0.9 * b, alternative="greater").pvalue
    found = stats.equivalence(list(a), list(b), True, 0.1)
    assert found is not None
    assert found.within == pytest.approx(max(under, over))
    assert found.beyond == 1.0
    far = stats.equivalence(list(2 * a), list(b), True, 0.1)
    assert far is not None
    assert far.beyond == pytest.approx(2 * scipy.stats.ttest_rel(2 * a, 1.1 * b, alternative="greater").pvalue)
    assert stats.equivalence([1.0], [1.0], False, 0.1) is None


def test_many_arrangements_are_drawn_and_few_are_counted() -> None:
    first, second = list(np.random.default_rng(0).normal(0, 1, 10)), list(np.random.default_rng(1).normal(0.8, 1, 10))
    every = scipy.stats.permutation_test(
        (first, second), lambda x, y, axis: x.mean(axis) - y.mean(axis), n_resamples=np.inf, batch=100_000, vectorized=True
    )
    drawn = stats.permutation(first, second)  # of 184,756 arrangements
    assert drawn == pytest.approx(every.pvalue, abs=4 * math.sqrt(every.pvalue / 1e5))
    assert drawn == stats.permutation(first, second)  # the draws are seeded
    assert stats.sign_flip([1.0] * 25) == pytest.approx(2 / (stats.ARRANGEMENTS + 1))


def test_ranks_put_lost_runs_last() -> None:
    assert stats.by_ranks([1.0, 2.0, math.inf], [3.0, 4.0, 5.0]) == pytest.approx(
        scipy.stats.mannwhitneyu([1, 2, 9], [3, 4, 5], method="exact").pvalue
    )
    assert stats.by_ranks([1.0, 2.0, 3.0], [math.inf] * 3) == pytest.approx(1 / 32)
    assert stats.by_ranks([math.inf] * 3, [math.inf] * 3) == 1.0


def test_chance_counts_ties_half() -> None:
    assert stats.chance_lower([1.0, 2.0], [3.0, 4.0]) == 1.0
    assert stats.chance_lower([1.0, 2.0], [1.0, 2.0]) == 0.5
    assert stats.chance_lower([3.0], [1.0, 3.0]) == 0.25


def test_welch_covers_the_truth_as_often_as_it_says() -> None:
    generator = np.random.default_rng(0)
    hits = 0
    for _ in range(400):
        found = stats.difference(list(generator.normal(0, 1, 4)), list(generator.normal(0, 3, 6)), paired=False)
        assert found is not None
        low, high = found.interval()
        hits += low <= 0 <= high
    assert hits / 400 == pytest.approx(0.95, abs=0.03)


def test_order_share() -> None:
    clear = pd.DataFrame({"a": [1.0, 2.0, 1.5], "b": [5.0, 6.0, 5.5], "c": [9.0, 9.5, 9.9]})
    assert stats.order_share(clear, ["a", "b", "c"]) == 1.0
    assert stats.order_share(clear, ["b", "a", "c"]) == 0.0
    assert stats.order_share(clear.assign(b=clear["a"]), ["a", "b"]) == 0.0  # ties are not an order
    assert stats.order_share(clear[:1], ["a", "b"]) is None
    even = pd.DataFrame({"a": [0.0, 1.0], "b": [1.0, 0.0]})
    assert stats.order_share(even, ["a", "b"]) == pytest.approx(0.25, abs=0.02)  # only two draws of the first seed
