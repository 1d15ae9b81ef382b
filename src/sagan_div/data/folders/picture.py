"""One image file: what its header says, and its pixels, within limits that no file can break."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import ExifTags, Image, ImageFile, ImageOps, UnidentifiedImageError

from sagan_div.data.folders.budget import Budget
from sagan_div.settings import short

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")  # none that runs another program
LARGEST = 100_000_000  # pixels of an image
LARGEST_FILE = 2**29  # bytes; Pillow holds a whole WebP file in memory
SCANS = 100  # of a progressive JPEG, each of which takes the time of a whole image; encoders write about ten
BYTES = 8  # of memory for a pixel while it is decoded: four channels, and as much for their conversion
MEMORY = Budget(BYTES * LARGEST)  # of all images that are decoded at a time
Image.core.set_block_size(2**26)  # type: ignore[attr-defined]  # bytes; glibc gives back what is larger than 32 MiB
RAW_DEEP = re.compile(r";(16|32)[BLNS]?$")  # Pillow's name of raw pixels of more than 8 bits, of which it keeps the upper 8
DEEP = "has more than 8 bits per channel, which would be clipped; convert it to 8 bits"


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
def opened(path: Path) -> Iterator[ImageFile.ImageFile]:
    """An image file of which the header is read. Raises Unfit for what cannot be read, there and in the block."""
    try:
        if path.stat().st_size > LARGEST_FILE:
            raise Unfit(f"is a file of more than {LARGEST_FILE // 2**20} MiB")
        with Image.open(path, formats=FORMATS) as image:
            _refuse_beyond_limits(image, path)
            yield image
    except Unfit:
        raise
    except UnidentifiedImageError:
        raise Unfit("is not an image, or a damaged one") from None
    except Image.DecompressionBombError:
        raise Unfit(f"has more than {LARGEST // 1_000_000} million pixels") from None
    except FileNotFoundError:
        raise Unfit("is a link that leads nowhere") from None
    except OSError as error:
        raise Unfit(f"is not an image that can be read whole ({short(error.strerror or str(error))})") from None
    except Exception as error:  # Pillow's decoders raise whatever a damaged file leads them to
        raise Unfit(f"is not an image that can be read whole ({short(str(error) or type(error).__name__)})") from None


def _refuse_beyond_limits(image: ImageFile.ImageFile, path: Path) -> None:
    if image.width * image.height > LARGEST:
        raise Unfit(f"has {image.width:,} x {image.height:,} pixels, more than {LARGEST // 1_000_000} million")
    if image.mode.startswith(("I", "F")):
        raise Unfit(DEEP)
    if image.info.get("progressive") and path.read_bytes().count(b"\xff\xda") > SCANS:
        raise Unfit(f"is a JPEG of more than {SCANS} scans")


def has_several(image: ImageFile.ImageFile) -> bool:
    """Whether there are frames or pages beyond the first. The second picture of MPO is for screens that show more."""
    return getattr(image, "is_animated", False) and image.format != "MPO"


def is_deep(image: ImageFile.ImageFile) -> bool:
    """Whether there are more than 8 bits per channel, by what a decoder is told; that of PPM is told the largest value."""
    told = [tile.args if isinstance(tile.args, tuple) else (tile.args,) for tile in image.tile]
    return any(RAW_DEEP.search(str(first)) or (image.format == "PPM" and rest and int(rest[-1]) > 255) for first, *rest in told)


def is_turned(image: ImageFile.ImageFile) -> bool:
    """Whether EXIF says that the image is to be shown turned; damaged EXIF says nothing."""
    try:
        return "exif" in image.info and image.getexif().get(ExifTags.Base.Orientation, 1) != 1
    except Exception:  # as above
        return False


def header(path: Path) -> Header:
    """What an image file that can be used as it is says of itself. Raises Unfit."""
    with opened(path) as image:
        if has_several(image):
            raise Unfit("has several frames or pages")
        if is_deep(image):
            raise Unfit(DEEP)
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
            image.close()  # its memory is free before the next one takes it
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
