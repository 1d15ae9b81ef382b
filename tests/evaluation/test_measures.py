"""Metrics against closed forms, naive float64 code and the public implementations."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from features import features, gaussian, normal
from scipy import stats
from sklearn.neighbors import NearestNeighbors

from sagan_div.errors import UserError
from sagan_div.evaluation import fid_infinity, floor, frechet, inception_score, kid, memorisation, neighbours, prdc
from sagan_div.evaluation.score import class_histogram

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


def test_extrapolation_is_the_line_through_prefixes_and_its_spread_that_of_halves() -> None:
    values, reference = features(203, 6, 4).astype(np.float64), gaussian(np.eye(6))
    ordered = values[np.random.default_rng(2020).permutation(203)]

    def line(part: np.ndarray, counts: list[int]) -> float:
        found = []
        for count in counts:
            covariance = np.cov(part[:count], rowvar=False)
            root = np.sqrt(np.linalg.eigvalsh(covariance)).sum()
            found.append((part[:count].mean(0) ** 2).sum() + np.trace(covariance) + 6 - 2 * root)
        return float(np.polyfit(1 / np.array(counts), found, 1)[1])

    found = fid_infinity.frechet_infinity(values, reference, draws=1)
    assert found.mean == pytest.approx(line(ordered, [101, 152, 203]), rel=1e-9)
    one, other = line(ordered[:101], [50, 75, 101]), line(ordered[101:], [51, 76, 102])
    assert found.std == pytest.approx(abs(one - other) / 2, rel=1e-9)


@pytest.mark.parametrize(("shift", "most"), [(1.0, 1.2), (0.0, 2.6)])
def test_extrapolations_spread_is_that_over_independent_draws_or_on_the_safe_side(shift: float, most: float) -> None:
    found = [fid_infinity.frechet_infinity(normal(300, 8, seed, shift=shift), gaussian(np.eye(8))) for seed in range(150)]
    ratio = np.sqrt(np.mean([each.std**2 for each in found])) / np.std([each.mean for each in found], ddof=1)
    assert 0.8 < ratio < most


def test_extrapolation_from_too_few_images_is_refused() -> None:
    with pytest.raises(UserError, match=r"no line in 1/N: 16 features need more than 64, not 64"):
        fid_infinity.frechet_infinity(normal(64, 16), gaussian(np.eye(16)))
    assert np.isfinite(fid_infinity.frechet_infinity(normal(65, 16), gaussian(np.eye(16))).std)


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
    assert kid.kernel_distance(a[:3], b[:3], size=3).error is None
    assert kid.kernel_distance(a[:4], b[:4], size=4).error is not None
    assert kid.kernel_distance(a[:2], b[:2], size=2).std < 1e-12


def test_kernel_distance_of_one_distribution_scatters_around_zero_by_its_error() -> None:
    means, errors = scatter(lambda i: (normal(240, 12, 2 * i), normal(240, 12, 2 * i + 1)), 300, subsets=40, size=80)
    assert abs(means.mean()) < 3 * means.std() / np.sqrt(300)
    assert means.min() < 0
    assert errors == pytest.approx(means.std(ddof=1), rel=0.2)  # all of it is of pairs: a degenerate U-statistic


@pytest.mark.parametrize("shift", [0.1, 0.7])
def test_kernel_distances_error_is_its_scatter_where_the_sets_differ(shift: float) -> None:
    draw = lambda i: (normal(150, 8, 2 * i, shift=shift), normal(300, 8, 2 * i + 1))  # noqa: E731
    means, errors = scatter(draw, 300, subsets=20, size=70)
    assert errors == pytest.approx(means.std(ddof=1), rel=0.2)


def scatter(draw: Callable[[int], tuple[np.ndarray, np.ndarray]], times: int, **how: int) -> tuple[np.ndarray, float]:
    """KIDs of independent draws, and the root of the mean square of the errors that they state."""
    found = [kid.kernel_distance(*draw(i), **how) for i in range(times)]
    return np.array([each.mean for each in found]), float(np.sqrt(np.mean([float(each.error or 0) ** 2 for each in found])))


@pytest.mark.parametrize("offset", [0.0, 30.0])
def test_kernel_distance_of_half_precision_is_that_of_its_values(offset: float) -> None:
    a, b = (normal(200, 16, seed, shift=offset).astype(np.float16) for seed in (1, 2))
    found, expected = (kid.kernel_distance(a.astype(kind), b.astype(kind), 5, 100) for kind in (np.float16, np.float64))
    assert found.mean == pytest.approx(expected.mean, rel=1e-4)
    assert found.error == pytest.approx(expected.error, rel=1e-4)


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
    with pytest.raises(UserError, match="not finite"):
        inception_score.inception_score(np.full((50, 4), np.nan))


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_manifold_is_prdcs(kind: type) -> None:
    published = pytest.importorskip("prdc")
    real, fake = features(1300, 10, 1).astype(kind), (features(1150, 10, 2) * 1.15 + 0.1).astype(kind)
    found, expected = prdc.manifold(real, fake), published.compute_prdc(real, fake, 5)
    assert found._asdict() == pytest.approx(expected, abs=1e-12)
    assert all(0.1 < value < 0.99 for value in found)


@pytest.mark.parametrize(("kind", "offset"), [(np.float32, 1e4), (np.float16, 0.0), (np.float16, 200.0)])
def test_manifold_and_neighbours_of_offset_and_half_precision_are_prdcs_in_float64(kind: type, offset: float) -> None:
    published = pytest.importorskip("prdc")
    real, fake = ((normal(count, 64, seed) + offset).astype(kind) for count, seed in ((1100, 1), (900, 2)))
    exact = real.astype(np.float64) - offset, fake.astype(np.float64) - offset  # without what float64 itself would lose
    assert prdc.manifold(real, fake)._asdict() == pytest.approx(published.compute_prdc(*exact, 5), abs=1e-12)
    found = neighbours.nearest(fake, real)
    distances, indices = NearestNeighbors(n_neighbors=1, algorithm="brute").fit(exact[0]).kneighbors(exact[1])
    assert np.array_equal(found.indices, indices[:, 0])
    np.testing.assert_allclose(found.distances, distances[:, 0], rtol=1e-9)


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
    np.testing.assert_allclose(parts.distances, whole.distances, rtol=1e-9)
    grid, points = (np.random.default_rng(seed).integers(0, 3, (200, 4)) for seed in (1, 2))
    first = np.square(points[:, None] - grid).sum(2).argmin(1)  # of equally near ones
    assert np.array_equal(neighbours.nearest(points, grid).indices, first)


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


def test_memorisation_refuses_what_says_nothing() -> None:
    distances = np.array([1.0, 2.0, 3.0])
    with pytest.raises(UserError, match="test split"):
        memorisation.memorisation(distances, distances[:0])
    with pytest.raises(UserError, match="by samples, and there are none"):
        memorisation.memorisation(distances[:0], distances)
    for pair in ((distances * np.nan, distances), (distances, distances * np.inf)):
        with pytest.raises(UserError, match="some distances are not finite"):
            memorisation.memorisation(*pair)
    assert neighbours.nearest(normal(3, 2), normal(1, 2, 1)).indices.tolist() == [0, 0, 0]
    with pytest.raises(UserError, match="among no images"):
        neighbours.nearest(normal(3, 2), normal(0, 2))
    with pytest.raises(UserError, match="not finite"):
        neighbours.nearest(normal(3, 2), normal(3, 2) * np.nan)


def test_distances_are_ranked_as_mann_and_whitney_do_with_their_ties() -> None:
    a, b = (np.random.default_rng(seed).integers(0, 40, 300).astype(np.float64) for seed in (1, 2))
    found = memorisation.memorisation(a, b)
    assert found.nearer == 1 - stats.mannwhitneyu(a, b).statistic / (300 * 300)  # to the last bit
    without_ties = np.arange(7.0), np.arange(11.0) + 0.5
    exact = stats.mannwhitneyu(*without_ties, method="asymptotic", use_continuity=False, alternative="less")
    assert memorisation.memorisation(*without_ties).z == pytest.approx(stats.norm.ppf(exact.pvalue), rel=1e-9)
