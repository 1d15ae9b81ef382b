"""One image file: what its header says, and its pixels, within limits that no file can break."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from sagan_div.data.folders.budget import Budget
from sagan_div.settings import short

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")  # none that runs another program
LARGEST = 100_000_000  # pixels of an image
LARGEST_FILE = 2**29  # bytes; Pillow holds a whole WebP file in memory
SCANS = 100  # of a progressive JPEG, each of which takes the time of a whole image; encoders write about ten
BYTES = 8  # of memory for a pixel while it is decoded: four channels, and as much for their conversion
MEMORY = Budget(BYTES * LARGEST)  # of all images that are decoded at a time
DEEP = re.compile(r";(16|32)[BLNS]?$")  # Pillow's name of raw pixels of more than 8 bits, of which it keeps the upper 8


class Unfit(Exception):  # noqa: N818
    """Why an image cannot be used: words that follow its name."""


class Header(NamedTuple):
    """What an image file says of itself."""

    width: int
    height: int
    grey: bool

    @property
    def side(self) -> int:
        """Of the central square, which is what is used."""
        return min(self.width, self.height)


@contextmanager
def opened(path: Path, several_frames: bool = False) -> Iterator[ImageFile.ImageFile]:
    """An image file of which the header is read. Raises Unfit for what cannot be used, there and in the block."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise Unfit(f"is a file of more than {LARGEST_FILE // 2**20} MiB")
        with Image.open(path, formats=FORMATS) as image:
            _refuse_unfit(image, path, several_frames)
            yield image
    except Unfit:
        raise
    except UnidentifiedImageError:
        raise Unfit("is not an image that can be read, or damaged in its header") from None
    except Image.DecompressionBombError:
        raise Unfit(f"has more than {LARGEST // 1_000_000} million pixels") from None
    except OSError as error:
        raise Unfit(f"is not an image that can be read whole ({short(error.strerror or str(error))})") from None
    except Exception as error:  # Pillow's decoders raise whatever a damaged file leads them to
        raise Unfit(f"is not an image that can be read whole ({short(str(error) or type(error).__name__)})") from None


def _refuse_unfit(image: ImageFile.ImageFile, path: Path, several_frames: bool) -> None:
    if image.width * image.height > LARGEST:
        raise Unfit(f"has {image.width:,} x {image.height:,} pixels, more than {LARGEST // 1_000_000} million")
    if image.mode.startswith(("I", "F")) or any(_is_deep(image, tile.args) for tile in image.tile):
        raise Unfit("has more than 8 bits per channel, which would be clipped; convert it to 8 bits")
    # a photo in the format MPO has another picture of the same scene behind it, for screens that show more
    if getattr(image, "is_animated", False) and image.format != "MPO" and not several_frames:
        raise Unfit("has several frames or pages")
    if image.info.get("progressive") and path.read_bytes().count(b"\xff\xda") > SCANS:
        raise Unfit(f"is a JPEG of more than {SCANS} scans")


def _is_deep(image: Image.Image, arguments: object) -> bool:
    """Whether a decoder's arguments speak of more than 8 bits per channel; those of PPM end with the largest value."""
    first, *others = arguments if isinstance(arguments, tuple) else (arguments,)
    return bool(DEEP.search(str(first))) or bool(image.format == "PPM" and others and int(others[-1]) > 255)


def header(path: Path) -> Header:
    """Raises Unfit."""
    with opened(path) as image:
        return Header(*image.size, image.mode in ("1", "L", "LA", "La"))


def pixels(path: Path, side: int, grey: bool, background: str) -> np.ndarray:
    """The central square of an image, upright, at `side` pixels, on a background: uint8 [C, side, side]. Raises Unfit.

    A JPEG is decoded at the power of two of its size that is still twice as large.
    """
    with opened(path) as image:
        whole = image.width * image.height
        image.draft(None, (2 * side, 2 * side))
        with MEMORY.held(BYTES * (whole if image.info.get("progressive") else image.width * image.height)):
            ImageOps.exif_transpose(image, in_place=True)
            square = ImageOps.fit(_as_bands(image), (side, side), Image.Resampling.BILINEAR)
        if square.mode in ("LA", "RGBA"):
            ground = Image.new("RGBA", square.size, background)
            ground.alpha_composite(square.convert("RGBA"))
            square = ground
        found = np.asarray(square.convert("L" if grey else "RGB"))
        return found[None] if grey else found.transpose(2, 0, 1)


def _as_bands(image: Image.Image) -> Image.Image:
    """An image of one band or three, and one more where something is transparent: what can be resized."""
    grey = image.mode in ("1", "L", "LA", "La")
    if image.has_transparency_data:
        wanted = "LA" if grey and "transparency" not in image.info else "RGBA"
    else:
        wanted = "L" if grey else "RGB"
    return image if image.mode == wanted else image.convert(wanted)
