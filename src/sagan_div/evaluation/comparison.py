"""What metrics compare: generated features with real ones, and what else a metric may need to know of either."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from sagan_div.evaluation.frechet import Moments, frechet_distance, moments
from sagan_div.evaluation.neighbours import Neighbours, nearest

SEED = 2020  # torch-fidelity's, of subsets and splits


@dataclass(frozen=True, eq=False)
class Training:
    """What copies are sought among, and how near images come that nobody has trained on."""

    features: np.ndarray  # of training images, [T, d]
    places: np.ndarray  # of these images in their file, int64 [T]
    held_out: np.ndarray  # distance of each held-out real image to its nearest training image, float64 [H]


@dataclass(frozen=True, eq=False)
class Repeated:
    """Features of images as the author's sampler stretches them, and how many distinct ones are written."""

    fake: np.ndarray  # [n, d]
    real: np.ndarray  # [m, d]
    counts: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class Pixels:
    """Spreads of grey levels (see `contrast`) of generated and of real images, and the features of plain grey [1, d]."""

    fake: Sequence[float]
    real: Sequence[float]
    grey: np.ndarray


@dataclass(frozen=True, eq=False)
class Comparison:
    """Generated features [N, d] with class probabilities [N, K] or none, real features [M, d] and their moments."""

    fake: np.ndarray
    probabilities: np.ndarray | None
    real: np.ndarray
    reference: Moments
    moments: Callable[[np.ndarray, str], Moments] = moments
    distance: Callable[[Moments, Moments], float] = frechet_distance
    bias: tuple[float, float] = (float("nan"), float("nan"))  # of FID, by formula and measured: see `floor`
    training: Training | None = None
    repeated: Repeated | None = None
    pixels: Pixels | None = None

    @cached_property
    def nearest(self) -> Neighbours:
        """The nearest training image of each generated one; `training` must be there."""
        assert self.training is not None
        return nearest(self.fake, self.training.features)
