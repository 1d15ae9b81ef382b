"""FID between two places, as the pytorch-fid command has it: folders of images, our samples, or statistics of either tool."""

from collections.abc import Callable
from pathlib import Path

from sagan_div import terminal
from sagan_div.errors import UserError
from sagan_div.evaluation.arithmetic import DISTANCE, MOMENTS
from sagan_div.evaluation.frechet import Moments
from sagan_div.evaluation.places import features, read
from sagan_div.evaluation.spaces.extractor import Device, Extractor, Images
from sagan_div.evaluation.spaces.inception import inception_extractor
from sagan_div.study.schema import Mode


def fid(
    a: Path,
    b: Path,
    weights: Path | None,
    device: Device,
    mode: Mode = "fast",
    batch_size: int = 50,
    note: Callable[[str], None] = terminal.note,
) -> float:
    """FID of two places: a folder of images, samples (.npz with uint8 `images` [N, C, H, W]) or statistics (.npz).

    `exact` prints the digits of the pytorch-fid command, given the same weights, thread count and device; `fast` is within
    1e-5 of them. The weights are needed only where there are images. Raises UserError.
    """
    places = {path: read(path) for path in (a, b)}
    if any(not isinstance(found, Moments) for found in places.values()):
        if weights is None:
            raise UserError(f"{a}, {b}: images need Inception's weights; give them with --weights FILE")
        extractor = inception_extractor(weights, device, mode)
        places |= {
            path: _measured(path, found, extractor, mode, batch_size, note)
            for path, found in places.items()
            if not isinstance(found, Moments)
        }
    try:
        return DISTANCE[mode](places[a], places[b])  # type: ignore[arg-type]
    except UserError as error:
        raise UserError(f"{a}, {b}: {error}") from None


def _measured(
    path: Path, images: Images, extractor: Extractor, mode: Mode, batch_size: int, note: Callable[[str], None]
) -> Moments:
    found = features(path, images, extractor, batch_size, note)
    try:
        return MOMENTS[mode](found, extractor.identity)
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
