"""The paper's claims against the runs of a study: frames of numbers in, verdicts out. Reads no file and knows no layout.

A claim is a conjunction of tests (paper.yaml), each made on each of its datasets. A test ends in *holds* or *does not hold*
when the seeds decide it at 5 % after Holm's correction over the claim's comparisons, else in *not decidable* with the reason.
A claim holds when all of its tests hold, and does not hold as soon as one does not.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

import pandas as pd

from sagan_div.report import paper, stats
from sagan_div.report.paper import Claim, Test

Verdict = Literal["holds", "does not hold", "not decidable"]
MARGIN = 0.10  # "close": the means differ by at most this share
EXTRACTORS = ("inception", "classifier")  # a claim is judged by the first that was measured (the paper's own, else ours),
# and once more by the other where both were
NOUNS = {"fid": "FID", "cost": "timing", "unrest": "rated run"}
CELL = ["dataset", "method", "seed"]
MEASURED = ["fid", "floor", "noise"], ["cost", "unrest", "steady", "device"]


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


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A claim with its verdict, the outcomes behind it, and per dataset the share of resampled seeds in the paper's order.

    `elsewhere`: the same claim by FID in the other feature space, where that was measured as well.
    """

    number: int
    text: str
    where: str
    extractor: str | None
    verdict: Verdict
    reason: str
    observed: str
    outcomes: tuple[Outcome, ...]
    order_share: dict[str, float | None]
    elsewhere: "tuple[Judgement, ...]" = ()


def judge(scores: pd.DataFrame, runs: pd.DataFrame, datasets: Sequence[str]) -> list[Judgement]:
    """Every claim of the paper, by FID in the first of EXTRACTORS that was measured on the paper’s datasets, then the other.

    `scores`: columns dataset, method, seed, extractor, fid and, where known, floor (real against real) and noise (of a single
    checkpoint). `runs`: columns dataset, method, seed and, where known, cost, unrest, steady, device. `datasets`: the study's.
    """
    known = scores[scores["dataset"].isin(list(paper.facts()["datasets"]))].dropna(subset=["fid"])
    measured = [name for name in EXTRACTORS if (known["extractor"] == name).any()]
    first, others = next(iter(measured), None), measured[1:]
    values = {extractor: joined(scores, runs, extractor) for extractor in (first, *others)}
    return [
        replace(
            judged(claim, values[first], datasets, first),
            elsewhere=tuple(judged(claim, values[other], datasets, other) for other in others if _about_scores(claim)),
        )
        for claim in paper.claims()
    ]


def _about_scores(claim: Claim) -> bool:
    return any(test.measure == "fid" and test.relation != "steady" for test in claim.tests)


def joined(scores: pd.DataFrame, runs: pd.DataFrame, extractor: str | None) -> pd.DataFrame:
    """The scores of one extractor and the runs as one frame, a row per (dataset, method, seed)."""
    chosen = scores[scores["extractor"] == extractor].reindex(columns=[*CELL, *MEASURED[0]])
    return chosen.merge(runs.reindex(columns=[*CELL, *MEASURED[1]]), on=CELL, how="outer").set_index(CELL).sort_index()


def judged(claim: Claim, values: pd.DataFrame, datasets: Sequence[str], extractor: str | None) -> Judgement:
    """One claim by `values` (of `joined`)."""
    places = list(paper.facts()["datasets"])
    planned = [(test, dataset) for test in claim.tests for dataset in ([test.only] if test.only else places)]
    outcomes = _corrected([_outcome(test, dataset, values, datasets) for test, dataset in planned])
    verdict, reason = _conclusion(outcomes)
    return Judgement(
        number=claim.number,
        text=claim.text,
        where=claim.where,
        extractor=extractor,
        verdict=verdict,
        reason=reason,
        observed=_observed(outcomes),
        outcomes=tuple(outcomes),
        order_share={dataset: _share(claim, values, dataset) for dataset in places if claim.order},
    )


def as_json(judgements: Sequence[Judgement]) -> list[dict[str, Any]]:
    """Judgements as plain data, numbers that are not finite as null."""
    plain: list[dict[str, Any]] = _finite([asdict(judgement) for judgement in judgements])
    return plain


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(entry) for entry in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _of(values: pd.DataFrame, dataset: str, method: str | None, measure: str) -> pd.Series:
    """A measure of a method's seeds, indexed by seed, less the missing."""
    cells = values.index
    here = (cells.get_level_values("dataset") == dataset) & (cells.get_level_values("method") == method)
    return values.loc[here, measure].droplevel(["dataset", "method"]).dropna()


