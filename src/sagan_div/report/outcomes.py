"""A test of a claim on one dataset: the numbers behind it. `decisions` says what they decide."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from sagan_div.report import paper, stats, words
from sagan_div.report.paper import Test

Verdict = Literal["holds", "does not hold", "not decidable"]
Values = Mapping[tuple[str, str, str], Mapping[int, Any]]  # (dataset, method, measure) -> seed -> value
MARGIN = 0.10  # "close": the means differ by at most this share
PAIRS = 3  # the fewest shared seeds that are compared in pairs
NOUNS = {"fid": "FID", "cost": "timing", "unrest": "rated run"}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A test on one dataset, and the numbers behind it; None where there are none.

    `difference` is method - than, so that negative favours `lower`, and `relative` its share of than's mean. `by`: the test
    that decides. `p`: its two-sided p of no difference; of `close`, that of equivalence where the means are within the margin,
    else that of a difference beyond it. `p_holm`: corrected over the claim. `p_exact`: by sign flips (`paired`) or
    permutations. `interval`: 95 % t interval of the difference. `chance`: P(method < than). `floor`, `noise`: the FID of a
    perfect generator, and one standard deviation of what single checkpoints do to the difference; both stand beside it and
    decide nothing. `observed`: what the means alone say. Runs without a finite number count as infinite.
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
    by: str | None = None
    mean: float | None = None
    mean_than: float | None = None
    difference: float | None = None
    relative: float | None = None
    interval: tuple[float, float] | None = None
    p: float | None = None
    p_holm: float | None = None
    p_exact: float | None = None
    chance: float | None = None
    floor: float | None = None
    noise: float | None = None

    @property
    def in_words(self) -> str:
        """`SAGAN-div d < DCGAN`."""
        measure = {"fid": "", "cost": "time per image: ", "unrest": "unrest: "}[self.measure]
        form = {"lower": "{0} < {1}", "close": "{0} close to {1}", "steady": "{0} is steady"}[self.relation]
        return measure + form.format(paper.label(self.method), paper.label(self.than or ""))

    @property
    def beside(self) -> str:
        """What a small difference is read with: `noise of a checkpoint 0.31, perfect generator 0.11`."""
        named = {"noise of a checkpoint": self.noise, "perfect generator": self.floor}
        return ", ".join(f"{name} {words.number(value)}" for name, value in named.items() if value is not None)


def tested(test: Test, dataset: str, values: Values, datasets: Sequence[str]) -> Outcome:
    """The numbers of a test; where it has none, the reason says so. What needs no p value is decided."""
    blank = Outcome(dataset=dataset, relation=test.relation, measure=test.measure, method=test.method, than=test.than)
    if dataset not in datasets:
        return replace(blank, reason=f"{paper.dataset_label(dataset)} is not part of this study")
    makers: dict[str, Callable[[Outcome, Values], Outcome]] = {"lower": _lower, "close": _close, "steady": _steady}
    return makers[test.relation](blank, values)


def seeds_of(values: Values, dataset: str, method: str | None, measure: str) -> dict[int, Any]:
    """A measure of a method's seeds; empty where there are none."""
    return dict(values.get((dataset, str(method), measure), {}))


def sides(outcome: Outcome) -> tuple[str, str]:
    return outcome.method, str(outcome.than)


def _matched(values: Values, outcome: Outcome) -> tuple[list[float], list[float], bool]:
    """The numbers of both sides: of shared seeds, in pairs, where these are PAIRS or more and at least half of either side's
    seeds; else of all seeds, unpaired. Runs without a finite number are in no pair: they are ranked."""
    first, second = (seeds_of(values, outcome.dataset, name, outcome.measure) for name in sides(outcome))
    shared = sorted(first.keys() & second.keys())
    finite = all(map(math.isfinite, [*first.values(), *second.values()]))
    if finite and len(shared) >= PAIRS and 2 * len(shared) >= max(len(first), len(second)):
        return [first[seed] for seed in shared], [second[seed] for seed in shared], True
    return list(first.values()), list(second.values()), False


def _measured(outcome: Outcome, values: Values) -> Outcome:
    """The numbers of a comparison; where a method has none, the reason says so."""
    first, second, paired = _matched(values, outcome)
    for name, numbers in zip(sides(outcome), (first, second), strict=True):
        if not numbers:
            what = f"{NOUNS[outcome.measure]} on {paper.dataset_label(outcome.dataset)}"
            return replace(outcome, reason=f"{paper.label(name)} has no {what}")
    outcome = replace(
        outcome,
        seeds=len(first),
        seeds_than=len(second),
        paired=paired,
        mean=sum(first) / len(first),
        mean_than=sum(second) / len(second),
        chance=stats.chance_lower(first, second),
    )
    return _ranked(outcome, first, second) if math.inf in (*first, *second) else _compared(outcome, first, second)


