"""The paper's claims against the runs of a study: frames of numbers in, verdicts out. Reads no file and knows no layout.

A claim is a conjunction of tests (paper.yaml), each made on each of its datasets (`outcomes`); `decisions` says when it holds.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import pandas as pd

from sagan_div.report import decisions, paper, prose, stats, words
from sagan_div.report.outcomes import Outcome, Values, Verdict, seeds_of, tested
from sagan_div.report.paper import Claim

EXTRACTORS = ("inception", "classifier")  # the paper's own, and ours
CELL = ["dataset", "method", "seed"]
OF_SCORES, OF_RUNS = ["fid", "floor", "noise"], ["cost", "unrest", "steady", "device", "diverged", "mark"]


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A claim with its verdict, the outcomes behind it, and per dataset the share of resampled seeds in the paper's order.

    `scope`: what the verdict is about and does not go beyond. `remarks`: what a reader of it must know: where the exact test
    disagrees, and marked runs among those compared. `elsewhere`: the same claim by FID in the other feature spaces.
    """

    number: int
    text: str
    where: str
    extractor: str | None
    scope: str
    verdict: Verdict
    reason: str
    observed: str
    remarks: tuple[str, ...]
    outcomes: tuple[Outcome, ...]
    order_share: dict[str, float | None]
    elsewhere: "tuple[Judgement, ...]" = ()


def judge(scores: pd.DataFrame, runs: pd.DataFrame, datasets: Sequence[str], budget: str = "at this budget") -> list[Judgement]:
    """Every claim of the paper by FID, in the first of `spaces`, then in the others.

    `scores`: columns dataset, method, seed, extractor, fid and, where known, floor (of a perfect generator) and noise (of a
    single checkpoint). `runs`: columns dataset, method, seed and, where known, cost, unrest, steady, device, diverged (images
    at which; a run without a FID then counts as worse than any number) and mark (see `marks`). `datasets`: the study's.
    """
    measured = spaces(scores)
    first, others = next(iter(measured), None), measured[1:]
    values = {extractor: gathered(scores, runs, extractor) for extractor in (first, *others)}
    return [
        replace(
            judged(claim, values[first], datasets, first, budget),
            elsewhere=tuple(judged(claim, values[other], datasets, other, budget) for other in others if _about_scores(claim)),
        )
        for claim in paper.claims()
    ]


def spaces(scores: pd.DataFrame) -> list[str]:
    """The feature spaces in which FIDs of the paper's datasets are measured, the one to judge by first.

    That is the paper's own, then the classifier, then others; but one in which cells are still missing never comes before one
    that has more, so that no verdict rests on the part of a study that happens to be measured.
    """
    known = scores[scores["dataset"].isin(list(paper.facts()["datasets"]))].dropna(subset=["fid"])
    counts = known.groupby("extractor", sort=True).size().to_dict()
    places = {name: place for place, name in enumerate(EXTRACTORS)}
    return sorted(map(str, counts), key=lambda name: (-counts[name], places.get(name, len(places))))


def _about_scores(claim: Claim) -> bool:
    return any(test.measure == "fid" and test.relation != "steady" for test in claim.tests)


def gathered(scores: pd.DataFrame, runs: pd.DataFrame, extractor: str | None) -> Values:
    """What there is of one extractor and of the runs, by dataset, method, measure and seed."""
    found: dict[tuple[str, str, str], dict[int, Any]] = {}
    chosen = scores[scores["extractor"] == extractor]
    for frame, measures in ((chosen.reindex(columns=[*CELL, *OF_SCORES]), OF_SCORES), (runs, OF_RUNS)):
        for row in frame.reindex(columns=[*CELL, *measures]).to_dict("records"):
            for measure in measures:
                if not pd.isna(row[measure]):
                    found.setdefault((row["dataset"], row["method"], measure), {})[int(row["seed"])] = row[measure]
    numbered = set(map(tuple, scores.dropna(subset=["fid"])[CELL].to_numpy().tolist()))
    for dataset, method, seed in _diverged(runs):
        found.setdefault((dataset, method, "unrest"), {})[seed] = math.inf
        found.setdefault((dataset, method, "steady"), {})[seed] = False
        if (dataset, method, seed) not in numbered:
            found.setdefault((dataset, method, "fid"), {})[seed] = math.inf
    return found


def _diverged(runs: pd.DataFrame) -> list[tuple[str, str, int]]:
    """They are unsteady, of infinite unrest, and of infinite FID where no generator was left to score."""
    lost = runs.reindex(columns=[*CELL, "diverged"]).dropna(subset=["diverged"])
    return [(str(dataset), str(method), int(seed)) for dataset, method, seed in lost[CELL].to_numpy().tolist()]


def judged(claim: Claim, values: Values, datasets: Sequence[str], extractor: str | None, budget: str) -> Judgement:
    """One claim by `values` (of `gathered`)."""
    places = list(paper.facts()["datasets"])
    planned = [(test, dataset) for test in claim.tests for dataset in ([test.only] if test.only else places)]
    outcomes = decisions.decided([tested(test, dataset, values, datasets) for test, dataset in planned])
    verdict, reason = decisions.conclusion(outcomes)
    return Judgement(
        number=claim.number,
        text=claim.text,
        where=claim.where,
        extractor=extractor,
        scope=f"{budget}, in {prose.space(extractor)} features" if extractor and _about_scores(claim) else budget,
        verdict=verdict,
        reason=reason,
        observed=_observed(outcomes),
        remarks=tuple(filter(None, [decisions.exact_beside(outcomes), *_marked(outcomes, values)])),
        outcomes=tuple(outcomes),
        order_share={dataset: _share(claim, values, dataset) for dataset in places if claim.order},
    )


def _marked(outcomes: Sequence[Outcome], values: Values) -> list[str]:
    """Marked runs among those compared, which count as their numbers do."""
    compared = dict.fromkeys((outcome.dataset, name) for outcome in outcomes for name in (outcome.method, outcome.than) if name)
    found = []
    for dataset, method in compared:
        marks = seeds_of(values, dataset, method, "mark")
        for mark in dict.fromkeys(filter(None, marks.values())):
            seeds = [str(seed) for seed, each in marks.items() if each == mark]
            noun = "seed" if len(seeds) == 1 else "seeds"
            found.append(f"{paper.label(method)} on {paper.dataset_label(dataset)}: {mark} ({noun} {words.listed(seeds)})")
    return found


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


def _observed(outcomes: Sequence[Outcome]) -> str:
    """What the means alone say, decided or not."""
    seen = [outcome.observed for outcome in outcomes if outcome.observed != "nothing"]
    return f"{seen.count('agrees')} of {len(seen)} tests point the paper’s way" if seen else "there is nothing to see yet"


def _share(claim: Claim, values: Values, dataset: str) -> float | None:
    table = pd.DataFrame({method: pd.Series(seeds_of(values, dataset, method, "fid"), dtype=float) for method in claim.order})
    return stats.order_share(table, claim.order)


def power(count: int) -> str:
    """What so many seeds can decide at all."""
    if count < 2:
        return "One seed has no spread and decides nothing."
    seeds = words.counted(count, "seed")
    least = f"the exact p beside it cannot fall below {stats.smallest_p(count, count, paired=True):.2g}"
    if count < 3:
        return f"{words.sentence(seeds)[:-1]} are compared unpaired; {least}."
    gap = f"{stats.reach(count):.1f} standard deviations of the paired differences"
    return f"With {seeds} a difference is decided from {gap} on; {least}."
