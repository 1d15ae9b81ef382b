"""One study's results -> every file of its report, and the table for a terminal."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from rich.table import Table

from sagan_div import files
from sagan_div.report import architecture, catalogue, claims, figures, gather, page, paper, pictures, prose, tables, typesetting
from sagan_div.report.claims import Judgement
from sagan_div.report.gather import CELL, HISTORY, Results
from sagan_div.study.schema import Study
from sagan_div.workflow.plan import Layout, digests

Files = Iterator[tuple[str, bytes]]

BESIDE = ("_std", "_error", "_subset", "_honest", "_z")  # endings of what says how to take the number beside it


def write(study: Study, layout: Layout, paths: dict[str, Path], note: Callable[[str], None]) -> Path:
    """Write the files of `paths`, remove what an earlier study left among them, and return the page's path."""
    results = gather.read(study, layout)
    for line in prose.missing(results):
        note(line)
    for name, content in _contents(results):
        files.write_bytes(paths[name], content)
    for path in _left_behind(layout, set(paths.values())):
        note(f"{path}: removed, the study has no such cell any more")
        path.unlink()
    return paths["page"]


def _left_behind(layout: Layout, wanted: set[Path]) -> list[Path]:
    """Metrics of cells that the study no longer has: `dvc metrics show` would go on showing them."""
    return sorted(set(layout.results.glob("metrics/*/*.json")) - wanted)


def _contents(results: Results) -> Files:
    judgements = claims.judge(results.scores, results.runs, results.datasets)
    networks = architecture.networks(results.study)
    made = tables.all_tables(results, networks)
    albums = {dataset: pictures.albums(results, dataset) for dataset in results.datasets}
    conditions = {"conditions": prose.conditions(results)}
    yield catalogue.CLAIMS, _json([claim | conditions for claim in claims.as_json(judgements)])
    yield catalogue.DIGESTS, _checksums(results.study)
    yield from _tables(made.values())
    yield from _numbers(results)
    drawn: dict[str, str] = {}
    yield from _figures(results, judgements, albums, drawn)
    yield "page", page.render(results, made, judgements, albums, drawn, networks).encode()


def _checksums(study: Study) -> bytes:
    """What `sha256sum --check` reads: git keeps it where the artefacts themselves are in DVC's cache.

    Without archives of arrays, whose headers differ between versions of Python.
    """
    kept = {path: digest for path, digest in digests(study).items() if path.suffix != ".npz"}
    return "".join(f"{digest}  {path}\n" for path, digest in kept.items()).encode()


def _tables(made: Iterable[tables.Table]) -> Files:
    for table in made:
        for ending, render in typesetting.RENDERERS.items():
            yield f"tables/{table.name}.{ending}", render(table).encode()


def _numbers(results: Results) -> Files:
    yield "plots/fid.csv", _csv(_points(results))
    yield "plots/curves.csv", _csv(results.history.reindex(columns=[*CELL, *HISTORY]))
    for dataset in results.datasets:
        for method in results.methods:
            yield f"metrics/{dataset}/{method}.json", _json(metrics(results, dataset, method))


def _figures(
    results: Results, judgements: Sequence[Judgement], albums: dict[str, pictures.Albums], drawn: dict[str, str]
) -> Files:
    """The figures' files; those that the page shows as drawings are left in `drawn` as SVG."""
    with figures.style():
        for name in catalogue.figures(results.study):
            figure = figures.draw(name, results, judgements, albums)
            for ending in catalogue.FIGURE_ENDINGS:
                yield f"figures/{name}.{ending}", figures.encode(figure, ending, prose.conditions(results))
            if name.partition("-")[0] not in catalogue.ALBUMS:
                drawn[name] = figures.inline(figure, name)


def metrics(results: Results, dataset: str, method: str) -> dict[str, float | int]:
    """A flat record for `dvc metrics`: what was measured, the paper's FID, budget and seeds. All else is in the tables."""
    rows = results.scores.query("dataset == @dataset and method == @method").dropna(subset=["fid"])
    flat: dict[str, float | int] = {}
    for extractor in results.extractors:
        flat |= _means(rows[rows["extractor"] == extractor], extractor)
    printed = paper.fid(dataset, method)
    flat |= {} if printed is None else {"paper_fid": printed}
    return flat | {"images": results.study.train.images, "seeds": int(rows["seed"].nunique())}


def _means(rows: pd.DataFrame, extractor: str) -> dict[str, float]:
    """Means over seeds, with the FID's standard deviation over them and its floors."""
    names = [name for name in gather.metric_names(rows) if not name.endswith(BESIDE)]
    found = {f"{name}_{extractor}": float(rows[name].mean()) for name in names}
    found |= {f"fid_{extractor}_std": float(rows["fid"].std())} if len(rows) > 1 else {}
    for name in tables.FLOORS:
        floors = rows[name].dropna()
        found |= {f"fid_{extractor}_{name}": float(floors.iloc[0])} if len(floors) else {}
    return found


def _points(results: Results) -> pd.DataFrame:
    points = results.scores.dropna(subset=["fid"])[[*CELL, "extractor", "fid", "floor"]]
    printed = [paper.fid(dataset, method) for dataset, method in zip(points["dataset"], points["method"], strict=True)]
    return points.assign(paper_fid_inception=pd.Series(printed, index=points.index, dtype=float))


def _csv(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False, lineterminator="\n").encode()


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()


def summary(study: Study, layout: Layout) -> Table:
    """The overview of all methods as a rich table."""
    results = gather.read(study, layout)
    overview = tables.overview(results)
    shown = Table(
        title="FID, lower is better",
        min_width=76,
        caption="\n".join([*overview.notes, overview.caution]),
        caption_justify="left",
        title_justify="left",
    )
    shown.add_column("method", no_wrap=True)
    for column in overview.columns:
        style = "dim" if column.paper else None
        shown.add_column(f"{column.group}\n{column.head}", justify="right", style=style)
    for method, row in overview.rows.items():
        shown.add_row(paper.label(method), *(f"[bold]{value.text}[/bold]" if value.best else value.text for value in row))
    shown.add_section()
    for label, row in overview.foot.items():
        shown.add_row(label, *(value.text for value in row), style="dim")
    return shown


def scores(study: Study, layout: Layout) -> list[dict[str, Any]]:
    """The overview of all methods as plain data."""
    tidy = tables.overview(gather.read(study, layout)).tidy.astype(object)
    rows = tidy.where(tidy.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]
