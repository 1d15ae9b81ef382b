"""What is compared outside of a study: folders of images, our samples, or statistics of this tool or of pytorch-fid."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from sagan_div import arrays, terminal
from sagan_div.data.folders.parallel import each
from sagan_div.data.folders.picture import Unfit, has_several, is_deep, is_turned, opened
from sagan_div.errors import UserError
from sagan_div.evaluation.frechet import Moments
from sagan_div.evaluation.spaces.extractor import Extractor, Images, extract
from sagan_div.evaluation.statistics import load_statistics
from sagan_div.image_files import counted, few, shown

ENDINGS = {".bmp", ".jpg", ".jpeg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}  # pytorch-fid's, in lower case


def read(path: Path) -> Moments | Images:
    """What lies at a place. Raises UserError where it is neither images nor statistics."""
    if path.is_dir():
        return Folder(path)
    with arrays.archive(path) as archive:
        if "images" not in archive:
            return load_statistics(path)
        images: np.ndarray = archive["images"]
    if images.dtype != np.uint8 or images.ndim != 4 or images.shape[1] not in (1, 3) or 0 in images.shape:
        raise UserError(
            f"{shown(path)}: its images are {images.dtype} {images.shape}; uint8 [N, C, H, W] with C 1 or 3 is wanted"
        )
    return images


def features(path: Path, images: Images, extractor: Extractor, batch_size: int, note: Callable[[str], None]) -> np.ndarray:
    """Features float32 [N, d] of the images of a place. Raises UserError."""
    if isinstance(images, Folder):
        _say_what_is_left_out(path, images, note)
    try:
        with terminal.bar(shown(path), len(images)) as advance:
            found = extract(extractor, images, batch_size, lambda done: advance(done, ""))
    except UserError as error:
        raise UserError(f"{shown(path)}: {error}") from None
    count, dimensions = found.shape
    if count <= dimensions:
        note(
            f"{shown(path)}: {count} images give {dimensions} features no covariance of full rank, {dimensions + 1} would; "
            "compare the result only with results of as many images"
        )
    return found


def _say_what_is_left_out(path: Path, folder: "Folder", note: Callable[[str], None]) -> None:
    if folder.others:
        names = few([Path(file.name) for file in folder.others])
        note(f"{shown(path)}: {len(folder.others)} files are no images to pytorch-fid and are left out: {names}")
    for what, files in folder.ignored.items():
        names = few([Path(file.name) for file in files])
        note(f"{shown(path)}: as pytorch-fid does, {what} of {counted(len(files), 'image')} is left out of account: {names}")


class Folder:
    """The images in a folder that pytorch-fid would take, in its order; slices of it are uint8 [n, 3, H, W]."""

    def __init__(self, path: Path) -> None:
        """Raises UserError for a folder without images, and for images that cannot be read or are of several sizes."""
        try:
            entries = sorted(path.iterdir())
        except OSError as error:
            raise UserError(f"{shown(path)}: cannot be read ({error.strerror}); let yourself read it") from None
        self.files = [file for file in entries if file.suffix in ENDINGS]
        self.others = [file for file in entries if file.suffix not in ENDINGS]
        if not self.files:
            raise UserError(f"{shown(path)}: has no images ({', '.join(sorted(ENDINGS))}, in lower case)")
        self.ignored: dict[str, list[Path]] = {}  # what images have that pytorch-fid has no eye for
        unfit, sizes = dict[Path, str](), dict[Path, str]()
        for file, found in each(f"{shown(path)}: headers", self.files, _header):
            if isinstance(found, Unfit):
                unfit[file] = str(found)
                continue
            sizes[file], beyond = found
            for what in beyond:
                self.ignored.setdefault(what, []).append(file)
        _refuse(path, unfit)
        first = self.files[0]
        _refuse(
            path,
            {file: f"is {size} pixels, {first.name} is {sizes[first]}" for file, size in sizes.items() if size != sizes[first]},
        )

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, chosen: slice) -> np.ndarray:
        return np.stack([_pixels(file) for file in self.files[chosen]])


def _refuse(path: Path, unfit: dict[Path, str]) -> None:
    """Raises UserError that names the first few of a folder's files, with the reason."""
    if len(unfit) == 1:
        ((file, why),) = unfit.items()
        raise UserError(f"{shown(file)}: {why}; mend it, or take it out of the folder")
    if unfit:
        names = few({Path(file.name): why for file, why in unfit.items()})
        raise UserError(
            f"{shown(path)}: {len(unfit):,} files cannot be used: {names}; mend them, or take them out of the folder"
        )


def _header(file: Path) -> tuple[str, list[str]] | Unfit:
    """The size of an image, and what else it has that pytorch-fid has no eye for."""
    try:
        with opened(file) as image:
            beyond = {
                "frames or pages behind the first": has_several(image),
                "bits beyond the upper 8": is_deep(image),
                "transparency": image.has_transparency_data,
                "a turn in EXIF": is_turned(image),
            }
            return f"{image.width}x{image.height}", [what for what, there in beyond.items() if there]
    except Unfit as why:
        return why


def _pixels(file: Path) -> np.ndarray:
    try:
        with opened(file) as image:
            return np.asarray(image.convert("RGB")).transpose(2, 0, 1)
    except Unfit as why:
        raise UserError(f"{shown(file.name)}: {why}; mend it, or take it out of the folder") from None
