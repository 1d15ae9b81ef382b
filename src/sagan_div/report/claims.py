"""The paper's claims against the runs of a study: frames of numbers in, verdicts out. Reads no file and knows no layout.

A claim is a conjunction of tests (paper.yaml), each made on each of its datasets (`outcomes`). It holds when all of its tests
hold, and does not hold as soon as one does not.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import pandas as pd

from sagan_div.report import paper, stats, words
from sagan_div.report.outcomes import Outcome, Verdict, corrected, seeds_of, tested
from sagan_div.report.paper import Claim

EXTRACTORS = ("inception", "classifier")  # a claim is judged by the first that was measured (the paper's own, else ours),
# and once more by the other where both were
CELL = ["dataset", "method", "seed"]
MEASURED = ["fid", "floor", "noise"], ["cost", "unrest", "steady", "device"]


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

    `scores`: columns dataset, method, seed, extractor, fid and, where known, floor (of a perfect generator) and noise (of a
    single checkpoint). `runs`: columns dataset, method, seed and, where known, cost, unrest, steady, device. `datasets`: the
    study's.
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
    outcomes = corrected([tested(test, dataset, values, datasets) for test, dataset in planned])
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
    table = pd.DataFrame({method: seeds_of(values, dataset, method, "fid") for method in claim.order})
    return stats.order_share(table, claim.order)


def power(count: int) -> str:
    """What so many seeds can decide at all."""
    least = stats.smallest_p(count, count, paired=True)
    reach = "which decides a single comparison" if least <= stats.ALPHA else f"so that none can fall below {stats.ALPHA:g}"
    can = (
        f"With {words.counted(count, 'seed')} the least p is {least:.2g}, {reach}"
        if count > 1
        else "One seed gives no p at all"
    )
    return f"{can}; {stats.pairs_needed(1)} paired seeds are the fewest that can."
