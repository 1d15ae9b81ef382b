"""Metrics over a part of the images draw that part at random: a file in some order is no sample by its beginning."""

import numpy as np
import pytest

from sagan_div.evaluation import prdc
from sagan_div.evaluation.fid_infinity import frechet_infinity
from sagan_div.evaluation.frechet import moments
from sagan_div.evaluation.inception_score import inception_score
from sagan_div.evaluation.kid import kernel_distance

RANDOM = np.random.default_rng(0)
NEAR, FAR = (RANDOM.normal(place, 1, (300, 4)) for place in (0, 20))
REAL = RANDOM.normal(0, 1, (600, 4))
SORTED = np.concatenate([NEAR, FAR])  # the good half first


def test_precision_of_a_part_is_that_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prdc, "LARGEST", 200)
    found = prdc.manifold(prdc._some(REAL), prdc._some(SORTED))
    assert found.precision == pytest.approx(0.5, abs=0.1)


def test_splits_of_the_inception_score_hold_all_classes() -> None:
    assert inception_score(np.repeat(np.eye(10), 50, axis=0)).mean == pytest.approx(
        10, rel=0.1
    )  # 1 where each split is a class


def test_kid_compares_subsets_of_the_whole() -> None:
    whole = kernel_distance(SORTED, REAL, subsets=1, size=600).mean
    assert kernel_distance(SORTED, REAL, subsets=30, size=100).mean == pytest.approx(whole, rel=0.2)


def test_fid_infinity_extrapolates_through_subsets_of_the_whole() -> None:
    order = RANDOM.permutation(600)
    found = frechet_infinity(SORTED, moments(REAL)).mean
    assert found == pytest.approx(frechet_infinity(SORTED[order], moments(REAL)).mean, rel=0.1)
