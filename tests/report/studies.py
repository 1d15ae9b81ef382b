"""Synthetic studies as claims take them: frames of scores and runs, from numbers per method and seed."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sagan_div.report import claims
from sagan_div.report.claims import Judgement
from sagan_div.report.outcomes import Outcome

BOTH = ("mnist", "fashion-mnist")
PAPERS_ORDER = {  # FIDs in which every claim is true
    "sngan": 20.0,
    "dcgan": 40.0,
    "sagan-div-d": 55.0,
    "sagan-div-b": 60.0,
    "wgan-div": 58.0,
    "sagan-div-a": 87.0,
    "sagan-div-c": 101.0,
}
TURNED = {method: 120 - fid for method, fid in PAPERS_ORDER.items()}


def scores(
    means: Mapping[str, float], seeds: Sequence[int], spread: float = 0.1, extractor: str = "classifier", **columns: Any
) -> pd.DataFrame:
    """A frame of scores: every method's mean on both datasets, with a little spread over the seeds."""
    generator = np.random.default_rng(1)
    rows = [
        {"dataset": dataset, "method": method, "seed": seed, "extractor": extractor, "fid": mean + generator.normal(0, spread)}
        for dataset in BOTH
        for method, mean in means.items()
        for seed in seeds
    ]
    return pd.DataFrame(rows).assign(**columns)


def runs(seeds: Sequence[int], **changes: Any) -> pd.DataFrame:
    """A frame of runs in which `a` is the dearest, the divergence's methods are calmer than DCGAN, and all is on one device."""
    cost = dict.fromkeys(PAPERS_ORDER, 10.0) | {"sagan-div-a": 15.0}
    unrest = dict.fromkeys(PAPERS_ORDER, 2.0) | {"dcgan": 8.0}
    generator = np.random.default_rng(2)
    rows = [
        {
            "dataset": dataset,
            "method": method,
            "seed": seed,
            "cost": cost[method] + generator.normal(0, 0.02),
            "unrest": unrest[method] + generator.normal(0, 0.02),
            "steady": True,
            "device": "one",
        }
        for dataset in BOTH
        for method in PAPERS_ORDER
        for seed in seeds
    ]
    return pd.DataFrame(rows).assign(**changes)


def put(frame: pd.DataFrame, dataset: str, method: str, **columns: Any) -> pd.DataFrame:
    """The frame with other values for a method on a dataset: one for all of its seeds, or one for each."""
    chosen = (frame["dataset"] == dataset) & (frame["method"] == method)
    changed = frame.copy()
    for name, values in columns.items():
        if name not in changed:
            changed[name] = pd.Series(np.nan, index=changed.index, dtype=object)
        changed.loc[chosen, name] = values
    return changed


def judged(frame: pd.DataFrame, of: pd.DataFrame | None = None, datasets: Sequence[str] = BOTH) -> dict[int, Judgement]:
    if of is None:
        of = runs(sorted(frame["seed"].unique()))
    return {judgement.number: judgement for judgement in claims.judge(frame, of, datasets)}


def outcome(judgement: Judgement, dataset: str, method: str, than: str | None, measure: str = "fid") -> Outcome:
    found = [o for o in judgement.outcomes if (o.dataset, o.method, o.than, o.measure) == (dataset, method, than, measure)]
    assert len(found) == 1
    return found[0]
