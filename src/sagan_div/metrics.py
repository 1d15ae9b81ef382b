"""Features -> numbers: distances between generated and real images, and how far to trust them. NumPy and SciPy only."""

import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy import linalg, special, stats

from sagan_div import files
from sagan_div.errors import Mistake

SEED = 2020  # torch-fidelity's, of subsets and splits

# Fréchet distance


@dataclass(frozen=True, eq=False)
class Moments:
    """Mean [d] and unbiased covariance [d, d], in float64, of `count` features (0: a file that does not say).

    `extractor` is the identity of their feature space where it is known. `deviations` [d, count] are the centred features
    over sqrt(count - 1), kept where there are no more features than dimensions.
    """

    count: int
    mean: np.ndarray
    covariance: np.ndarray
    extractor: str = ""
    deviations: np.ndarray | None = None

    @cached_property
    def root(self) -> np.ndarray:
        """R [d, r] with R R' = covariance: the deviations, Cholesky's, or scaled eigenvectors where that fails."""
        if self.deviations is not None:
            return self.deviations
        alive = np.flatnonzero(self.covariance.diagonal())
        part = _square_root(self.covariance[np.ix_(alive, alive)])
        root = np.zeros((len(self.mean), part.shape[1]))
        root[alive] = part
        return root


NO_MOMENTS = Moments(0, np.zeros(0), np.zeros((0, 0)))


def _square_root(covariance: np.ndarray) -> np.ndarray:
    if not len(covariance):
        return covariance
    try:
        return np.asarray(linalg.cholesky(covariance, lower=True))
    except linalg.LinAlgError:
        values, vectors = linalg.eigh(covariance)
        kept = values > _noise(values)
        return np.asarray(vectors[:, kept] * np.sqrt(values[kept]))


def _noise(eigenvalues: np.ndarray) -> float:
    """What rounding makes of an eigenvalue that is zero."""
    return float(len(eigenvalues) * np.finfo(np.float64).eps * eigenvalues.max(initial=0))


class Streaming:
    """Moments of features that come batch by batch: float64 sums around a pilot, the mean of the first batch."""

    def __init__(self, dimensions: int) -> None:
        self.count = 0
        self.pilot = np.zeros(dimensions)
        self.total = np.zeros(dimensions)
        self.outer = np.zeros((dimensions, dimensions))

    def add(self, features: np.ndarray) -> None:
        """Take in a batch of features [B, d]. Raises Mistake for features that are not finite."""
        values = features.astype(np.float64)
        if not np.isfinite(values).all():
            raise Mistake("some features are not finite; the network's weights or the images are damaged")
        if self.count == 0:
            self.pilot = values.mean(0)
        values -= self.pilot
        self.count += len(values)
        self.total += values.sum(0)
        self.outer += values.T @ values

    def moments(self, extractor: str = "") -> Moments:
        """The moments so far. Raises Mistake for fewer than two features."""
        if self.count < 2:
            raise Mistake(f"the covariance of {self.count} image is not defined; give at least 2")
        shift = self.total / self.count
        covariance = (self.outer - self.count * np.outer(shift, shift)) / (self.count - 1)
        return Moments(self.count, self.pilot + shift, covariance, extractor)


def moments(features: np.ndarray, extractor: str = "") -> Moments:
    """Moments of features [N, d], N >= 2; `extractor` is the identity of their space.

    Raises Mistake for a single feature, and for features that are not finite.
    """
    streaming = Streaming(features.shape[1])
    for block in _blocks(features):
        streaming.add(block)
    found = streaming.moments(extractor)
    if len(features) > features.shape[1]:
        return found
    deviations = (features.astype(np.float64) - found.mean).T / np.sqrt(found.count - 1)
    return Moments(found.count, found.mean, found.covariance, extractor, deviations)


def frechet_distance(a: Moments, b: Moments) -> float:
    """Squared Fréchet distance of two Gaussians, |m - n|^2 + tr A + tr B - 2 tr (A B)^(1/2) (Dowson and Landau 1982).

    Rounding can make it slightly negative for equal arguments. Raises Mistake for statistics that can't be compared.
    """
    check_comparable(a, b)
    shift = a.mean - b.mean
    return float(shift @ shift + np.trace(a.covariance) + np.trace(b.covariance) - 2 * _overlap(a, b))


