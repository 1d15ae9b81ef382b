"""A folder of images as a dataset."""

from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from sagan_div.data.images import Split, divided
from sagan_div.errors import UserError

ENDINGS = {".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
LARGEST_SIDE = 256  # pixels at which images are kept


def load(root: Path) -> dict[str, Split]:
    """Images below a folder. Subfolders are classes; `train` and `test` folders at the top are the splits, else a seeded fifth.

    Images are cropped to their central square and kept at the smallest side among them, at most 256; grey if all are grey.
    """
    if not root.is_dir():
        raise UserError(f"{root}: there is no such folder of images; correct the path under `datasets`")
    parted = (root / "train").is_dir() and (root / "test").is_dir()
    tops = {"train": root / "train", "test": root / "test"} if parted else {"all": root}
    found = {split: _image_files(top) for split, top in tops.items()}
    pictures = {path: _opened(path) for paths in found.values() for path in paths}
    side = min(LARGEST_SIDE, *(min(picture.size) for picture in pictures.values()))
    grey = all(picture.mode == "L" for picture in pictures.values())
    classes = {split: [str(path.parent.relative_to(tops[split])) for path in paths] for split, paths in found.items()}
    known = sorted({name for names in classes.values() for name in names} - {"."})
    splits = {
        split: Split(np.stack([_square(pictures[path], side, grey) for path in paths]), _labels(classes[split], known))
        for split, paths in found.items()
    }
    return splits if parted else divided(*splits["all"])


def _image_files(top: Path) -> list[Path]:
    found = sorted(path for path in top.rglob("*") if path.suffix.lower() in ENDINGS and path.is_file())
    if len(found) < 2:
        raise UserError(f"{top}: holds {len(found)} images, at least 2 are needed ({', '.join(sorted(ENDINGS))})")
    return found


def _labels(names: list[str], known: list[str]) -> np.ndarray | None:
    """int64 [N]; None where there is but one class, or an image outside the classes' folders."""
    if len(known) < 2 or "." in names:
        return None
    return np.array([known.index(name) for name in names], np.int64)


def _opened(path: Path) -> Image.Image:
    try:
        with Image.open(path) as opened:
            picture = ImageOps.exif_transpose(opened)
            if picture.mode.startswith("I;16") or picture.mode in ("I", "F"):
                raise UserError(f"{path}: has more than 8 bits per channel, which would be clipped; convert it to 8 bits")
            return picture.convert("L" if picture.mode in ("1", "L", "LA") else "RGB")
    except (UnidentifiedImageError, OSError, Image.DecompressionBombError):
        raise UserError(f"{path}: is not an image that can be read; remove it or replace it") from None


def _square(picture: Image.Image, side: int, grey: bool) -> np.ndarray:
    square = ImageOps.fit(picture, (side, side), Image.Resampling.BILINEAR)
    pixels = np.asarray(square if grey else square.convert("RGB"))
    return pixels[None] if grey else pixels.transpose(2, 0, 1)
