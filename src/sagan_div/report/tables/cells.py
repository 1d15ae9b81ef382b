"""Every cell of a study: its scores, what was kept, and what it cost."""

from collections.abc import Sequence

import pandas as pd

from sagan_div.report import paper, prose, words
from sagan_div.report.gather import CELL, Results
from sagan_div.report.tables.table import Column, Table, Value, numeric, sort


def table(results: Results) -> Table:
    """A row for each cell of the study: its scores, what was kept, and what it cost."""
    fids = [Column("", f"FID, {prose.space(extractor)}") for extractor in results.extractors]
    before, after = (
        [Column("", head) for head in heads]
        for heads in (("dataset", "method", "seed", "state"), ("kept at image", "images/s", "time", "device-hours", "device"))
    )
    wide = _wide(results)
    rows = {"/".join(map(str, row[CELL])): _row(row, results.extractors) for _, row in wide.iterrows()}
    notes = (f"{words.sentence(prose.conditions(results))}", prose.cost(results))
    return Table("cells", "Every cell of the study", notes, "", (*before, *fids, *after), rows, {}, wide.convert_dtypes())


def _wide(results: Results) -> pd.DataFrame:
    """A row per cell of the study, its scores beside it as `metric_extractor`."""
    scored = results.scores.drop(columns=["noise"]).pivot(index=CELL, columns="extractor").dropna(axis=1, how="all")
    scored.columns = pd.Index(["_".join(map(str, pair)) for pair in scored.columns])
    return results.runs.drop(columns=["steady"]).merge(scored.reset_index(), on=CELL, how="left")


def _row(row: pd.Series, extractors: Sequence[str]) -> tuple[Value, ...]:
    return (
        Value(paper.dataset_label(row["dataset"])),
        Value(paper.label(row["method"]), source=(row["dataset"], row["method"])),
        Value(str(row["seed"]), row["seed"]),
        Value(", ".join(filter(None, [row["state"], row["mark"]]))),
        *(numeric(row[f"fid_{extractor}"], 2) for extractor in extractors),
        numeric(row["best_images"]),
        numeric(row["images_per_second"]),
        Value(words.duration(row["seconds"]), sort(row["seconds"])),
        numeric(row["device_hours"], 2),
        Value(row["device"] if isinstance(row["device"], str) else words.number(None)),
    )