def _compared(outcome: Outcome, first: list[float], second: list[float]) -> Outcome:
    """By t, with the exact p beside it."""
    assert outcome.mean is not None
    assert outcome.mean_than is not None
    found = stats.difference(first, second, outcome.paired)
    gap = outcome.mean - outcome.mean_than
    outcome = replace(outcome, difference=gap, relative=gap / outcome.mean_than if outcome.mean_than else None)
    if found is None:
        return outcome
    exact = stats.sign_flip([a - b for a, b in zip(first, second, strict=True)]) if outcome.paired else None
    return replace(
        outcome,
        by="paired t" if outcome.paired else "Welch’s t",
        interval=found.interval(),
        p=found.p,
        p_exact=stats.permutation(first, second) if exact is None else exact,
    )


def _ranked(outcome: Outcome, first: list[float], second: list[float]) -> Outcome:
    """By ranks, a run without a finite number behind all others: a mean that is infinite has no t."""
    several = min(len(first), len(second)) > 1
    return replace(outcome, by="ranks", p=stats.by_ranks(first, second) if several else None)


def _lower(outcome: Outcome, values: Values) -> Outcome:
    outcome = _measured(outcome, values)
    if outcome.chance is None or outcome.mean is None or outcome.mean_than is None:
        return outcome
    devices = {device for name in sides(outcome) for device in seeds_of(values, outcome.dataset, name, "device").values()}
    if outcome.measure == "cost" and len(devices) > 1:
        return replace(outcome, reason="the two were timed on different devices", p=None, p_exact=None)
    ahead = outcome.chance > 0.5 if outcome.by == "ranks" else outcome.mean < outcome.mean_than
    outcome = replace(outcome, observed="agrees" if ahead else "disagrees")
    if outcome.measure != "fid":
        return outcome
    return replace(outcome, floor=_floor(outcome, values), noise=_noise(outcome, values))


def _floor(outcome: Outcome, values: Values) -> float | None:
    floors = [floor for name in sides(outcome) for floor in seeds_of(values, outcome.dataset, name, "floor").values()]
    return max(floors, default=None)


def _noise(outcome: Outcome, values: Values) -> float | None:
    """What the noise of single checkpoints alone does to a difference of means over so many seeds: one standard deviation."""
    noises = [list(seeds_of(values, outcome.dataset, name, "noise").values()) for name in sides(outcome)]
    if not all(noises):
        return None
    squares = [sum(noise**2 for noise in each) / len(each) for each in noises]
    return math.sqrt(squares[0] / outcome.seeds + squares[1] / outcome.seeds_than)


def _close(outcome: Outcome, values: Values) -> Outcome:
    """Equivalence within the margin where the means are within it, else a difference beyond it."""
    outcome = _measured(outcome, values)
    if outcome.mean is None or outcome.mean_than is None or outcome.by == "ranks":
        return replace(outcome, observed="disagrees") if outcome.by == "ranks" else outcome
    if outcome.mean_than <= 0:
        return replace(outcome, reason=f"{paper.label(str(outcome.than))}’s mean is not above zero and has no shares")
    agrees = abs(outcome.mean / outcome.mean_than - 1) <= MARGIN
    outcome = replace(outcome, observed="agrees" if agrees else "disagrees", p=None, p_exact=None)
    first, second, paired = _matched(values, outcome)
    found = stats.equivalence(first, second, paired, MARGIN)
    if found is None:
        return replace(outcome, reason="one seed has no spread to judge closeness by")
    return replace(outcome, p=found.within if agrees else found.beyond)


def _steady(outcome: Outcome, values: Values) -> Outcome:
    held = {seed: bool(steady) for seed, steady in seeds_of(values, outcome.dataset, outcome.method, "steady").items()}
    where = f"{paper.label(outcome.method)} on {paper.dataset_label(outcome.dataset)}"
    if not held:
        return replace(outcome, reason=f"{where} has no rated run")
    fallen = [str(seed) for seed, steady in held.items() if not steady]
    end = "diverged, or ended in numbers that are not finite or at over twice its best rating"
    if fallen:
        reason = f"{where} {end}, seed {', '.join(fallen)}"
        return replace(outcome, verdict="does not hold", reason=reason, observed="disagrees", seeds=len(held))
    return replace(outcome, verdict="holds", reason=f"no run of {where} {end}", observed="agrees", seeds=len(held))
