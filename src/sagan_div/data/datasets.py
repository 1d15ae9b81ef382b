"""Datasets: fetch, verify, decode; uint8 images [N, C, H, W] and labels [N], a training and a test split."""

import gzip
import hashlib
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from sagan_div import files
from sagan_div.errors import UserError
from sagan_div.study.schema import DatasetConfig

MIRROR = "SAGAN_DIV_MIRROR"
TIMEOUT = 30  # seconds without a byte
IMAGE_ENDINGS = {".bmp", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
LARGEST_SIDE = 256  # pixels at which a folder's images are kept

Note = Callable[[str], None]


class Split(NamedTuple):
    """Images uint8 [N, C, H, W] and labels int64 [N]; no labels where the images carry none."""

    images: np.ndarray
    labels: np.ndarray | None


def load(dataset: DatasetConfig, mirror: str | None, note: Note) -> dict[str, Split]:
    """The `train` and `test` splits of a dataset.

    `mirror` (a folder or URL, else the environment's SAGAN_DIV_MIRROR) holds the archives of MNIST and Fashion-MNIST under
    `mnist/` and `fashion-mnist/`. Raises UserError for a missing network, a damaged archive, or an unusable folder.
    """
    if dataset.folder is not None:
        return _folder(Path(dataset.folder))
    if dataset.name == "digits":
        return _digits()
    return _archives(dataset.name, mirror or os.environ.get(MIRROR), note)


def resized(images: np.ndarray | Tensor, size: int) -> Tensor:
    """uint8 [N, C, H, W] -> uint8 [N, C, size, size], bilinear with antialiasing: torchvision's Resize, all at once."""
    tensor = torch.as_tensor(np.array(images)) if isinstance(images, np.ndarray) else images
    if tensor.shape[-2:] == (size, size):
        return tensor
    return torch.nn.functional.interpolate(tensor, size=(size, size), mode="bilinear", antialias=True)


def to_float(images: Tensor) -> Tensor:
    """uint8 -> float32 in [-1, 1], as the generator's tanh draws them."""
    return images.float().div(127.5).sub(1.0)


def shuffled(count: int, seed: int = 0) -> Tensor:
    """A seeded permutation. The first N of a file are no sample of it: the MNIST test file is ordered by difficulty."""
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed))


# --- MNIST and Fashion-MNIST -----------------------------------------------------------------------------------------


def _archives(name: str, mirror: str | None, note: Note) -> dict[str, Split]:
    from torchvision import datasets  # slow to import; only needed here

    published = {"mnist": datasets.MNIST, "fashion-mnist": datasets.FashionMNIST}[name]
    hosts = [f"{mirror.rstrip('/')}/{name}"] if mirror else published.mirrors
    decoded = []
    for file, md5 in published.resources:
        decoded.append(_idx(_verified(name, file, md5, hosts, bool(mirror), note), file))
    train_images, train_labels, test_images, test_labels = decoded
    return {
        "train": Split(train_images[:, None], train_labels.astype(np.int64)),
        "test": Split(test_images[:, None], test_labels.astype(np.int64)),
    }


def _verified(name: str, file: str, md5: str, hosts: list[str], mirrored: bool, note: Note) -> bytes:
    """The archive's bytes from the first host that has them whole. Nothing half-read is kept, so nothing is resumed wrong."""
    failures = []
    for host in hosts:
        source = f"{host.rstrip('/')}/{file}"
        note(f"{name}: fetching {source}")
        try:
            content = _bytes(source)
        except (OSError, ValueError) as error:
            failures.append(f"{source}: {getattr(error, 'reason', None) or getattr(error, 'strerror', None) or error}")
            continue
        found = hashlib.md5(content, usedforsecurity=False).hexdigest()
        if found == md5:
            return content
        failures.append(f"{source}: damaged or truncated, its MD5 is {found} and must be {md5}")
    mend = (
        f"put the whole file there or unset {MIRROR}"
        if mirrored
        else f"connect, or name a folder or URL by --mirror or {MIRROR}"
    )
    raise UserError(f"{name}: cannot fetch {file} ({'; '.join(failures)}); {mend}")


def _bytes(source: str) -> bytes:
    if "://" not in source:
        return Path(source).read_bytes()
    with urllib.request.urlopen(source, timeout=TIMEOUT) as response:
        content: bytes = response.read()
    return content


