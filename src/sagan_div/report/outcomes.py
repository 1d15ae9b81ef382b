"""A test of a claim on one dataset: the numbers behind it, and what they decide.

A test ends in *holds* or *does not hold* when the seeds decide it at 5 % after Holm's correction over the claim's comparisons,
else in *not decidable* with the reason.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import pandas as pd

from sagan_div.report import paper, stats
from sagan_div.report.paper import Test

Verdict = Literal["holds", "does not hold", "not decidable"]
MARGIN = 0.10  # "close": the means differ by at most this share
NOUNS = {"fid": "FID", "cost": "timing", "unrest": "rated run"}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A test on one dataset, and the numbers behind it; None where there are none.

    `difference` is method - than, so that negative favours `lower`, and `relative` its share of than's mean. `interval`: 95 % t
    interval of the difference. `p`: exact, by sign flips where at least two seeds are shared (`paired`), else by permutations;
    `p_holm`: corrected over the claim. `chance`: P(method < than). `floor`, `noise`: what a difference must exceed to mean
    anything. `observed`: what the means alone say.
    """

    dataset: str
    relation: str
    measure: str
    method: str
    than: str | None
    verdict: Verdict = "not decidable"
    reason: str = ""
    observed: Literal["agrees", "disagrees", "nothing"] = "nothing"
    seeds: int = 0
    seeds_than: int = 0
    paired: bool = False
    mean: float | None = None
    mean_than: float | None = None
    difference: float | None = None
    relative: float | None = None
    interval: tuple[float, float] | None = None
    p: float | None = None
    p_holm: float | None = None
    chance: float | None = None
    floor: float | None = None
    noise: float | None = None

    @property
    def in_words(self) -> str:
        """`SAGAN-div d < DCGAN`."""
        measure = {"fid": "", "cost": "time per image: ", "unrest": "unrest: "}[self.measure]
        form = {"lower": "{0} < {1}", "close": "{0} close to {1}", "steady": "{0} is steady"}[self.relation]
        return measure + form.format(paper.label(self.method), paper.label(self.than or ""))


def tested(test: Test, dataset: str, values: pd.DataFrame, datasets: Sequence[str]) -> Outcome:
    """A test before Holm's correction: its numbers, and the verdict where it needs no p value."""
    blank = Outcome(dataset=dataset, relation=test.relation, measure=test.measure, method=test.method, than=test.than)
    if dataset not in datasets:
        return replace(blank, reason=f"{paper.dataset_label(dataset)} is not part of this study")
    makers: dict[str, Callable[[Outcome, pd.DataFrame], Outcome]] = {"lower": _lower, "close": _close, "steady": _steady}
    return makers[test.relation](blank, values)


