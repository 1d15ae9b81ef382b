"""How many times one method's FID is another's, with what the seeds say of it. On a logarithm a half is as far as a double."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sagan_div.report import paper, stats
from sagan_div.report.claims import Judgement
from sagan_div.report.gather import Results
from sagan_div.report.outcomes import Outcome

Pair = tuple[str, str]  # lower, higher, as the paper has them


class Ratio(NamedTuple):
    """A ratio of geometric means over seeds, and the ends of its 95 % t interval, None below two seeds."""

    value: float
    ends: tuple[float, float] | None


def ratio(first: Sequence[float], second: Sequence[float], paired: bool) -> Ratio | None:
    """first / second by the logarithms of positive numbers: of pairs by Student's t, else by Welch's; None without any."""
    if not len(first) or not len(second):
        return None
    logs = np.log(first), np.log(second)
    gap = stats.difference(logs[0].tolist(), logs[1].tolist(), paired)
    ends = gap and gap.interval()
    return Ratio(math.exp(logs[0].mean() - logs[1].mean()), ends and (_exp(ends[0]), _exp(ends[1])))


def _exp(value: float) -> float:
    return math.exp(min(value, 700.0))


def of_outcome(results: Results, outcome: Outcome, extractor: str | None) -> Ratio | None:
    """The ratio behind a comparison of FIDs, of the seeds that the comparison is of; None where it has no finite numbers."""
    if extractor is None or outcome.relative is None:
        return None
    first, second = (results.fids(outcome.dataset, str(name), extractor) for name in (outcome.method, outcome.than))
    if outcome.paired:
        shared = first.index.intersection(second.index)
        first, second = first[shared], second[shared]
    return ratio(first.tolist(), second.tolist(), outcome.paired)


def comparisons(judgements: Sequence[Judgement], dataset: str) -> dict[Pair, Outcome]:
    """The comparisons of FIDs on a dataset, once each, by (lower, higher)."""
    outcomes = [outcome for judgement in judgements for outcome in judgement.outcomes]
    chosen = [each for each in outcomes if each.dataset == dataset and each.measure == "fid" and each.than]
    return {(outcome.method, str(outcome.than)): outcome for outcome in chosen}


def in_words(pair: Pair) -> str:
    """`SAGAN-div d : DCGAN`."""
    return " : ".join(map(paper.label, pair))


def marks(results: Results, dataset: str, pair: Pair) -> str:
    """What runs of either side are marked with: `SNGAN: not left its start`."""
    said = {paper.label(method): results.marks(dataset, method) for method in pair}
    return "; ".join(f"{label}: {marks}" for label, marks in said.items() if marks)
