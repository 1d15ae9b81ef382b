"""Features -> numbers: how near generated images are to real ones, and how far to trust that. NumPy and SciPy only."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from scipy import special

from sagan_div.errors import UserError
from sagan_div.evaluation.distances import blocks, check_finite, squared_distances
from sagan_div.evaluation.frechet import SEED, Moments, Streaming, frechet_distance, moments


class Spread(NamedTuple):
    """A mean and a standard deviation."""

    mean: float
    std: float


def frechet_infinity(features: np.ndarray, reference: Moments, sizes: int = 3, draws: int = 3, seed: int = SEED) -> Spread:
    """FID extrapolated to infinitely many generated images (Chong and Forsyth 2020, arXiv 1911.07023).

    A line in 1/n through the distances of the first n features in a random order, n from N/2 to N; mean and standard
    deviation over orders. The bias of the reference's own size stays.
    """
    counts = np.linspace(len(features) // 2, len(features), sizes).astype(int)
    random, found = np.random.default_rng(seed), []
    for _ in range(draws):
        distances = [frechet_distance(reference, each) for each in _nested(features[random.permutation(len(features))], counts)]
        found.append(np.polynomial.Polynomial.fit(1 / counts, distances, 1)(0))
    return Spread(float(np.mean(found)), float(np.std(found, ddof=1)))


def _nested(features: np.ndarray, counts: np.ndarray) -> Iterator[Moments]:
    """Moments of the first n features for each n, which grow; few features bring their deviations, a cheap root."""
    streaming = Streaming(features.shape[1])
    for count in counts:
        if count <= features.shape[1]:
            yield moments(features[:count])
            continue
        for block in blocks(features[streaming.count : count]):
            streaming.add(block)
        yield streaming.moments()


# Other metrics


class KernelDistance(NamedTuple):
    """KID: mean and standard deviation over subsets, and the standard error of the mean."""

    mean: float
    std: float
    error: float | None


def kernel_distance(a: np.ndarray, b: np.ndarray, subsets: int = 100, size: int = 1000, seed: int = SEED) -> KernelDistance:
    """KID (Binkowski et al. 2018, arXiv 1801.01401) of features [M, d] and [N, d]: unbiased, so it may be negative.

    The unbiased squared MMD with the kernel (x.y/d + 1)^3 over random subsets, drawn as torch-fidelity draws them.
    Subsets overlap, hence the error is the delete-d jackknife's, std sqrt(size / (min(M, N) - size)) (Shao and Wu 1989);
    None where a subset is everything. Raises UserError where a set is smaller than a subset.
    """
    check_finite(a)
    check_finite(b)
    fewest = min(len(a), len(b))
    if not 2 <= size <= fewest:
        raise UserError(f"KID over subsets of {size} (at least 2) needs as many images on each side, not {fewest}")
    random = np.random.RandomState(seed)
    found = [_mmd(*(each[random.choice(len(each), size, replace=False)] for each in (a, b))) for _ in range(subsets)]
    error = float(np.std(found) * np.sqrt(size / (fewest - size))) if fewest > size else None
    return KernelDistance(float(np.mean(found)), float(np.std(found)), error)


def _mmd(a: np.ndarray, b: np.ndarray) -> float:
    """Unbiased squared maximum mean discrepancy of features [n, d] and [n, d] (Gretton et al. 2012, equation 3)."""
    within = sum(kernel.sum() - kernel.trace() for kernel in (_kernel(a, a), _kernel(b, b)))
    return float(within / (len(a) * (len(a) - 1)) - 2 * _kernel(a, b).mean())


def _kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    base = (a @ b.T).astype(np.float64) / a.shape[1] + 1
    return np.asarray(base * base * base)


def inception_score(probabilities: np.ndarray, splits: int = 10, seed: int = SEED) -> Spread:
    """Inception score of class probabilities [N, K] (Salimans et al. 2016, arXiv 1606.03498), over shuffled splits.

    exp of the mean Kullback-Leibler divergence to the split's marginal, between 1 and K. The order is torch-fidelity's.
    Raises UserError for fewer images than splits.
    """
    check_finite(probabilities)
    if len(probabilities) < splits:
        raise UserError(f"an Inception score over {splits} splits needs as many images, not {len(probabilities)}")
    shuffled = probabilities[np.random.RandomState(seed).permutation(len(probabilities))].astype(np.float64)
    edges = [i * len(shuffled) // splits for i in range(splits + 1)]
    parts = [shuffled[start:stop] for start, stop in pairwise(edges)]
    found = [np.exp(special.rel_entr(part, part.mean(0)).sum(1).mean()) for part in parts]
    return Spread(float(np.mean(found)), float(np.std(found)))


class Manifold(NamedTuple):
    precision: float
    recall: float
    density: float
    coverage: float


def manifold(real: np.ndarray, fake: np.ndarray, k: int = 5) -> Manifold:
    """Precision and recall (Kynkäänniemi et al. 2019), density and coverage (Naeem et al. 2020, arXiv 2002.09797).

    Of features [N, d] and [M, d]; a ball reaches to the k-th neighbour, itself excluded, and is open, as in prdc.
    Raises UserError where a set has no k neighbours.
    """
    check_finite(real)
    check_finite(fake)
    if min(len(real), len(fake)) <= k:
        raise UserError(f"precision and recall need more than {k} images on each side, not {min(len(real), len(fake))}")
    reach_real, reach_fake = _reach(real, k), _reach(fake, k)
    realistic, recalled, inside, covered = np.zeros(len(fake), bool), 0, 0, 0
    for rows, distances in squared_distances(real, fake):
        within = distances < reach_real[rows, None]
        realistic |= within.any(0)
        recalled += (distances < reach_fake).any(1).sum()
        inside += within.sum()
        covered += within.any(1).sum()
    return Manifold(
        float(realistic.mean()), float(recalled / len(real)), float(inside / (k * len(fake))), float(covered / len(real))
    )


def _reach(features: np.ndarray, k: int) -> np.ndarray:
    """Squared distance [N] of each feature to its k-th neighbour among the others."""
    found = []
    for rows, distances in squared_distances(features, features):
        np.fill_diagonal(distances[:, rows], 0)  # rounding leaves something else
        found.append(np.partition(distances, k)[:, k])
    return np.concatenate(found)


def class_histogram(probabilities: np.ndarray) -> list[int]:
    """How many images of class probabilities [N, K] fall into each of the K classes."""
    return [int(count) for count in np.bincount(probabilities.argmax(1), minlength=probabilities.shape[1])]


# All of it


LARGEST = 10_000  # images in a comparison of all pairs, whose cost grows with their square


@dataclass(frozen=True)
class Comparison:
    """Generated features [N, d] with their class probabilities [N, K], real features [M, d], and the moments of both."""

    fake: np.ndarray
    probabilities: np.ndarray
    real: np.ndarray
    reference: Moments
    moments: Callable[[np.ndarray, str], Moments] = moments
    distance: Callable[[Moments, Moments], float] = frechet_distance


def _fid(given: Comparison) -> Iterator[float]:
    yield given.distance(given.moments(given.fake, given.reference.extractor), given.reference)


def _kid(given: Comparison) -> Iterator[float | None]:
    size = min(1000, len(given.fake) // 2, len(given.real) // 2)
    yield from (*kernel_distance(given.fake, given.real, size=size), size)


METRICS: dict[str, tuple[tuple[str, ...], Callable[[Comparison], Iterable[float | None]]]] = {  # by name: numbers, and how
    "fid": (("fid",), _fid),
    "fid-infinity": (
        ("fid_infinity", "fid_infinity_std"),
        lambda given: frechet_infinity(given.fake, given.reference),
    ),
    "kid": (("kid", "kid_std", "kid_error", "kid_subset"), _kid),
    "is": (("is", "is_std"), lambda given: inception_score(given.probabilities)),
    "prdc": (Manifold._fields, lambda given: manifold(_some(given.real), _some(given.fake))),
}


def score(given: Comparison, wanted: Iterable[str]) -> dict[str, Any]:
    """The wanted metrics of METRICS. Subsets are drawn at random, never the first ones."""
    found: dict[str, Any] = {}
    for name in wanted:
        names, measure = METRICS[name]
        found |= attempt(name, names, lambda names=names, measure=measure: dict(zip(names, measure(given), strict=True)))  # type: ignore[misc]
    return found


def attempt(metric: str, names: Iterable[str], measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What a metric finds; where it cannot be had, None for each of its numbers and the reason as `why_<metric>`."""
    try:
        return measure()
    except UserError as error:
        return dict.fromkeys(names) | {f"why_{metric}": str(error)}


def _some(features: np.ndarray) -> np.ndarray:
    return features[np.random.default_rng(SEED).permutation(len(features))[:LARGEST]]
