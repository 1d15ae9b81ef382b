"""Statistics of features in files: pytorch-fid's .npz, with what else scores compare with beside them."""

import io
from pathlib import Path

import numpy as np

from sagan_div import arrays
from sagan_div.errors import UserError
from sagan_div.evaluation.frechet import Moments

MOST = 8192  # features: beyond, roots of covariances take minutes and gigabytes
HUGE = 1e30  # a float32 squared would be infinite not far above
NO_MOMENTS = Moments(0, np.zeros(0), np.zeros((0, 0)))  # of a space that is not there


def save_statistics(path: Path, statistics: Moments, **beside: np.ndarray) -> None:
    """Write moments as pytorch-fid's .npz (`mu`, `sigma`), with count, extractor and further arrays `beside` them.

    Raises UserError for statistics that `load_statistics` would refuse for their size.
    """
    _check_size(path, statistics.mean)
    arrays.write_archive(path, **_own(statistics), **beside)


def statistics_file(statistics: Moments) -> bytes:
    """The bytes of a file of moments alone."""
    content = io.BytesIO()
    np.savez(content, **_own(statistics))  # type: ignore[arg-type]
    return content.getvalue()


def _own(statistics: Moments) -> dict[str, np.ndarray]:
    found = {
        "mu": statistics.mean,
        "sigma": statistics.covariance,
        "count": statistics.count,
        "extractor": statistics.extractor,
    }
    return {name: np.asarray(value) for name, value in found.items()}


def load_statistics(path: Path) -> Moments:
    """Moments in float64 from an .npz of ours or of pytorch-fid, whatever its precision. Raises UserError."""
    with arrays.archive(path) as archive:
        if not {"mu", "sigma"} <= archive.keys():
            raise UserError(f"{path}: holds no statistics (arrays mu and sigma), but {archive}")
        count, extractor = archive.get("count", np.array(0)), archive.text("extractor")
        mean, covariance = archive["mu"], archive["sigma"]
    if count.dtype.kind not in "iu" or count.ndim or count < 0:
        raise UserError(f"{path}: its count is no whole number; make the statistics again")
    shapes = mean.shape, covariance.shape
    if {mean.dtype.kind, covariance.dtype.kind} != {"f"} or mean.ndim != 1 or shapes[1] != 2 * shapes[0]:
        raise UserError(f"{path}: mu and sigma have the shapes {shapes[0]} and {shapes[1]}, not (d,) and (d, d) of floats")
    _check_size(path, mean)
    with np.errstate(over="ignore"):
        mean, covariance = mean.astype(np.float64), covariance.astype(np.float64)
    if not all((abs(values) < HUGE).all() for values in (mean, covariance)):
        raise UserError(f"{path}: its statistics are not finite, or beyond {HUGE:g}; make them again from intact images")
    return _checked(path, Moments(int(count), mean, covariance, extractor))


def _check_size(path: Path, mean: np.ndarray) -> None:
    if len(mean) > MOST:
        raise UserError(f"{path}: statistics of {len(mean):,} features; at most {MOST:,} are compared, choose another space")


def _checked(path: Path, statistics: Moments) -> Moments:
    """Statistics whose root is had, which is kept for the distance. Raises UserError where their covariance has none."""
    try:
        _ = statistics.root
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    return statistics


def load_beside(path: Path, name: str) -> np.ndarray:
    """An array that was saved beside statistics. Raises UserError."""
    with arrays.archive(path) as archive:
        if name not in archive:
            raise UserError(f"{path}: has no array {name}; delete it and run `sagan-div reference`")
        found: np.ndarray = archive[name]
        return found
