"""samples.npz: the images that a study draws from a generator."""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from sagan_div import arrays
from sagan_div.errors import UserError


def save_samples(path: Path, images: Tensor, why: str | None = None) -> None:
    """Write samples.npz: `images` uint8 [N, C, S, S], and `why` there are none. Equal samples give equal bytes."""
    reason = {} if why is None else {"why": np.array(why)}
    arrays.write_archive(path, images=images.numpy(), **reason)


def why_none(path: Path) -> str | None:
    """Why samples.npz has no images, or None where it has some."""
    with arrays.archive(path) as archive:
        return archive.text("why") if "why" in archive else None


def load_samples(path: Path) -> Tensor:
    """uint8 [N, C, S, S]. Raises UserError where the file is missing, damaged or of another layout."""
    with arrays.archive(path) as archive:
        images, names = archive.get("images"), str(archive)
    if images is None or images.dtype != np.uint8 or images.ndim != 4:
        raise UserError(f"{path}: expected `images` as uint8 [N, C, H, W]; found {names}")
    return torch.from_numpy(images)
