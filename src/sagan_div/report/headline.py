"""The few numbers of a method that `dvc metrics show` prints: results/metrics/<dataset>/<method>.json.

All else is in the tables.
"""

import pandas as pd

from sagan_div.report import naming
from sagan_div.report.gather import Results, rows_of
from sagan_div.study.metrics import METRICS


def numbers(results: Results, dataset: str, method: str) -> dict[str, float | int]:
    """FID, its standard deviation over seeds, floor, precision and recall, seeds and budget: at most eight numbers.

    They are of one feature space, the classifier's where it was measured; of another there is its FID alone. Where runs have
    a mark (see `marks`), `marked` counts them.
    """
    rows = rows_of(results.scores, dataset=dataset, method=method).dropna(subset=["fid"])
    spaces = sorted(results.extractors, key=lambda extractor: extractor != naming.UNNAMED)
    found: dict[str, float] = {}
    for place, extractor in enumerate(spaces):
        measured = rows[rows["extractor"] == extractor]
        found |= _fid(measured, extractor) if place else _fid(measured, extractor) | _beside(measured, extractor)
    marked = int((rows_of(results.runs, dataset=dataset, method=method)["mark"] != "").sum())
    found |= {"marked": marked} if marked else {}
    return found | {"seeds": int(rows["seed"].nunique()), "images": results.study.train.images}


def _fid(rows: pd.DataFrame, extractor: str) -> dict[str, float]:
    return {naming.key("fid", extractor): float(rows["fid"].mean())} if len(rows) else {}


def _beside(rows: pd.DataFrame, extractor: str) -> dict[str, float]:
    """What stands beside the FID of a feature space, as far as it was measured."""
    means = [key.key for metric in METRICS.values() for key in metric.keys if key.headline and metric.name != "fid"]
    deviation = {f"{naming.key('fid', extractor)}_std": float(rows["fid"].std())} if len(rows) > 1 else {}
    measured = {name: rows[name].dropna() for name in ("floor", *means) if name in rows}
    return deviation | {naming.key(name, extractor): float(column.mean()) for name, column in measured.items() if len(column)}