def corrected(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Holm over a claim's comparisons, and the verdict of each."""
    tested = [outcome for outcome in outcomes if outcome.relation == "lower" and outcome.observed != "nothing"]
    adjusted = iter(stats.holm([1.0 if outcome.p is None else outcome.p for outcome in tested]))
    return [_decided(replace(each, p_holm=next(adjusted)), len(tested)) if each in tested else each for each in outcomes]


def seeds_of(values: pd.DataFrame, dataset: str, method: str | None, measure: str) -> pd.Series:
    """A measure of a method's seeds, indexed by seed, less the missing."""
    cells = values.index
    here = (cells.get_level_values("dataset") == dataset) & (cells.get_level_values("method") == method)
    return values.loc[here, measure].droplevel(["dataset", "method"]).dropna()


def _measured(outcome: Outcome, values: pd.DataFrame) -> Outcome:
    """The numbers of a comparison; where a method has none, the reason says so."""
    first, second = (seeds_of(values, outcome.dataset, name, outcome.measure).astype(float) for name in _sides(outcome))
    for name, series in zip(_sides(outcome), (first, second), strict=True):
        if series.empty:
            what = f"{NOUNS[outcome.measure]} on {paper.dataset_label(outcome.dataset)}"
            return replace(outcome, reason=f"{paper.label(name)} has no {what}")
    shared = first.index.intersection(second.index)
    if len(shared) >= 2:
        first, second = first[shared], second[shared]
    return _compared(outcome, list(first), list(second), len(shared) >= 2)


def _sides(outcome: Outcome) -> tuple[str, str]:
    return outcome.method, str(outcome.than)


def _compared(outcome: Outcome, first: list[float], second: list[float], paired: bool) -> Outcome:
    mean, mean_than = sum(first) / len(first), sum(second) / len(second)
    gaps = [a - b for a, b in zip(first, second, strict=True)] if paired else []
    return replace(
        outcome,
        seeds=len(first),
        seeds_than=len(second),
        paired=paired,
        mean=mean,
        mean_than=mean_than,
        difference=mean - mean_than,
        relative=(mean - mean_than) / mean_than if mean_than else None,
        interval=stats.interval(gaps) if paired else stats.welch(first, second),
        p=stats.sign_flip(gaps) if paired else stats.permutation(first, second),
        chance=stats.chance_lower(first, second),
    )


def _lower(outcome: Outcome, values: pd.DataFrame) -> Outcome:
    outcome = _measured(outcome, values)
    if outcome.difference is None:
        return outcome
    devices = {device for name in _sides(outcome) for device in seeds_of(values, outcome.dataset, name, "device")}
    if outcome.measure == "cost" and len(devices) > 1:
        return replace(outcome, reason="the two were timed on different devices")
    outcome = replace(outcome, observed="agrees" if outcome.difference < 0 else "disagrees")
    if outcome.measure != "fid":
        return outcome
    return replace(outcome, floor=_floor(outcome, values), noise=_noise(outcome, values))


def _floor(outcome: Outcome, values: pd.DataFrame) -> float | None:
    floors = [floor for name in _sides(outcome) for floor in seeds_of(values, outcome.dataset, name, "floor")]
    return max(floors, default=None)


def _noise(outcome: Outcome, values: pd.DataFrame) -> float | None:
    """What the noise of single checkpoints alone does to a difference of means over so many seeds: one standard deviation."""
    noises = [seeds_of(values, outcome.dataset, name, "noise").astype(float) for name in _sides(outcome)]
    if any(series.empty for series in noises):
        return None
    counts = (outcome.seeds, outcome.seeds_than)
    return math.sqrt(sum(float((series**2).mean()) / count for series, count in zip(noises, counts, strict=True)))


def _close(outcome: Outcome, values: pd.DataFrame) -> Outcome:
    """Equivalence: the whole t interval of the difference within the margin, or the whole of it beyond."""
    outcome = _measured(outcome, values)
    if outcome.relative is None or outcome.mean_than is None:
        return outcome
    share, scale = outcome.relative, outcome.mean_than
    outcome = replace(outcome, observed="agrees" if abs(share) <= MARGIN else "disagrees")
    if outcome.interval is None:
        return replace(outcome, reason="one seed has no spread to judge closeness by")
    verdict, where = _against_margin(outcome.interval[0] / scale, outcome.interval[1] / scale)
    names = [paper.label(name) for name in _sides(outcome)]
    mean = f"{names[0]}’s mean lies {abs(share):.0%} {'below' if share < 0 else 'above'} {names[1]}’s"
    place = f"on {paper.dataset_label(outcome.dataset)}"
    return replace(outcome, verdict=verdict, reason=f"{place} {mean}, with its 95 % interval {where} {MARGIN:.0%}")


def _against_margin(low: float, high: float) -> tuple[Verdict, str]:
    if max(abs(low), abs(high)) <= MARGIN:
        return "holds", "within"
    return ("does not hold", "wholly beyond") if high < -MARGIN or low > MARGIN else ("not decidable", "reaching across")


def _steady(outcome: Outcome, values: pd.DataFrame) -> Outcome:
    held = seeds_of(values, outcome.dataset, outcome.method, "steady").astype(bool)
    where = f"{paper.label(outcome.method)} on {paper.dataset_label(outcome.dataset)}"
    if held.empty:
        return replace(outcome, reason=f"{where} has no rated run")
    fallen = [str(seed) for seed in held.index[~held]]
    end = "ended in numbers that are not finite or at over twice its best rating"
    if fallen:
        reason = f"{where} {end}, seed {', '.join(fallen)}"
        return replace(outcome, verdict="does not hold", reason=reason, observed="disagrees", seeds=len(held))
    return replace(outcome, verdict="holds", reason=f"no run of {where} {end}", observed="agrees", seeds=len(held))


def _decided(outcome: Outcome, tests: int) -> Outcome:
    reason = _undecidable(outcome, tests)
    if reason:
        return replace(outcome, reason=reason)
    verdict: Verdict = "holds" if outcome.observed == "agrees" else "does not hold"
    names = " < ".join(paper.label(name) for name in _sides(outcome))
    return replace(outcome, verdict=verdict, reason=f"{names} on {paper.dataset_label(outcome.dataset)}: {_p(outcome, tests)}")


def _p(outcome: Outcome, tests: int) -> str:
    return f"p = {outcome.p_holm:.2g}" + (f" after Holm over {tests}" if tests > 1 else "")


def _undecidable(outcome: Outcome, tests: int) -> str | None:
    """Why these runs cannot decide a comparison, or None where they do."""
    least = stats.smallest_p(outcome.seeds, outcome.seeds_than, outcome.paired)
    few = min(outcome.seeds, outcome.seeds_than)
    if few < 2:
        return "one seed has no spread"
    if least > stats.ALPHA:
        return f"{few} seeds cannot give a p below {least:.2g}: too few for {stats.ALPHA:g}"
    if outcome.p_holm is not None and outcome.p_holm > stats.ALPHA:
        return f"not distinguishable, {_p(outcome, tests)}{_more_needed(least, tests)}"
    return _too_small(abs(outcome.difference or 0.0), outcome)


def _more_needed(least: float, tests: int) -> str:
    """What would be needed, where even the clearest result could not have passed."""
    return (
        f", which needs {stats.pairs_needed(tests)} paired seeds to reach {stats.ALPHA:g}"
        if least * tests > stats.ALPHA
        else ""
    )


def _too_small(gap: float, outcome: Outcome) -> str | None:
    if outcome.floor is not None and gap <= outcome.floor:
        return f"the difference of {gap:.3g} is within the floor of {outcome.floor:.3g} that a perfect generator would score"
    if outcome.noise is not None and gap <= outcome.noise:
        return f"the difference of {gap:.3g} is within the checkpoint noise of {outcome.noise:.3g}"
    return None
