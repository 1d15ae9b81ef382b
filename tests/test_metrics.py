"""Metrics against closed forms, naive float64 code and the public implementations."""

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy import linalg, stats
from sklearn.neighbors import NearestNeighbors

from sagan_div.errors import UserError
from sagan_div.evaluation import fid_infinity, floor, frechet, inception, inception_score, kid, memorisation, neighbours, prdc
from sagan_div.evaluation.comparison import Comparison
from sagan_div.evaluation.frechet import Moments
from sagan_div.evaluation.score import class_histogram, score
from sagan_div.study.metrics import METRICS

MEASURED = [METRICS[name] for name in ("fid", "fid-infinity", "kid", "is", "prdc")]


def normal(count: int, dimensions: int, seed: int = 0, scale: float = 1.0, shift: float = 0.0) -> np.ndarray:
    return (np.random.default_rng(seed).normal(size=(count, dimensions)) * scale + shift).astype(np.float32)


def features(count: int, dimensions: int, seed: int) -> np.ndarray:
    """Features as networks have them: rectified, correlated, not centred."""
    mix = np.random.default_rng(99).normal(size=(dimensions, dimensions)) / np.sqrt(dimensions)
    return np.maximum(normal(count, dimensions, seed) @ mix + 0.3, 0).astype(np.float32)


def gaussian(covariance: np.ndarray, mean: np.ndarray | float = 0.0) -> Moments:
    return Moments(0, np.zeros(len(covariance)) + mean, covariance)


def rotation(dimensions: int, seed: int = 0) -> np.ndarray:
    return stats.ortho_group.rvs(dimensions, random_state=seed)


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


# Statistics in files


def test_statistics_survive_a_file_and_pytorch_fid_reads_them(tmp_path: Path) -> None:
    fid_score = pytest.importorskip("pytorch_fid.fid_score")
    saved = frechet.moments(features(100, 12, 1), "inception:abc")
    frechet.save_statistics(tmp_path / "a.npz", saved, features=features(100, 12, 1))
    read = frechet.load_statistics(tmp_path / "a.npz")
    mean, covariance = fid_score.compute_statistics_of_path(str(tmp_path / "a.npz"), None, 50, 12, "cpu")
    for found in ((read.mean, read.covariance), (mean, covariance)):
        assert np.array_equal(found[0], saved.mean)
        assert np.array_equal(found[1], saved.covariance)
    assert (read.count, read.extractor) == (100, "inception:abc")
    assert np.array_equal(frechet.load_beside(tmp_path / "a.npz", "features"), features(100, 12, 1))


