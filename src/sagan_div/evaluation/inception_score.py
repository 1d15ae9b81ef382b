"""The Inception score (Salimans et al. 2016, arXiv 1606.03498), by the class probabilities of any network."""

from itertools import pairwise
from typing import NamedTuple

import numpy as np
from scipy import special

from sagan_div.errors import UserError
from sagan_div.evaluation.comparison import SEED, Comparison
from sagan_div.evaluation.distances import check_finite


class InceptionScore(NamedTuple):
    """Mean and standard deviation over splits."""

    mean: float
    std: float


def measure(given: Comparison) -> InceptionScore:
    """Raises UserError for a feature space without classes."""
    if given.probabilities is None:
        raise UserError("the Inception score is of class probabilities, and this feature space knows no classes")
    return inception_score(given.probabilities)


def inception_score(probabilities: np.ndarray, splits: int = 10, seed: int = SEED) -> InceptionScore:
    """Inception score of class probabilities [N, K] over shuffled splits: between 1 and K.

    exp of the mean Kullback-Leibler divergence to the split's marginal. The order is torch-fidelity's.
    Raises UserError for fewer images than splits.
    """
    check_finite(probabilities)
    if len(probabilities) < splits:
        raise UserError(f"an Inception score over {splits} splits needs as many images, not {len(probabilities)}")
    shuffled = probabilities[np.random.RandomState(seed).permutation(len(probabilities))].astype(np.float64)
    edges = [i * len(shuffled) // splits for i in range(splits + 1)]
    parts = [shuffled[start:stop] for start, stop in pairwise(edges)]
    found = [np.exp(special.rel_entr(part, part.mean(0)).sum(1).mean()) for part in parts]
    return InceptionScore(float(np.mean(found)), float(np.std(found)))