def check_comparable(a: Moments, b: Moments) -> None:
    """Raises Mistake for statistics of different dimensions or extractors."""
    if a.mean.shape != b.mean.shape:
        raise Mistake(f"statistics of {len(a.mean)} and of {len(b.mean)} features cannot be compared; use one extractor")
    if a.extractor and b.extractor and a.extractor != b.extractor:
        raise Mistake(f"statistics of {a.extractor} and of {b.extractor} cannot be compared; use one extractor")


def _overlap(a: Moments, b: Moments) -> float:
    """tr (A B)^(1/2): the sum of the singular values of R' S, where A = R R' and B = S S'.

    They are the square roots of the eigenvalues of a symmetric matrix, which are cheaper. But an eigenvalue that is lost in
    rounding leaves its square root behind, which is no rounding error any more: where these add up, they are not taken.
    """
    thin, other = sorted((a.root, b.root), key=np.size)
    product = other.T @ thin
    squares = linalg.eigvalsh(product.T @ product) if thin.size else np.zeros(0)
    noise = np.finfo(np.float64).eps * squares.max(initial=0)
    total = np.sqrt(squares.clip(0)).sum()
    if np.sqrt(noise) * (squares < noise).sum() <= 1e-8 * total:
        return float(total)
    return float(linalg.svdvals(product).sum())


# Statistics in files


def save_statistics(path: Path, statistics: Moments, **beside: np.ndarray) -> None:
    """Write moments as pytorch-fid's .npz (`mu`, `sigma`), with count, extractor and further arrays `beside` them."""
    own = {"mu": statistics.mean, "sigma": statistics.covariance, "count": statistics.count, "extractor": statistics.extractor}
    with files.replacing(path) as temporary:
        np.savez_compressed(temporary, **own, **beside)  # type: ignore[arg-type]


def load_statistics(path: Path) -> Moments:
    """Moments from an .npz of ours or of pytorch-fid. Raises Mistake."""
    with archive(path) as arrays:
        if not {"mu", "sigma"} <= arrays.keys():
            raise Mistake(f"{path}: holds no statistics (arrays mu and sigma), but {', '.join(arrays) or 'nothing'}")
        count, extractor = int(arrays.get("count", 0)), str(arrays.get("extractor", ""))
        found = Moments(count, arrays["mu"], arrays["sigma"], extractor)
    shapes = found.mean.shape, found.covariance.shape
    if {found.mean.dtype.kind, found.covariance.dtype.kind} != {"f"} or shapes != (
        (len(found.covariance),),
        (len(found.mean),) * 2,
    ):
        raise Mistake(f"{path}: mu and sigma have the shapes {shapes[0]} and {shapes[1]}, not (d,) and (d, d) of floats")
    if not (np.isfinite(found.mean).all() and np.isfinite(found.covariance).all()):
        raise Mistake(f"{path}: its statistics are not finite; make them again from intact images")
    return found


def load_beside(path: Path, name: str) -> np.ndarray:
    """An array that was saved beside statistics. Raises Mistake."""
    with archive(path) as arrays:
        if name not in arrays:
            raise Mistake(f"{path}: has no array {name}; delete it and run `sagan-div reference`")
        found: np.ndarray = arrays[name]
        return found


@contextmanager
def archive(path: Path) -> Iterator[np.lib.npyio.NpzFile]:
    """An .npz file, open; nothing in it is unpickled. Raises Mistake where it is missing, damaged or something else."""
    if not path.exists():
        raise Mistake(f"{path}: does not exist")
    if not zipfile.is_zipfile(path):
        raise Mistake(f"{path}: is damaged, or no .npz file; make it again")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            yield arrays
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error):
        raise Mistake(f"{path}: is damaged, or holds something else than arrays; make it again") from None


# What a Fréchet distance is worth


def bias(covariance: np.ndarray) -> float:
    """c of the first-order bias of FID, c (1/m + 1/n) for m and n features of one Gaussian with this covariance.

    c = sum l + 1/2 sum_ij l_i l_j / (l_i + l_j) + 1/4 sum l over its eigenvalues l: of the means, and of the covariances
    (the second-order term of the delta method for the Bures distance).
    """
    values = linalg.eigvalsh(covariance)
    values = values[values > _noise(values)]
    pairs = values[:, None] * values / (values[:, None] + values)
    return float(1.25 * values.sum() + 0.5 * pairs.sum())