def _outcome(test: Test, dataset: str, values: pd.DataFrame, datasets: Sequence[str]) -> Outcome:
    """A test before Holm's correction: its numbers, and the verdict where it needs no p value."""
    blank = Outcome(dataset=dataset, relation=test.relation, measure=test.measure, method=test.method, than=test.than)
    if dataset not in datasets:
        return replace(blank, reason=f"{paper.dataset_label(dataset)} is not part of this study")
    makers: dict[str, Callable[[Outcome, pd.DataFrame], Outcome]] = {"lower": _lower, "close": _close, "steady": _steady}
    return makers[test.relation](blank, values)


def _measured(outcome: Outcome, values: pd.DataFrame) -> Outcome:
    """The numbers of a comparison; where a method has none, the reason says so."""
    first, second = (_of(values, outcome.dataset, name, outcome.measure).astype(float) for name in _sides(outcome))
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
    devices = {device for name in _sides(outcome) for device in _of(values, outcome.dataset, name, "device")}
    if outcome.measure == "cost" and len(devices) > 1:
        return replace(outcome, reason="the two were timed on different devices")
    outcome = replace(outcome, observed="agrees" if outcome.difference < 0 else "disagrees")
    if outcome.measure != "fid":
        return outcome
    return replace(outcome, floor=_floor(outcome, values), noise=_noise(outcome, values))


def _floor(outcome: Outcome, values: pd.DataFrame) -> float | None:
    floors = [floor for name in _sides(outcome) for floor in _of(values, outcome.dataset, name, "floor")]
    return max(floors, default=None)


def _noise(outcome: Outcome, values: pd.DataFrame) -> float | None:
    """What the noise of single checkpoints alone does to a difference of means over so many seeds: one standard deviation."""
    noises = [_of(values, outcome.dataset, name, "noise").astype(float) for name in _sides(outcome)]
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
    held = _of(values, outcome.dataset, outcome.method, "steady").astype(bool)
    where = f"{paper.label(outcome.method)} on {paper.dataset_label(outcome.dataset)}"
    if held.empty:
        return replace(outcome, reason=f"{where} has no rated run")
    fallen = [str(seed) for seed in held.index[~held]]
    end = "ended in numbers that are not finite or at over twice its best rating"
    if fallen:
        reason = f"{where} {end}, seed {', '.join(fallen)}"
        return replace(outcome, verdict="does not hold", reason=reason, observed="disagrees", seeds=len(held))
    return replace(outcome, verdict="holds", reason=f"no run of {where} {end}", observed="agrees", seeds=len(held))


def _corrected(outcomes: Sequence[Outcome]) -> list[Outcome]:
    """Holm over a claim's comparisons, and the verdict of each."""
    tested = [outcome for outcome in outcomes if outcome.relation == "lower" and outcome.observed != "nothing"]
    adjusted = iter(stats.holm([1.0 if outcome.p is None else outcome.p for outcome in tested]))
    return [_decided(replace(each, p_holm=next(adjusted)), len(tested)) if each in tested else each for each in outcomes]


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
        return f"the difference of {gap:.3g} is within the floor of {outcome.floor:.3g} that real images have among themselves"
    if outcome.noise is not None and gap <= outcome.noise:
        return f"the difference of {gap:.3g} is within the checkpoint noise of {outcome.noise:.3g}"
    return None


def _conclusion(outcomes: Sequence[Outcome]) -> tuple[Verdict, str]:
    """A conjunction: one failed test decides it, and all must hold for it to hold."""
    verdicts: tuple[Verdict, ...] = ("does not hold", "not decidable")
    for verdict in verdicts:
        reasons = list(dict.fromkeys(outcome.reason for outcome in outcomes if outcome.verdict == verdict))
        if reasons:
            return verdict, "; ".join(reasons[:3]) + (f"; and {len(reasons) - 3} more" if len(reasons) > 3 else "")
    return "holds", "every test of it holds"


def _observed(outcomes: Sequence[Outcome]) -> str:
    """What the means alone say, decided or not."""
    seen = [outcome.observed for outcome in outcomes if outcome.observed != "nothing"]
    return f"{seen.count('agrees')} of {len(seen)} tests point the paper’s way" if seen else "there is nothing to see yet"


def _share(claim: Claim, values: pd.DataFrame, dataset: str) -> float | None:
    table = pd.DataFrame({method: _of(values, dataset, method, "fid") for method in claim.order})
    return stats.order_share(table, claim.order)
