"""The two ways to compute FID: ours, and pytorch-fid's to the last bit."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from sagan_div.errors import UserError
from sagan_div.evaluation import frechet
from sagan_div.evaluation.frechet import Moments
from sagan_div.study.schema import Mode


def exact_moments(features: np.ndarray, extractor: str = "") -> Moments:
    """Moments as pytorch-fid computes them, to the last bit. Raises UserError as `frechet.moments` does."""
    values = features.astype(np.float64)
    if len(values) < 2 or not np.isfinite(values).all():
        return frechet.moments(features, extractor)
    return Moments(len(values), np.mean(values, axis=0), np.cov(values, rowvar=False), extractor)


def exact_distance(a: Moments, b: Moments) -> float:
    """pytorch-fid's own Fréchet distance, to the last bit: the order of the arguments matters there. Raises UserError."""
    frechet.check_comparable(a, b)
    try:
        from pytorch_fid import fid_score
    except ImportError:
        raise UserError("pytorch-fid is not installed; `pip install 'sagan-div[study]'`") from None
    try:
        with _disp(fid_score.linalg):
            return float(fid_score.calculate_frechet_distance(a.mean, a.covariance, b.mean, b.covariance))
    except ValueError as error:
        raise UserError(f"pytorch-fid cannot take the root of these covariances ({error}); use --mode fast") from None


@contextmanager
def _disp(linalg: Any) -> Iterator[None]:
    """pytorch-fid asks sqrtm for a pair with `disp=False`, which SciPy 1.18 has no more: for the moment it has it again."""
    sqrtm = linalg.sqrtm
    if "disp" not in inspect.signature(sqrtm).parameters:
        linalg.sqrtm = lambda matrix, disp=True: sqrtm(matrix) if disp else (sqrtm(matrix), None)
    try:
        yield
    finally:
        linalg.sqrtm = sqrtm


MOMENTS: dict[Mode, Callable[[np.ndarray, str], Moments]] = {"fast": frechet.moments, "exact": exact_moments}
DISTANCE: dict[Mode, Callable[[Moments, Moments], float]] = {"fast": frechet.frechet_distance, "exact": exact_distance}