def test_statistics_of_pytorch_fid_are_read(tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", mu=np.arange(3.0), sigma=np.eye(3))
    read = frechet.load_statistics(tmp_path / "a.npz")
    assert (read.count, read.extractor, read.mean.tolist()) == (0, "", [0, 1, 2])


def test_statistics_that_do_not_fit_each_other_are_not_compared() -> None:
    with pytest.raises(UserError, match="of 3 and of 4 features"):
        frechet.frechet_distance(gaussian(np.eye(3)), gaussian(np.eye(4)))
    a, b = (Moments(9, np.zeros(3), np.eye(3), name) for name in ("inception:a", "classifier:b"))
    with pytest.raises(UserError, match="inception:a and of classifier:b"):
        frechet.frechet_distance(a, b)


def test_wrong_archives_are_a_line_each(tmp_path: Path) -> None:
    def line(**arrays: object) -> str:
        np.savez(tmp_path / "a.npz", **arrays)  # type: ignore[arg-type]
        with pytest.raises(UserError) as caught:
            frechet.load_statistics(tmp_path / "a.npz")
        return str(caught.value)

    assert "holds no statistics (arrays mu and sigma), but foo" in line(foo=np.zeros(3))
    assert "shapes (3,) and (4, 4)" in line(mu=np.zeros(3), sigma=np.zeros((4, 4)))
    assert "not (d,) and (d, d) of floats" in line(mu=np.array(["a", "b"]), sigma=np.eye(2))
    assert "not finite" in line(mu=np.zeros(3), sigma=np.full((3, 3), np.nan))
    assert "is damaged" in line(mu=np.array([{}, {}], dtype=object), sigma=np.eye(2))
    frechet.save_statistics(tmp_path / "b.npz", gaussian(np.eye(50)))
    whole = (tmp_path / "b.npz").read_bytes()
    for content in (b"", b"PK", whole[: len(whole) // 2], whole[:200] + b"x" * 40 + whole[240:]):
        (tmp_path / "b.npz").write_bytes(content)
        with pytest.raises(UserError, match=r"b\.npz: is damaged"):
            frechet.load_statistics(tmp_path / "b.npz")
    with pytest.raises(UserError, match="does not exist"):
        frechet.load_statistics(tmp_path / "c.npz")


# Floors, extrapolation, intervals


def test_floor_is_what_a_perfect_generator_scores() -> None:
    values = np.geomspace(4, 0.1, 16)
    draw = lambda count, seed: normal(count, 16, seed) * np.sqrt(values)  # noqa: E731
    found = [
        frechet.frechet_distance(frechet.moments(draw(400, 2 * i)), frechet.moments(draw(800, 2 * i + 1))) for i in range(60)
    ]
    constant = floor.bias(np.diag(values))
    assert floor.expected(constant, 400, 800) == pytest.approx(np.mean(found), rel=0.05)
    assert floor.measured_bias(draw(4000, 7), draws=10) == pytest.approx(constant, rel=0.1)


def test_floor_of_equal_variances_is_the_published_one() -> None:
    dimensions, count = 12, 100
    expected = 2 * dimensions / count + dimensions * (dimensions + 1) / (2 * count)
    assert floor.expected(floor.bias(np.eye(dimensions)), count, count) == pytest.approx(expected, rel=1e-12)


def test_extrapolation_takes_the_bias_away() -> None:
    reference = gaussian(np.eye(16))
    found = [fid_infinity.frechet_infinity(normal(1000, 16, seed, shift=0.1), reference) for seed in range(10)]
    at_hand = np.mean([frechet.frechet_distance(frechet.moments(normal(1000, 16, s, shift=0.1)), reference) for s in range(10)])
    assert np.mean([each.mean for each in found]) == pytest.approx(0.16, abs=0.03)
    assert at_hand > 0.23
    assert all(0 < each.std < 0.1 for each in found)


def test_nested_moments_are_those_of_each_prefix() -> None:
    values = features(2600, 8, 3)
    for count, found in zip([3, 1500, 2600], fid_infinity._nested(values, np.array([3, 1500, 2600])), strict=True):
        np.testing.assert_allclose(found.covariance, np.cov(values[:count].astype(float), rowvar=False), rtol=1e-9, atol=1e-12)


# KID, Inception score, precision and recall


def test_kernel_distance_is_torch_fidelitys() -> None:
    published = pytest.importorskip("torch_fidelity.metric_kid")
    a, b = features(700, 24, 1).astype(np.float64), features(600, 24, 2).astype(np.float64) * 1.1
    found = kid.kernel_distance(a, b, subsets=20, size=300)
    tensors = torch.from_numpy(a), torch.from_numpy(b)
    expected = published.kid_features_to_metric(*tensors, kid_subsets=20, kid_subset_size=300, rng_seed=2020, verbose=False)
    assert found.mean == pytest.approx(expected["kernel_inception_distance_mean"], rel=1e-10)
    assert found.std == pytest.approx(expected["kernel_inception_distance_std"], rel=1e-10)
    assert found.mean > 1e-3


def test_kernel_distance_is_the_unbiased_estimate() -> None:
    a, b = features(12, 5, 1).astype(np.float64), features(12, 5, 2).astype(np.float64)
    kernel = lambda x, y: (x @ y / 5 + 1) ** 3  # noqa: E731
    pairs = [(i, j) for i in range(12) for j in range(12)]
    within = [np.mean([kernel(each[i], each[j]) for i, j in pairs if i != j]) for each in (a, b)]
    across = np.mean([kernel(a[i], b[j]) for i, j in pairs])
    found = kid.kernel_distance(a, b, subsets=1, size=12)
    assert found.mean == pytest.approx(sum(within) - 2 * across, rel=1e-10)
    assert found.error is None


def test_kernel_distance_of_one_distribution_scatters_around_zero_by_its_error() -> None:
    found = [kid.kernel_distance(normal(400, 4, 2 * i), normal(400, 4, 2 * i + 1), 30, 100) for i in range(60)]
    means, errors = np.array([each.mean for each in found]), np.array([each.error for each in found], float)
    assert abs(means.mean()) < 3 * means.std() / np.sqrt(60)
    assert means.min() < 0
    assert 1 < errors.mean() / means.std() < 3  # a degenerate statistic: the jackknife is on the safe side


def test_kernel_distances_error_is_its_scatter_where_the_sets_differ() -> None:
    found = [kid.kernel_distance(normal(400, 4, 2 * i), normal(400, 4, 2 * i + 1, shift=0.7), 100, 100) for i in range(60)]
    means, errors = np.array([each.mean for each in found]), np.array([each.error for each in found], float)
    assert errors.mean() / means.std() == pytest.approx(1, abs=0.3)


def test_kernel_distance_needs_a_subset() -> None:
    with pytest.raises(UserError, match=r"subsets of 1000 .* on each side, not 50"):
        kid.kernel_distance(normal(50, 3), normal(2000, 3))


def test_inception_score_is_torch_fidelitys() -> None:
    isc = pytest.importorskip("torch_fidelity.metric_isc")
    logits = torch.from_numpy(normal(537, 10, 4, scale=3.0))
    found = inception_score.inception_score(logits.double().softmax(1).numpy())
    expected = isc.isc_features_to_metric(logits)
    assert found.mean == pytest.approx(expected["inception_score_mean"], rel=1e-12)
    assert found.std == pytest.approx(expected["inception_score_std"], rel=1e-10)


def test_inception_score_lies_between_one_and_the_classes() -> None:
    assert inception_score.inception_score(np.full((50, 4), 0.25)) == pytest.approx((1, 0))
    assert inception_score.inception_score(np.tile(np.eye(4), (25, 1)), splits=1).mean == pytest.approx(4)
    with pytest.raises(UserError, match="10 splits needs as many images, not 4"):
        inception_score.inception_score(np.eye(4))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_manifold_is_prdcs(kind: type) -> None:
    published = pytest.importorskip("prdc")
    real, fake = features(1300, 10, 1).astype(kind), (features(1150, 10, 2) * 1.15 + 0.1).astype(kind)
    found, expected = prdc.manifold(real, fake), published.compute_prdc(real, fake, 5)
    assert found._asdict() == pytest.approx(expected, abs=1e-12)
    assert all(0.1 < value < 0.99 for value in found)


def test_manifold_with_ties_is_counted_strictly() -> None:
    grid = np.random.default_rng(0).integers(0, 3, (60, 2)).astype(np.float64)
    real, fake = grid[:30], grid[30:]
    apart = np.linalg.norm(real[:, None] - fake, axis=2)
    reach = [np.sort(np.linalg.norm(each[:, None] - each, axis=2), axis=1)[:, 3] for each in (real, fake)]
    inside = apart < reach[0][:, None]
    assert prdc.manifold(real, fake, k=3) == pytest.approx(
        (inside.any(0).mean(), (apart < reach[1]).any(1).mean(), inside.sum(0).mean() / 3, inside.any(1).mean())
    )


def test_manifold_tells_a_collapsed_generator() -> None:
    found = prdc.manifold(normal(1000, 8, 1), normal(1000, 8, 2, scale=0.2))
    assert found.precision > 0.8
    assert found.recall < 0.3
    with pytest.raises(UserError, match="more than 5 images"):
        prdc.manifold(normal(5, 2), normal(100, 2))


def test_coverage_of_equal_distributions_has_a_closed_form() -> None:
    count, k = 600, 5
    found = [prdc.manifold(normal(count, 4, 2 * i), normal(count, 4, 2 * i + 1)).coverage for i in range(8)]
    assert np.mean(found) == pytest.approx(1 - np.prod([(count - i) / (2 * count - i) for i in range(1, k + 1)]), abs=0.01)


def test_class_histogram_counts_every_class() -> None:
    assert class_histogram(np.eye(4)[[2, 2, 0]]) == [1, 0, 2, 0]


# Memorisation


def test_nearest_is_sklearns() -> None:
    a, b = features(1100, 9, 1).astype(np.float64), features(700, 9, 2).astype(np.float64)
    found = neighbours.nearest(a, b)
    distances, indices = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(b).kneighbors(a)
    assert np.array_equal(found.indices, indices[:, 0])
    np.testing.assert_allclose(found.distances, distances[:, 0], rtol=1e-6, atol=1e-6)


def test_nearest_does_not_depend_on_the_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    a, b = features(300, 9, 1), features(700, 9, 2)
    whole = neighbours.nearest(a, b)
    monkeypatch.setattr(neighbours, "PART", 64)
    parts = neighbours.nearest(a, b)
    assert np.array_equal(parts.indices, whole.indices)
    np.testing.assert_allclose(parts.distances, whole.distances, rtol=1e-5)  # products in float32, of another shape


def test_memorisation_tells_copies_from_honest_samples() -> None:
    training, held_out, honest = normal(3000, 6, 1), normal(1000, 6, 2), normal(1000, 6, 3)
    copied = np.concatenate([honest[:900], training[:100] + 0.01])
    unseen, fair, foul = (neighbours.nearest(each, training).distances for each in (held_out, honest, copied))
    found = memorisation.memorisation(fair, unseen)
    assert found.share == pytest.approx(0.01, abs=0.01)
    assert found.nearer == pytest.approx(0.5, abs=0.03)
    assert abs(found.z) < 3
    caught = memorisation.memorisation(foul, unseen)
    assert caught.share == pytest.approx(0.1, abs=0.02)
    assert caught.nearer > found.nearer + 0.03
    assert caught.z == pytest.approx(-stats.norm.isf(stats.mannwhitneyu(foul, unseen, alternative="less").pvalue), rel=0.01)
    with pytest.raises(UserError, match="test split"):
        memorisation.memorisation(fair, unseen[:0])


# All of it


def comparison(fake: np.ndarray, real: np.ndarray) -> Comparison:
    probabilities = np.random.default_rng(0).dirichlet(np.ones(10), len(fake))
    return Comparison(fake, probabilities, real, frechet.moments(real, "some:space"))


def test_score_has_what_is_wanted_and_each_is_its_function() -> None:
    real, fake = features(900, 12, 1), features(800, 12, 2)
    given = comparison(fake, real)
    found = score(given, MEASURED)
    assert found["fid"] == frechet.frechet_distance(frechet.moments(fake), given.reference)
    assert (found["fid_infinity"], found["fid_infinity_std"]) == fid_infinity.frechet_infinity(fake, given.reference)
    assert (found["kid"], found["kid_std"], found["kid_error"]) == kid.kernel_distance(fake, real, size=400)
    assert found["kid_subset"] == 400
    assert (found["is"], found["is_std"]) == inception_score.inception_score(given.probabilities)
    assert (found["recall"], found["precision"]) == pytest.approx(prdc.manifold(fake, real)[:2], abs=1e-12)
    assert set(score(given, [METRICS["is"]])) == {"is", "is_std"}


def test_a_metric_that_cannot_be_had_gives_its_reason_and_the_others_stand() -> None:
    given = comparison(features(5, 12, 2), features(900, 12, 1))
    found = score(given, MEASURED)
    assert {name for name, value in found.items() if value is None} == {"is", "is_std", *prdc.Manifold._fields}
    assert found["why_is"] == "an Inception score over 10 splits needs as many images, not 5"
    assert found["why_prdc"] == "precision and recall need more than 5 images on each side, not 5"
    assert found["fid"] == frechet.frechet_distance(frechet.moments(given.fake), given.reference)


@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_features_that_are_not_finite_have_no_score(broken: float) -> None:
    fake = features(300, 12, 2)
    fake[7, 3] = broken
    found = score(comparison(fake, features(300, 12, 1)), MEASURED)
    assert all(found[name] is None for name in ("fid", "fid_infinity", "kid", "precision", "coverage"))
    assert {text for name, text in found.items() if name in ("why_fid", "why_fid-infinity", "why_kid", "why_prdc")} == {
        "some features are not finite; the network's weights or the images are damaged"
    }
    for compute in (inception.exact_moments, lambda found: neighbours.nearest(found, found)):
        with pytest.raises(UserError, match="not finite"):
            compute(fake)
