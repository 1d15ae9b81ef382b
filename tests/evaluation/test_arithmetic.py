"""Exact arithmetic against pytorch-fid's own functions."""

import numpy as np
import pytest

from sagan_div.evaluation import arithmetic


def test_exact_moments_are_numpys_to_the_last_bit() -> None:
    found = np.random.default_rng(0).normal(size=(2500, 20)).astype(np.float32)
    ours, values = arithmetic.exact_moments(found), found.astype(np.float64)
    assert np.array_equal(ours.mean, np.mean(values, axis=0))
    assert np.array_equal(ours.covariance, np.cov(values, rowvar=False))


def test_exact_distance_works_without_disp(monkeypatch: pytest.MonkeyPatch) -> None:
    fid_score = pytest.importorskip("pytorch_fid.fid_score")
    random = np.random.default_rng(0)
    a, b = (arithmetic.exact_moments(random.normal(size=(60, 8)).astype(np.float32)) for _ in range(2))
    expected = fid_score.calculate_frechet_distance(a.mean, a.covariance, b.mean, b.covariance)
    assert arithmetic.exact_distance(a, b) == expected
    old = fid_score.linalg.sqrtm
    monkeypatch.setattr(fid_score.linalg, "sqrtm", lambda A: old(A))  # noqa: N803 (SciPy 1.18's signature)
    with pytest.raises(TypeError):
        fid_score.calculate_frechet_distance(a.mean, a.covariance, b.mean, b.covariance)
    assert arithmetic.exact_distance(a, b) == expected