def measured_bias(features: np.ndarray, draws: int = 5, seed: int = SEED) -> float:
    """The same constant from real features [N, d] alone: mean FID between random halves of them, times N/4."""
    half, random = len(features) // 2, np.random.default_rng(seed)
    found = []
    for _ in range(draws):
        order = random.permutation(len(features))
        found.append(frechet_distance(moments(features[order[:half]]), moments(features[order[half : 2 * half]])))
    return float(np.mean(found) * half / 2)


def floor(constant: float, real: int, fake: int) -> float:
    """The FID that a perfect generator is expected to have with that many real and generated images."""
    return constant * (1 / real + 1 / fake)


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
    """Moments of the first n features for each n, which grow."""
    streaming = Streaming(features.shape[1])
    for count in counts:
        for block in _blocks(features[streaming.count : count]):
            streaming.add(block)
        yield streaming.moments()


class Interval(NamedTuple):
    """A mean, and half the width of its confidence interval: None where a single value gives none."""

    mean: float
    half_width: float | None


def student_interval(values: Sequence[float], confidence: float = 0.95) -> Interval:
    """Mean of independent values (training seeds, or draws of one generator) with Student's t interval."""
    mean = float(np.mean(values))
    if len(values) < 2:
        return Interval(mean, None)
    quantile = stats.t.ppf((1 + confidence) / 2, len(values) - 1)
    return Interval(mean, float(quantile * np.std(values, ddof=1) / np.sqrt(len(values))))


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
    None where a subset is everything. Raises Mistake where a set is smaller than a subset.
    """
    fewest = min(len(a), len(b))
    if not 2 <= size <= fewest:
        raise Mistake(f"KID over subsets of {size} (at least 2) needs as many images on each side, not {fewest}")
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
    Raises Mistake for fewer images than splits.
    """
    if len(probabilities) < splits:
        raise Mistake(f"an Inception score over {splits} splits needs as many images, not {len(probabilities)}")
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
    Raises Mistake where a set has no k neighbours.
    """
    if min(len(real), len(fake)) <= k:
        raise Mistake(f"precision and recall need more than {k} images on each side, not {min(len(real), len(fake))}")
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


def squared_distances(a: np.ndarray, b: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Rows of the squared Euclidean distances float64 [M, N] of features [M, d] and [N, d], a block at a time.

    Products are taken in the features' own precision, as prdc and torch-fidelity do.
    """
    norms_a, norms_b = (np.square(each, dtype=np.float64).sum(1) for each in (a, b))
    start = 0
    for block in _blocks(a):
        rows = slice(start, start + len(block))
        distances = norms_a[rows, None] + norms_b - 2 * (block @ b.T)
        yield rows, np.maximum(distances, 0, out=distances)
        start = rows.stop


def _blocks(features: np.ndarray, size: int = 1000) -> Iterator[np.ndarray]:
    for start in range(0, len(features), size):
        yield features[start : start + size]


def class_histogram(probabilities: np.ndarray) -> list[int]:
    """How many images of class probabilities [N, K] fall into each of the K classes."""
    return [int(count) for count in np.bincount(probabilities.argmax(1), minlength=probabilities.shape[1])]


# All of it


LARGEST = 10_000  # images in a comparison of all pairs, whose cost grows with their square


def score(
    fake: np.ndarray,
    probabilities: np.ndarray,
    real: np.ndarray,
    reference: Moments,
    wanted: Sequence[str],
    distance: Callable[[Moments, Moments], float] = frechet_distance,
) -> dict[str, float | None]:
    """The wanted metrics (fid, fid-infinity, kid, is, prdc) of generated features [N, d] and their class probabilities [N, K].

    `real` are the features of which `reference` are the moments. Subsets are drawn at random, never the first ones.
    """
    found: dict[str, float | None] = {}
    if "fid" in wanted:
        found["fid"] = distance(moments(fake, reference.extractor), reference)
        found["fid_floor"] = floor(bias(reference.covariance), len(real), len(fake))
    if "fid-infinity" in wanted:
        found["fid_infinity"], found["fid_infinity_std"] = frechet_infinity(fake, reference)
    if "kid" in wanted:
        found["kid_subset"] = size = min(1000, len(fake) // 2, len(real) // 2)
        found["kid"], found["kid_std"], found["kid_error"] = kernel_distance(fake, real, size=size)
    if "is" in wanted:
        found["is"], found["is_std"] = inception_score(probabilities)
    if "prdc" in wanted:
        found |= manifold(_some(real), _some(fake))._asdict()
    return found


def _some(features: np.ndarray) -> np.ndarray:
    return features[np.random.default_rng(SEED).permutation(len(features))[:LARGEST]]
