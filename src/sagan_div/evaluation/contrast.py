"""What tells samples that show nothing: contrast, variety and grain beside real images', and the FID of plain grey.

A generator at its start draws grey: untrained ones of all seven methods lie within 8 % of plain grey's FID on MNIST, and FID,
precision and density alone can flatter it (SNGAN's grey squares on Fashion-MNIST: precision 0.98).
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor

from sagan_div.evaluation.comparison import Comparison
from sagan_div.evaluation.frechet import Moments

CHUNK = 500  # images whose squares are held at once


class Spread(NamedTuple):
    """Standard deviations of grey levels over all pixels of all images and between images at the same place, and the root mean
    square of the steps between neighbouring pixels."""

    pixels: float
    images: float
    steps: float


def spread(images: Tensor) -> Spread:
    """Of uint8 [N, C, H, W]; exact sums, so that equal images give a spread of 0."""
    total, squares = (np.zeros(images.shape[1:], dtype=np.int64) for _ in range(2))
    steps = 0
    for start in range(0, len(images), CHUNK):
        chunk = images[start : start + CHUNK].numpy().astype(np.int64)
        total += chunk.sum(0)
        squares += (chunk**2).sum(0)
        steps += sum(int((np.diff(chunk, axis=axis) ** 2).sum()) for axis in (2, 3))
    between = squares * len(images) - total**2
    every = int(squares.sum()) * images.numel() - int(total.sum()) ** 2
    return Spread(every**0.5 / images.numel(), float(np.sqrt(between.mean()) / len(images)), (steps / images.numel()) ** 0.5)


def plain_grey(images: Tensor) -> Tensor:
    """One image of the middle grey, of these images' shape: uint8 [1, C, H, W]."""
    return torch.full((1, *images.shape[1:]), 127, dtype=torch.uint8)


def measure(given: Comparison) -> Iterator[float | None]:
    """Contrast, variety and grain as shares of real images', and the FID that plain grey alone would have; None if unknown."""
    pixels = given.pixels
    for ours, real in zip(pixels.fake, pixels.real, strict=True) if pixels else ((None, None),) * 3:
        yield ours / real if ours is not None and real else None
    yield of_one_image(pixels.grey, given.reference) if pixels else None


def of_one_image(features: np.ndarray, reference: Moments) -> float:
    """The FID of features [1, d] without any spread: the squared distance of the means, and all of the reference's variance."""
    return float(((features[0] - reference.mean) ** 2).sum() + np.trace(reference.covariance))
