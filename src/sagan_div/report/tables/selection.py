"""What choosing the best rating is worth."""

import math

import numpy as np
import pandas as pd

from sagan_div.report import paper, prose, stats, words
from sagan_div.report.gather import CELL, Results, number
from sagan_div.report.tables.table import Table, Value, columns, numeric, over_seeds, sort, spread


def table(results: Results) -> Table:
    """What choosing the best rating is worth: that rating, and those of the best and the last generator by fresh latents."""
    found = ratings(results)
    heads = ("dataset", "method", "best, as selected", "best, fresh latents", "± of one model", "last, fresh latents")
    groups = {
        f"{dataset}/{method}": found[(found["dataset"] == dataset) & (found["method"] == method)]
        for dataset in results.datasets
        for method in results.methods
    }
    rows = {key: _row(results, group) for key, group in groups.items() if len(group)}
    notes = (
        "The rating that chose a run’s best generator is the least of many, on latents that all ratings of the run share, so "
        "it flatters; fresh latents do not know of the choice. FID in classifier features; ±: Student’s t interval at 95 % "
        "over independent draws for one model, mean over seeds.",
        words.sentence(f"{over_seeds(results)} · {prose.conditions(results)}"),
    )
    return Table("selection", "What the choice of the best generator is worth", notes, "", columns(heads), rows, {}, found)


def _row(results: Results, group: pd.DataFrame) -> tuple[Value, ...]:
    dataset, method = group.iloc[0][["dataset", "method"]]
    ratings = (group[name].dropna() for name in ("selected", "best", "last"))
    selected, best, last = (Value(spread(each, len(results.study.seeds)), sort(each.mean())) for each in ratings)
    within = numeric(group["best_within"].mean(), 2)
    name = words.marked(paper.label(method), results.marks(dataset, method))
    named = Value(paper.dataset_label(dataset)), Value(name, source=(dataset, method))
    return (*named, selected, best, within, last)


def ratings(results: Results) -> pd.DataFrame:
    """A row per run with ratings by fresh latents: `selected`, the rating for which the best generator was chosen, and for it
    and the last one the mean over draws, with half the width of its t interval as `best_within` and `last_within`."""
    rows = []
    for cell, records in results.records.items():
        train = records.get("train", {})
        if again := train.get("rated_again"):
            row = dict(zip(CELL, cell, strict=True)) | {"selected": number((train.get("best") or {}).get("fid"))}
            for name, draws in again.items():
                ends = stats.interval(draws)
                row |= {name: float(np.mean(draws)), f"{name}_within": (ends[1] - ends[0]) / 2 if ends else math.nan}
            rows.append(row)
    return pd.DataFrame(rows, columns=[*CELL, "selected", "best", "best_within", "last", "last_within"])
