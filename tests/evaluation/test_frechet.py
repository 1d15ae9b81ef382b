"""Moments and Fréchet distances against closed forms and naive float64 code."""

import numpy as np
import pytest
from features import features, gaussian, normal, rotation
from scipy import linalg

from sagan_div.errors import UserError
from sagan_div.evaluation import frechet
from sagan_div.evaluation.frechet import Moments


def distance_by_sqrtm(a: Moments, b: Moments) -> float:
    root = linalg.sqrtm(a.covariance @ b.covariance)
    return float(((a.mean - b.mean) ** 2).sum() + np.trace(a.covariance + b.covariance - 2 * root.real))


# Moments


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_moments_are_numpys(offset: float) -> None:
    values = features(2500, 40, 1) + np.float32(offset)
    found = frechet.moments(values)
    assert found.count == 2500
    np.testing.assert_allclose(found.mean, values.astype(np.float64).mean(0), rtol=1e-12)
    np.testing.assert_allclose(found.covariance, np.cov(values.astype(np.float64), rowvar=False), rtol=1e-9, atol=1e-10)


def test_moments_do_not_depend_on_the_batches() -> None:
    values, streaming = features(1234, 30, 2), frechet.Streaming(30)
    for start in range(0, 1234, 50):
        streaming.add(values[start : start + 50])
    np.testing.assert_allclose(streaming.moments().covariance, frechet.moments(values).covariance, rtol=1e-10, atol=1e-13)


def test_moments_refuse_what_has_none() -> None:
    with pytest.raises(UserError, match="at least 2"):
        frechet.moments(normal(1, 3))
    broken = normal(10, 3)
    broken[4, 1] = np.nan
    with pytest.raises(UserError, match="not finite"):
        frechet.moments(broken)


# Fréchet distance


def test_equal_covariances_leave_the_means() -> None:
    covariance = np.cov(features(300, 50, 1), rowvar=False)
    shift = np.linspace(-1, 2, 50)
    assert frechet.frechet_distance(gaussian(covariance), gaussian(covariance, shift)) == pytest.approx(
        shift @ shift, rel=1e-10
    )


@pytest.mark.parametrize("smallest", [1e-2, 1e-6, 1e-10, 1e-14])
def test_common_eigenvectors_have_a_closed_form_however_singular(smallest: float) -> None:
    basis, random = rotation(60), np.random.default_rng(1)
    first, second = np.geomspace(1, smallest, 60), random.permutation(np.geomspace(2, smallest, 60))
    a, b = (gaussian((lambda m: (m + m.T) / 2)(basis * values @ basis.T)) for values in (first, second))
    expected = ((np.sqrt(first) - np.sqrt(second)) ** 2).sum()
    assert frechet.frechet_distance(a, b) == pytest.approx(expected, rel=1e-8)
    assert frechet.frechet_distance(b, a) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize("noise", [0.0, 1e-16])
def test_rank_one_covariances_have_a_closed_form(noise: float) -> None:
    u, v = normal(2, 20).astype(np.float64)
    a, b = (gaussian(np.outer(w, w) + noise * np.eye(20)) for w in (u, v))
    assert frechet.frechet_distance(a, b) == pytest.approx(u @ u + v @ v - 2 * abs(u @ v), rel=1e-7)


def test_what_rounding_leaves_of_small_eigenvalues_does_not_add_up() -> None:
    basis = rotation(200)
    almost = (lambda m: gaussian((m + m.T) / 2, 0.001))(basis * np.repeat([1, 1e-12], [5, 195]) @ basis.T)
    assert frechet.frechet_distance(almost, gaussian(almost.covariance)) == pytest.approx(200e-6, rel=1e-8)
    u, v = basis[:, :5], rotation(200, 1)[:, :90]
    a, b = gaussian(u @ u.T), gaussian(v @ v.T)
    assert frechet.frechet_distance(a, b) == pytest.approx(95 - 2 * linalg.svdvals(u.T @ v).sum(), rel=1e-11)


def test_constant_images_leave_the_means() -> None:
    zeros = np.zeros((4, 4))
    assert frechet.frechet_distance(gaussian(zeros, 1.0), gaussian(zeros)) == 4.0
    assert frechet.frechet_distance(gaussian(np.eye(4), 1.0), gaussian(zeros)) == 8.0


