"""What is compared outside of a study: folders of images, our samples, or statistics of this tool or of pytorch-fid."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from PIL import Image, UnidentifiedImageError

from sagan_div import arrays, terminal
from sagan_div.errors import UserError
from sagan_div.evaluation.frechet import Moments
from sagan_div.evaluation.spaces.extractor import Extractor, Images, extract
from sagan_div.evaluation.statistics import load_statistics

ENDINGS = {".bmp", ".jpg", ".jpeg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}  # pytorch-fid's, in lower case


def read(path: Path) -> Moments | Images:
    """What lies at a place. Raises UserError where it is neither images nor statistics."""
    if path.is_dir():
        return Folder(path)
    with arrays.archive(path) as archive:
        if "images" not in archive:
            return load_statistics(path)
        images: np.ndarray = archive["images"]
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1] not in (1, 3):
        raise UserError(f"{path}: its images are {images.dtype} {images.shape}; uint8 [N, C, H, W] with C 1 or 3 is wanted")
    return images


def features(path: Path, images: Images, extractor: Extractor, batch_size: int, note: Callable[[str], None]) -> np.ndarray:
    """Features float32 [N, d] of the images of a place. Raises UserError."""
    if isinstance(images, Folder) and images.others:
        others = len(images.others)
        note(f"{path}: {others} files are no images to pytorch-fid and are left out, e.g. {images.others[0].name}")
    try:
        with terminal.bar(str(path), len(images)) as advance:
            found = extract(extractor, images, batch_size, lambda done: advance(done, ""))
    except UserError as error:
        raise UserError(f"{path}: {error}") from None
    count, dimensions = found.shape
    if count <= dimensions:
        note(
            f"{path}: {count} images give {dimensions} features no covariance of full rank, {dimensions + 1} would; "
            "compare the result only with results of as many images"
        )
    return found


class Folder:
    """The images in a folder that pytorch-fid would take, in its order; slices of it are uint8 [n, 3, H, W]."""

    def __init__(self, path: Path) -> None:
        """Raises UserError for a folder without images, and for images of several sizes."""
        entries = sorted(path.iterdir())
        self.files = [file for file in entries if file.suffix in ENDINGS]
        self.others = [file for file in entries if file.suffix not in ENDINGS]
        if not self.files:
            raise UserError(f"{path}: has no images ({', '.join(sorted(ENDINGS))}, in lower case)")
        first, size = self.files[0], _size(self.files[0])
        for file in self.files:
            if _size(file) != size:
                raise UserError(f"{file}: is {_size(file)} pixels, {first.name} is {size}; bring all images to one size")

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, chosen: slice) -> np.ndarray:
        return np.stack([_pixels(file) for file in self.files[chosen]])


def _size(file: Path) -> str:
    with _image(file) as image:
        return f"{image.width}x{image.height}"


def _pixels(file: Path) -> np.ndarray:
    with _image(file) as image:
        return np.asarray(image.convert("RGB")).transpose(2, 0, 1)


@contextmanager
def _image(file: Path) -> Iterator[Image.Image]:
    """An image file, open. Raises UserError for what is none, and for more than 8 bits, which pytorch-fid would clip."""
    try:
        with Image.open(file) as image:
            if image.mode.startswith(("I", "F")):
                raise UserError(f"{file}: has more than 8 bits per pixel; save it with 8")
            yield image
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError):
        raise UserError(f"{file}: is no intact image; repair it, or take it out of the folder") from None
