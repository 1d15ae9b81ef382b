"""Images as arrays: splits of a dataset in memory and on the disk, at the study's size, in the network's range."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sagan_div import arrays
from sagan_div.data.randomness import permutation
from sagan_div.errors import UserError

FIXED = 2**22  # Pillow's fixed point for 8 bits


class Split(NamedTuple):
    """Images uint8 [N, C, H, W] and labels int64 [N]; no labels where the images carry none."""

    images: np.ndarray
    labels: np.ndarray | None


def resized(images: np.ndarray | Tensor, size: int) -> Tensor:
    """uint8 [N, C, H, W] -> uint8 [N, C, size, size]: Pillow's bilinear resize, torchvision's too, all at once.

    First along rows, as Pillow does for images no higher than wide. PyTorch's own may be off by a grey level.
    """
    tensor = torch.as_tensor(np.array(images)) if isinstance(images, np.ndarray) else images
    if tensor.shape[-2:] == (size, size):
        return tensor
    return torch.cat([_along_rows(_along_rows(part, size).mT, size).mT.contiguous() for part in torch.split(tensor, 1000)])


def _along_rows(images: Tensor, size: int) -> Tensor:
    """uint8 [N, C, H, W] -> uint8 [N, C, H, size] by weights in fixed point; their products are exact in float64."""
    if images.shape[-1] == size:
        return images
    sums = images.double() @ _weights(images.shape[-1], size).T
    return sums.add(FIXED / 2).div(FIXED).floor().clamp(0, 255).to(torch.uint8)


def _weights(count: int, size: int) -> Tensor:
    """What each of `count` pixels weighs in each of `size`, [size, count]: whole numbers over FIXED.

    Pillow's precompute_coeffs and normalize_coeffs_8bpc (src/libImaging/Resample.c) for a triangle as wide as a pixel.
    """
    scale = count / size
    width = max(scale, 1.0)
    centres = (np.arange(size)[:, None] + 0.5) * scale
    places = np.arange(count)
    inside = (places >= np.trunc(centres - width + 0.5)) & (places < np.trunc(centres + width + 0.5))
    weights = np.where(inside, np.maximum(1 - abs((places - centres + 0.5) * (1 / width)), 0), 0)
    return torch.from_numpy(np.trunc(weights / weights.sum(1, keepdims=True) * FIXED + 0.5))


def to_float(images: Tensor) -> Tensor:
    """uint8 -> float32 in [-1, 1], as the generator's tanh draws them."""
    return images.float().div(127.5).sub(1.0)


def shuffled(count: int, seed: int = 0) -> Tensor:
    """A seeded permutation. The first N of a file are no sample of it: the MNIST test file is ordered by difficulty."""
    return permutation(seed, "images", 0, count)


class Parts(NamedTuple):
    """Places of training images, int64, which share none: no image both chooses a generator and judges it (A25)."""

    scores: Tensor  # that any score, reference or distance of real images may use, in random order
    rating: Tensor  # that rate generators while they train


def parts(count: int, rating_count: int) -> Parts:
    """The training images by their use, the same for all methods and seeds: a seeded permutation's last ones rate.

    Raises UserError where ratings would leave none for scores.
    """
    if rating_count >= count:
        raise UserError(f"train.rating_count: {rating_count:,} images for ratings leave none of {count:,} for scores; lower it")
    order = shuffled(count)
    return Parts(order[: count - rating_count], order[count - rating_count :])


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