def test_full_covariances_agree_with_the_matrix_square_root() -> None:
    a, b = (frechet.moments(features(1000, 100, seed)) for seed in (1, 2))
    found = frechet.frechet_distance(a, b)
    assert found == pytest.approx(distance_by_sqrtm(a, b), rel=1e-8)
    assert found > 0.1


def test_fewer_features_than_dimensions_agree_with_the_matrix_square_root() -> None:
    a, b, full = (frechet.moments(features(count, 100, seed)) for count, seed in ((40, 1), (60, 2), (1000, 3)))
    for one, other in ((a, b), (a, full), (full, b)):
        found = frechet.frechet_distance(one, other)
        assert found == pytest.approx(distance_by_sqrtm(one, other), rel=1e-5)
        known = Moments(one.count, one.mean, one.covariance), Moments(other.count, other.mean, other.covariance)
        assert found == pytest.approx(frechet.frechet_distance(*known), rel=1e-7)  # from their files alone


def test_dead_dimensions_change_nothing() -> None:
    a, b = features(400, 30, 1), features(400, 30, 2)
    padded = [frechet.moments(np.insert(each, [3, 3, 17], 0.0, axis=1)) for each in (a, b)]
    expected = frechet.frechet_distance(frechet.moments(a), frechet.moments(b))
    assert frechet.frechet_distance(*padded) == pytest.approx(expected, rel=1e-10)


def test_distance_is_symmetric_and_scales_and_ignores_rotations() -> None:
    a, b, turn = features(300, 20, 1).astype(np.float64), features(300, 20, 2).astype(np.float64), rotation(20)
    found = frechet.frechet_distance(frechet.moments(a), frechet.moments(b))
    assert frechet.frechet_distance(frechet.moments(b), frechet.moments(a)) == pytest.approx(found, rel=1e-9)
    assert frechet.frechet_distance(frechet.moments(3 * a), frechet.moments(3 * b)) == pytest.approx(9 * found, rel=1e-9)
    turned = frechet.moments(a @ turn + 5), frechet.moments(b @ turn + 5)
    assert frechet.frechet_distance(*turned) == pytest.approx(found, rel=1e-9)


def test_distance_to_itself_is_rounding_and_is_not_clipped() -> None:
    found = []
    for seed in range(20):
        each = frechet.moments(features(500, 40, seed))
        found.append(frechet.frechet_distance(each, each) / np.trace(each.covariance))
    assert np.abs(found).max() < 1e-12
    assert min(found) < 0


def test_statistics_that_do_not_fit_each_other_are_not_compared() -> None:
    with pytest.raises(UserError, match="of 3 and of 4 features"):
        frechet.frechet_distance(gaussian(np.eye(3)), gaussian(np.eye(4)))
    a, b = (Moments(9, np.zeros(3), np.eye(3), name) for name in ("inception:a", "classifier:b"))
    with pytest.raises(UserError, match="inception:a and of classifier:b"):
        frechet.frechet_distance(a, b)
    for pair in ((gaussian(np.zeros((0, 0))),) * 2, (gaussian(np.eye(3)), gaussian(np.zeros((0, 0))))):
        with pytest.raises(UserError, match="no features"):
            frechet.frechet_distance(*pair)


@pytest.mark.parametrize(
    ("matrix", "why"),
    [
        (np.diag([1.0, -0.01]), "the eigenvalue -0.01"),
        (-np.eye(2), "the eigenvalue -1"),
        (np.array([[1.0, 2.0], [2.0, 1.0]]), "the eigenvalue -1"),
        (np.array([[0.0, 1.0], [1.0, 0.0]]), "the eigenvalue -1"),
        (np.array([[1.0, 0.5], [0.0, 1.0]]), "not symmetric"),
        (np.array([[1.0, 0.5], [0.0, 1.0]]) * 1e-9, "not symmetric"),
    ],
)
def test_what_is_no_covariance_is_refused(matrix: np.ndarray, why: str) -> None:
    for pair in ((gaussian(matrix), gaussian(np.eye(2))), (gaussian(np.eye(2)), gaussian(matrix))):
        with pytest.raises(UserError, match=f"sigma is no covariance: .*{why}"):
            frechet.frechet_distance(*pair)
