"""Every wanted metric of one comparison; what cannot be measured gives its reason instead of its numbers."""

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any

import numpy as np

from sagan_div.errors import UserError
from sagan_div.evaluation.comparison import Comparison
from sagan_div.study.metrics import Metric

Measure = Callable[[Comparison], Iterable[float | None]]


def score(given: Comparison, wanted: Iterable[Metric]) -> dict[str, Any]:
    """The numbers of the wanted metrics by their keys. Only the modules of these are imported."""
    found: dict[str, Any] = {}
    for metric in wanted:
        found |= attempt(metric, given)
    return found


def attempt(metric: Metric, given: Comparison) -> dict[str, Any]:
    """What a metric finds; where it cannot be had, None for each of its keys and the reason as `why_<metric>`."""
    measure: Measure = import_module(metric.module).measure
    names = [key.key for key in metric.keys]
    try:
        return dict(zip(names, map(_plain, measure(given)), strict=True))
    except UserError as error:
        return dict.fromkeys(names) | {f"why_{metric.name}": str(error)}


def _plain(number: float | None) -> float | None:
    """A number of JSON's, whatever kind of number NumPy made of it."""
    return number.item() if isinstance(number, np.generic) else number


def class_histogram(probabilities: np.ndarray) -> list[int]:
    """How many images of class probabilities [N, K] fall into each of the K classes."""
    return [int(count) for count in np.bincount(probabilities.argmax(1), minlength=probabilities.shape[1])]
