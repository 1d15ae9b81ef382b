"""Does a generator copy its training images? Fréchet distances cannot tell: copies have the best one there is.

What counts is not how near samples lie to training images, but whether they lie nearer than images do that nobody has
trained on: held-out ones. (Meehan et al. 2020, arXiv 2004.05675, compare the same distances.)
"""

from typing import NamedTuple

import numpy as np

from sagan_div.errors import UserError
from sagan_div.evaluation.comparison import Comparison


class Memorisation(NamedTuple):
    """Honest samples have a `nearer` of 1/2, a `share` of `level`, and a `z` around 0, far below it when they copy."""

    share: float  # of samples nearer to a training image than all but the nearest `level` of held-out images are
    level: float
    nearer: float  # probability that a sample is nearer to a training image than a held-out image is
    z: float  # of the Mann-Whitney test of the same


def measure(given: Comparison) -> Memorisation:
    """Raises UserError where the comparison has no training images."""
    if given.training is None:
        raise UserError("memorisation is judged by training images, and these statistics have none; use classifier features")
    return memorisation(given.nearest.distances, given.training.held_out)


def memorisation(samples: np.ndarray, held_out: np.ndarray, level: float = 0.01) -> Memorisation:
    """Compare distances to the nearest training image: of samples [N], and of held-out real images [M].

    Raises UserError where there are no samples, no held-out images to compare with, or distances that are no numbers.
    """
    if not len(samples):
        raise UserError("memorisation is judged by samples, and there are none; draw some first")
    if not len(held_out):
        raise UserError("memorisation is judged by held-out images, and there are none; the dataset needs a test split")
    if not (np.isfinite(samples).all() and np.isfinite(held_out).all()):
        raise UserError("some distances are not finite; the network's weights or the images are damaged")
    threshold = np.quantile(held_out, level)
    nearer = 1 - _mann_whitney_u(samples, held_out) / (len(samples) * len(held_out))
    spread = np.sqrt((len(samples) + len(held_out) + 1) / (12 * len(samples) * len(held_out)))
    return Memorisation(float((samples < threshold).mean()), level, float(nearer), float((0.5 - nearer) / spread))


def _mann_whitney_u(a: np.ndarray, b: np.ndarray) -> float:
    """How many pairs have a value of a above one of b, ties counted by half (Mann and Whitney 1947)."""
    ordered = np.sort(b)
    return float(sum(np.searchsorted(ordered, a, side).sum() for side in ("left", "right")) / 2)
