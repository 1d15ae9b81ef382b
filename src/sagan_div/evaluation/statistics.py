"""Statistics of features in files: pytorch-fid's .npz, with what else scores compare with beside them."""

import io
from pathlib import Path

import numpy as np

from sagan_div import arrays
from sagan_div.errors import UserError
from sagan_div.evaluation.frechet import Moments

NO_MOMENTS = Moments(0, np.zeros(0), np.zeros((0, 0)))  # of a space that is not there


def save_statistics(path: Path, statistics: Moments, **beside: np.ndarray) -> None:
    """Write moments as pytorch-fid's .npz (`mu`, `sigma`), with count, extractor and further arrays `beside` them."""
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
            raise UserError(f"{path}: holds no statistics (arrays mu and sigma), but {', '.join(archive) or 'nothing'}")
        count, extractor = int(archive.get("count", 0)), str(archive.get("extractor", ""))
        found = Moments(count, archive["mu"], archive["sigma"], extractor)
    shapes = found.mean.shape, found.covariance.shape
    if {found.mean.dtype.kind, found.covariance.dtype.kind} != {"f"} or shapes != (
        (len(found.covariance),),
        (len(found.mean),) * 2,
    ):
        raise UserError(f"{path}: mu and sigma have the shapes {shapes[0]} and {shapes[1]}, not (d,) and (d, d) of floats")
    if not (np.isfinite(found.mean).all() and np.isfinite(found.covariance).all()):
        raise UserError(f"{path}: its statistics are not finite; make them again from intact images")
    return _checked(path, Moments(count, found.mean.astype(np.float64), found.covariance.astype(np.float64), extractor))


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
