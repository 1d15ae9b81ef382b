"""FID by method beside the paper's: Tables 2 and 3, and all methods in one."""

from collections.abc import Sequence

import pandas as pd

from sagan_div.report import marks, paper, prose, words
from sagan_div.report.gather import NOT_RUN, Results, rows_of
from sagan_div.report.tables.table import Column, Table, Value, over_seeds, spread
from sagan_div.study import metrics

FLOORS = {key.key.removeprefix("fid_"): key.label for key in metrics.FLOOR.keys}


def state_of_the_art(results: Results) -> Table:
    """The methods of the paper's Table 2, and those that the paper does not know."""
    known = {method for printed in paper.tables() for method in printed.rows}
    second, _ = paper.tables()
    return _of_paper(results, second, [*second.rows, *(method for method in results.methods if method not in known)])


def placements(results: Results) -> Table:
    """The methods of the paper's Table 3."""
    _, third = paper.tables()
    return _of_paper(results, third, list(third.rows))


def _of_paper(results: Results, printed: paper.PaperTable, methods: Sequence[str]) -> Table:
    title = f"The methods of the paper’s Table {printed.number}: {printed.title}"
    return _score_table(results, printed.name, title, methods, whole=True)


def overview(results: Results) -> Table:
    """All methods in one table, in the study's order."""
    return _score_table(results, "overview", "FID by method", results.methods)


def _score_table(results: Results, name: str, title: str, methods: Sequence[str], whole: bool = False) -> Table:
    """`whole`: also the feature spaces that were not measured, and the FIDs of the author's sampler at the first of its counts;
    the others are among the measures."""
    methods = [method for method in methods if method in results.methods]
    columns, filled = [], []
    for dataset in results.datasets:
        for column, values in _dataset_columns(results, dataset, methods, whole):
            columns.append(column)
            filled.append(values)
    rows = {method: tuple(values[method] for values in filled) for method in methods}
    floors = {label: tuple(values[kind] for values in filled) for kind, label in FLOORS.items()}
    foot = {label: row for label, row in floors.items() if any(value.sort is not None for value in row)}
    return Table(
        name, title, _notes(results, whole), prose.against_paper(results), tuple(columns), rows, foot, _tidy(results, methods)
    )


def _dataset_columns(
    results: Results, dataset: str, methods: Sequence[str], whole: bool
) -> list[tuple[Column, dict[str, Value]]]:
    group, spaces = paper.dataset_label(dataset), results.study.score.spaces
    papers = [str(paper.facts()["protocol"]["extractor"])] if paper.covers(dataset) else []
    found = []
    for extractor in dict.fromkeys([*papers, *spaces]) if whole else results.extractors or spaces[-1:]:
        found.append((Column(group, prose.space(extractor)), _ours(results, dataset, methods, extractor)))
        for count in results.study.score.repeat_last_batch[:1] if whole and extractor in results.extractors else ():
            head = f"{prose.space(extractor)}, author’s sampler"
            found.append((Column(group, head), _repeated(results, dataset, methods, extractor, count)))
    if paper.covers(dataset):
        found.append((Column(group, "paper (Inception)", paper=True), _theirs(dataset, methods)))
    return found


def _ours(results: Results, dataset: str, methods: Sequence[str], extractor: str) -> dict[str, Value]:
    fids = {method: results.fids(dataset, method, extractor) for method in methods}
    means = {method: float(values.mean()) for method, values in fids.items() if len(values)}
    planned = len(results.study.seeds)
    whole = [mean for method, mean in means.items() if not _lost(results, dataset, method, len(fids[method]))]
    least = min(whole, default=None)
    entries = {}
    for method, values in fids.items():
        beside = results.marks(dataset, method)
        text = words.marked(spread(values, planned), beside) if method in means else why(results, dataset, method)
        entries[method] = Value(
            text, means.get(method), means.get(method) in whole and means[method] == least, (dataset, method)
        )
    floors = {kind: results.floor(dataset, extractor, kind) for kind in FLOORS}
    return entries | {kind: Value(words.number(floor), floor) for kind, floor in floors.items()}


def _repeated(results: Results, dataset: str, methods: Sequence[str], extractor: str, count: int) -> dict[str, Value]:
    """The FID that the sampler of the author's public code would have had of the same samples."""
    entries = dict.fromkeys(FLOORS, Value(words.number(None)))
    for method in methods:
        rows = rows_of(results.scores, dataset=dataset, method=method, extractor=extractor)
        values = rows.reindex(columns=[f"fid_repeated_{count}"]).iloc[:, 0].dropna().astype(float)
        text = words.marked(spread(values, len(results.study.seeds)), results.marks(dataset, method))
        source = (dataset, method)
        entries[method] = Value(text, float(values.mean()), source=source) if len(values) else Value(words.number(None))
    return entries


def _lost(results: Results, dataset: str, method: str, numbers: int) -> bool:
    """Whether a run diverged and left no number: the mean of the others is not the method's, and never the best."""
    marked = results.marked(dataset, method)
    return bool((marked == marks.DIVERGED).any()) and numbers < len(marked)


def why(results: Results, dataset: str, method: str) -> str:
    """What stands where a method has no FID."""
    if marks.DIVERGED in (said := results.marks(dataset, method)):
        return said
    states = rows_of(results.runs, dataset=dataset, method=method)["state"]
    if (states == "scored").any():
        return "not measured"
    return NOT_RUN if (states == NOT_RUN).all() else "not scored"


def _theirs(dataset: str, methods: Sequence[str]) -> dict[str, Value]:
    printed = {method: paper.fid(dataset, method) for method in methods}
    least = min((value for value in printed.values() if value is not None), default=None)
    entries = {method: Value(words.number(fid, 4), fid, fid is not None and fid == least) for method, fid in printed.items()}
    return entries | dict.fromkeys(FLOORS, Value(words.number(None)))


def _notes(results: Results, whole: bool) -> tuple[str, ...]:
    lines = [f"Fréchet distance (FID), lower is better: {over_seeds(results)}."]
    lines += [
        f"{prose.space(extractor).capitalize()}: {prose.comparison(results, extractor)}." for extractor in results.extractors
    ]
    if whole and (counts := results.study.score.repeat_last_batch):
        lines.append(f"Author’s sampler: FID of {counts[0]:,} of the samples, stretched and written over and over.")
    return (*lines, f"Ours: {prose.conditions(results)}.", *prose.marks(results))


def _tidy(results: Results, methods: Sequence[str]) -> pd.DataFrame:
    names = ["dataset", "method", "extractor", "fid", "fid_std", "n", "marks", "floor", "paper_fid_inception"]
    rows = [_tidy_row(results, d, m, e) for d in results.datasets for m in methods for e in results.study.score.spaces]
    return pd.DataFrame(rows, columns=names)


def _tidy_row(results: Results, dataset: str, method: str, extractor: str) -> tuple[object, ...]:
    values = results.fids(dataset, method, extractor)
    mean, deviation = (values.mean(), values.std()) if len(values) else (None, None)
    return (
        dataset,
        method,
        extractor,
        mean,
        deviation,
        len(values),
        results.marks(dataset, method) or None,
        results.floor(dataset, extractor),
        paper.fid(dataset, method),
    )
