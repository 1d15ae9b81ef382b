"""Fréchet distances between real images and other real ones, and between few images of any kind."""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np
from torch import Tensor

from sagan_div.evaluation.author_sampler import copies, repeated, stretched
from sagan_div.evaluation.frechet import Moments, frechet_distance, moments

Sampler = Literal["distinct", "repeat-last-batch"]
SAMPLERS: dict[Sampler, Callable[[Tensor], Tensor]] = {  # what each does to an image before it is written
    "distinct": lambda images: images,
    "repeat-last-batch": stretched,
}
Pair = Literal["train-train", "train-test"]


def blockwise(a: np.ndarray, b: np.ndarray, count: int, draws: int, sampler: Sampler) -> list[float]:
    """Fréchet distances between the first `count` features of a [M, d] and of b [N, d], between the next `count`, and so on.

    Blocks share no image. There are `draws` of them, or as many as the shorter side has. With `repeat-last-batch` each
    feature, of a stretched image, counts as often as the author's code wrote the image.
    """
    blocks = [slice(i * count, (i + 1) * count) for i in range(min(draws, len(a) // count, len(b) // count))]
    return [distance(a[block], b[block], sampler) for block in blocks]


def distance(a: np.ndarray, b: np.ndarray, sampler: Sampler) -> float:
    """The Fréchet distance of features [M, d] and [N, d] as a sampler would have written their images."""
    return frechet_distance(_moments(a, sampler), _moments(b, sampler))


def _moments(features: np.ndarray, sampler: Sampler) -> Moments:
    once = moments(features)
    return once if sampler == "distinct" else repeated(once, copies(len(features)))


class RealVsReal(NamedTuple):
    """Fréchet distances between `images` real images and as many others: a value for every block."""

    pair: Pair
    sampler: Sampler
    images: int
    fids: list[float]


def real_vs_real(train: np.ndarray, test: np.ndarray, counts: Sequence[int], draws: int, sampler: Sampler) -> list[RealVsReal]:
    """Real against real: features of the two halves of `train` [M, d], and of its first half against `test` [N, d].

    Both in a random order, since the files of MNIST are sorted. Counts that a side does not have are left out.
    """
    first, second = np.array_split(train, 2)
    pairs: dict[Pair, np.ndarray] = {"train-train": second, "train-test": test}
    found = [
        RealVsReal(pair, sampler, count, blockwise(first, other, count, draws, sampler))
        for pair, other in pairs.items()
        for count in counts
    ]
    return [each for each in found if each.fids]
