"""Statistics over seeds against numbers worked out by hand or taken from the literature."""

import math

import numpy as np
import pandas as pd
import pytest

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


@pytest.mark.parametrize(("tests", "pairs"), [(1, 6), (3, 7), (6, 8)])
def test_pairs_needed(tests: int, pairs: int) -> None:
    assert stats.pairs_needed(tests) == pairs
    assert stats.smallest_p(pairs, pairs, paired=True) * tests <= stats.ALPHA
    assert stats.smallest_p(pairs - 1, pairs - 1, paired=True) * tests > stats.ALPHA


def test_chance_counts_ties_half() -> None:
    assert stats.chance_lower([1.0, 2.0], [3.0, 4.0]) == 1.0
    assert stats.chance_lower([1.0, 2.0], [1.0, 2.0]) == 0.5
    assert stats.chance_lower([3.0], [1.0, 3.0]) == 0.25


def test_welch_covers_the_truth_as_often_as_it_says() -> None:
    generator = np.random.default_rng(0)
    hits = 0
    for _ in range(400):
        low, high = stats.welch(list(generator.normal(0, 1, 4)), list(generator.normal(0, 3, 6))) or (0.0, 0.0)
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