def _idx(archive: bytes, file: str) -> np.ndarray:
    """An IDX file of unsigned bytes (the format is described on MNIST's page): magic 0, 0, 8, rank; sizes; bytes."""
    content = gzip.decompress(archive)
    rank = content[3]
    if content[:3] != b"\0\0\x08":
        raise UserError(f"{file}: is not an IDX file of bytes")
    shape = np.frombuffer(content, ">i4", rank, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape)


# --- scikit-learn's digits -------------------------------------------------------------------------------------------


def _digits() -> dict[str, Split]:
    """scikit-learn's 1,797 handwritten digits of 8x8 pixels and 17 grey levels; a seeded fifth is the test split."""
    from sklearn.datasets import load_digits

    digits = load_digits()
    images = np.rint(digits.images * (255 / 16)).astype(np.uint8)[:, None]
    return _divided(images, digits.target.astype(np.int64))


def _divided(images: np.ndarray, labels: np.ndarray | None) -> dict[str, Split]:
    order = shuffled(len(images)).numpy()
    held_out = max(1, len(images) // 5)
    parts = {"train": order[held_out:], "test": order[:held_out]}
    return {name: Split(images[part], None if labels is None else labels[part]) for name, part in parts.items()}


# --- a folder of images ----------------------------------------------------------------------------------------------


def _folder(root: Path) -> dict[str, Split]:
    """Images below a folder. Subfolders are classes; `train` and `test` folders at the top are the splits, else a seeded fifth.

    Images are cropped to their central square and kept at the smallest side among them, at most 256; grey if all are grey.
    """
    if not root.is_dir():
        raise UserError(f"{root}: there is no such folder of images; correct the path under `datasets`")
    if (root / "train").is_dir() and (root / "test").is_dir():
        found = {split: list(_image_files(root / split)) for split in ("train", "test")}
    else:
        found = {"all": list(_image_files(root))}
    for split, paths in found.items():
        if len(paths) < 2:
            where = root if split == "all" else root / split
            raise UserError(f"{where}: holds {len(paths)} images, at least 2 are needed ({', '.join(sorted(IMAGE_ENDINGS))})")
    pictures = {path: _opened(path) for paths in found.values() for path in paths}
    side = min(LARGEST_SIDE, *(min(picture.size) for picture in pictures.values()))
    grey = all(picture.mode == "L" for picture in pictures.values())
    tops = {split: root if split == "all" else root / split for split in found}
    names = sorted({path.parent for split, paths in found.items() for path in paths if path.parent != tops[split]})
    classes = {name: i for i, name in enumerate(sorted({str(p.relative_to(_top(p, tops))) for p in names}))}
    splits = {}
    for split, paths in found.items():
        images = np.stack([_square(pictures[path], side, grey) for path in paths])
        labels = [classes.get(str(path.parent.relative_to(tops[split])), -1) for path in paths]
        labelled = len(classes) > 1 and min(labels) >= 0
        splits[split] = Split(images, np.array(labels, np.int64) if labelled else None)
    return splits if "all" not in splits else _divided(*splits["all"])


def _top(folder: Path, tops: dict[str, Path]) -> Path:
    return next(top for top in tops.values() if top in folder.parents)


def _image_files(root: Path) -> Iterator[Path]:
    yield from sorted(path for path in root.rglob("*") if path.suffix.lower() in IMAGE_ENDINGS and path.is_file())


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


# --- on disk ---------------------------------------------------------------------------------------------------------


def save(split: Split, images: Path, labels: Path) -> None:
    """Write a split as .npy files; a split without labels has an empty label file."""
    files.write_array(images, split.images)
    files.write_array(labels, np.empty(0, np.int64) if split.labels is None else split.labels)


def read_images(path: Path, size: int) -> Tensor:
    """Images of a split at the study's size: uint8 [N, C, size, size]."""
    images = files.read_array(path)
    if images.dtype != np.uint8 or images.ndim != 4:
        raise UserError(
            f"{path}: expected uint8 images [N, C, H, W], found {images.dtype} {list(images.shape)}; run `sagan-div data`"
        )
    return resized(images, size)


def read_labels(path: Path) -> Tensor | None:
    """Labels int64 [N] of a split, or None where it has none."""
    labels = files.read_array(path)
    return torch.from_numpy(labels) if len(labels) else None
