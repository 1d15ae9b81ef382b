"""Images as arrays: splits of a dataset in memory and on the disk, at the study's size, in the network's range."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sagan_div import arrays
from sagan_div.errors import UserError


class Split(NamedTuple):
    """Images uint8 [N, C, H, W] and labels int64 [N]; no labels where the images carry none."""

    images: np.ndarray
    labels: np.ndarray | None


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


def divided(images: np.ndarray, labels: np.ndarray | None) -> dict[str, Split]:
    """A seeded fifth of images [N, C, H, W] as the test split, the rest as the training split."""
    order = shuffled(len(images)).numpy()
    held_out = max(1, len(images) // 5)
    parts = {"train": order[held_out:], "test": order[:held_out]}
    return {name: Split(images[part], None if labels is None else labels[part]) for name, part in parts.items()}


def save(split: Split, images: Path, labels: Path) -> None:
    """Write a split as .npy files; a split without labels has an empty label file."""
    arrays.write(images, split.images)
    arrays.write(labels, np.empty(0, np.int64) if split.labels is None else split.labels)


def read_images(path: Path, size: int) -> Tensor:
    """Images of a split at the study's size: uint8 [N, C, size, size]. Raises UserError."""
    images = arrays.read(path)
    if images.dtype != np.uint8 or images.ndim != 4:
        raise UserError(
            f"{path}: expected uint8 images [N, C, H, W], found {images.dtype} {list(images.shape)}; run `sagan-div data`"
        )
    return resized(images, size)


def read_labels(path: Path) -> Tensor | None:
    """Labels int64 [N] of a split, or None where it has none."""
    labels = arrays.read(path)
    return torch.from_numpy(labels) if len(labels) else None
