"""Gaussians of features, and the Fréchet distances between them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import linalg

from sagan_div.errors import UserError
from sagan_div.evaluation.distances import blocks, check_finite

NEGATIVE = 1e-4  # of the largest eigenvalue: what statistics in float32 may have below zero


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
        """R [d, r] with R R' = covariance: the deviations, Cholesky's, or scaled eigenvectors where that fails.

        Raises UserError for a matrix that is no covariance: asymmetric, or with eigenvalues below zero.
        """
        if self.deviations is not None:
            return self.deviations
        _check_symmetric(self.covariance)
        alive = np.flatnonzero(self.covariance.any(0))
        part = _square_root(self.covariance[np.ix_(alive, alive)])
        root = np.zeros((len(self.mean), part.shape[1]))
        root[alive] = part
        return root


def _square_root(covariance: np.ndarray) -> np.ndarray:
    if not len(covariance):
        return covariance
    try:
        return np.asarray(linalg.cholesky(covariance, lower=True))
    except linalg.LinAlgError:
        values, vectors = linalg.eigh(covariance)
        if values.min() < -NEGATIVE * abs(values).max():
            raise UserError(
                f"sigma is no covariance: it has the eigenvalue {values.min():.3g}; make the statistics again"
            ) from None
        kept = values > rounding(values)
        return np.asarray(vectors[:, kept] * np.sqrt(values[kept]))


def _check_symmetric(covariance: np.ndarray) -> None:
    """Raises UserError for a matrix that is another when it is transposed, beyond rounding."""
    if abs(covariance - covariance.T).max(initial=0) > NEGATIVE * abs(covariance).max(initial=0):
        raise UserError("sigma is no covariance: it is not symmetric; make the statistics again")


def rounding(eigenvalues: np.ndarray) -> float:
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
        """Take in a batch of features [B, d]. Raises UserError for features that are not finite."""
        check_finite(features)
        values = features.astype(np.float64)
        if self.count == 0:
            self.pilot = values.mean(0)
        values -= self.pilot
        self.count += len(values)
        self.total += values.sum(0)
        self.outer += values.T @ values

    def moments(self, extractor: str = "") -> Moments:
        """The moments so far. Raises UserError for fewer than two features."""
        if self.count < 2:
            raise UserError(f"the covariance of {self.count} image is not defined; give at least 2")
        shift = self.total / self.count
        covariance = (self.outer - self.count * np.outer(shift, shift)) / (self.count - 1)
        return Moments(self.count, self.pilot + shift, covariance, extractor)


def moments(features: np.ndarray, extractor: str = "") -> Moments:
    """Moments of features [N, d], N >= 2; `extractor` is the identity of their space.

    Raises UserError for a single feature, and for features that are not finite.
    """
    streaming = Streaming(features.shape[1])
    for block in blocks(features):
        streaming.add(block)
    found = streaming.moments(extractor)
    if len(features) > features.shape[1]:
        return found
    deviations = (features.astype(np.float64) - found.mean).T / np.sqrt(found.count - 1)
    return Moments(found.count, found.mean, found.covariance, extractor, deviations)


def frechet_distance(a: Moments, b: Moments) -> float:
    """Squared Fréchet distance of two Gaussians, |m - n|^2 + tr A + tr B - 2 tr (A B)^(1/2) (Dowson and Landau 1982).

    Rounding can make it slightly negative for equal arguments. Raises UserError for statistics that can't be compared.
    """
    check_comparable(a, b)
    shift = a.mean - b.mean
    return float(shift @ shift + np.trace(a.covariance) + np.trace(b.covariance) - 2 * _overlap(a, b))


def check_comparable(a: Moments, b: Moments) -> None:
    """Raises UserError for statistics of different dimensions or extractors, and for those of nothing."""
    if not a.mean.size or not b.mean.size:
        raise UserError("statistics of no features cannot be compared; make them again from images")
    if a.mean.shape != b.mean.shape:
        raise UserError(f"statistics of {len(a.mean)} and of {len(b.mean)} features cannot be compared; use one extractor")
    if a.extractor and b.extractor and a.extractor != b.extractor:
        raise UserError(f"statistics of {a.extractor} and of {b.extractor} cannot be compared; use one extractor")


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
