"""Everything that is measured beside the FID."""

from collections.abc import Sequence

import pandas as pd

from sagan_div.report import paper, prose, words
from sagan_div.report.gather import Results, rows_of
from sagan_div.report.tables.table import Table, Value, columns, over_seeds, sort, spread
from sagan_div.study.metrics import Key


def table(results: Results) -> Table:
    """A row per dataset, method and feature space, a column for every key that the registry of metrics has in tables."""
    shown = [key for metric in results.metrics for key in metric.keys if key.table]
    cells = [(d, m, e) for e in results.extractors for d in results.datasets for m in results.methods]
    scores = {cell: _scores_of(results, *cell) for cell in cells}
    heads = ["dataset", "method", "features", *(key.label for key in shown)]
    rows = {"/".join(cell): _row(results, cell, group, shown) for cell, group in scores.items() if len(group)}
    tidy = [[*cell, len(group), results.marks(*cell[:2]) or None, *_moments(group, shown)] for cell, group in scores.items()]
    names = ["dataset", "method", "extractor", "n", "marks", *(f"{key.key}{end}" for key in shown for end in ("", "_std"))]
    notes = (
        *filter(None, [" ".join(metric.note for metric in results.metrics if metric.note)]),
        words.sentence(f"{over_seeds(results)} · {prose.conditions(results)}"),
        *prose.marks(results),
    )
    return Table("measures", "Other measures", notes, "", columns(heads), rows, {}, pd.DataFrame(tidy, columns=names))


def _scores_of(results: Results, dataset: str, method: str, extractor: str) -> pd.DataFrame:
    rows = rows_of(results.scores, dataset=dataset, method=method, extractor=extractor)
    return rows.dropna(subset=["fid", "count"], how="all")


def _values(group: pd.DataFrame, key: Key) -> pd.Series:
    return group[key.key].dropna().astype(float) if key.key in group else pd.Series(dtype=float)


def _moments(group: pd.DataFrame, keys: Sequence[Key]) -> list[float]:
    return [number for key in keys for number in (_values(group, key).mean(), _values(group, key).std())]


def _row(results: Results, cell: tuple[str, str, str], group: pd.DataFrame, keys: Sequence[Key]) -> tuple[Value, ...]:
    dataset, method, extractor = cell
    named = words.marked(paper.label(method), results.marks(dataset, method))
    names = (paper.dataset_label(dataset), named, prose.space(extractor))
    sources = (None, (dataset, method), None)
    scaled = (_values(group, key) * key.factor for key in keys)
    return (
        *(Value(name, source=source) for name, source in zip(names, sources, strict=True)),
        *(Value(spread(values, len(results.study.seeds)), sort(values.mean())) for values in scaled),
    )
