"""One study's results -> every file of its report."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from sagan_div import files
from sagan_div.report import (
    architecture,
    catalogue,
    claims,
    gather,
    headline,
    missing,
    models,
    page,
    paper,
    pictures,
    prose,
    typesetting,
)
from sagan_div.report.figures import registry as drawing
from sagan_div.report.figures import style
from sagan_div.report.figures.registry import Findings
from sagan_div.report.gather import CELL, HISTORY, Results
from sagan_div.report.tables import registry as tabling
from sagan_div.study.schema import Study
from sagan_div.workflow.layout import Layout
from sagan_div.workflow.staleness import digests
from sagan_div.workflow.store import copies

Files = Iterator[tuple[str, bytes]]


def write(study: Study, layout: Layout, paths: dict[str, Path], note: Callable[[str], None]) -> Path:
    """Write the files of `paths`, remove what an earlier study left among them, and return the page's path."""
    results = gather.read(study, layout)
    for line in missing.sentences(results):
        note(line)
    for name, content in _contents(results):
        files.write_bytes(paths[name], content)
    for path in _left_behind(layout, set(paths.values())):
        note(f"{path}: removed, the study has no such file any more")
        path.unlink()
    return paths["page"]


def _left_behind(layout: Layout, wanted: set[Path]) -> list[Path]:
    """Files of cells, tables and figures that the study no longer has, which readers and DVC would go on seeing."""
    found = (path for pattern in catalogue.PLACES for path in layout.results.glob(pattern) if path.is_file())
    return sorted(set(found) - wanted)


def _contents(results: Results) -> Files:
    judgements = claims.judge(results.scores, results.runs, results.datasets, prose.budget(results))
    networks = architecture.networks(results.study, results.by_channels)
    albums = {dataset: pictures.albums(results, dataset) for dataset in results.datasets}
    conditions = {"conditions": prose.conditions(results)}
    tables = tabling.every(results, networks)
    yield catalogue.CLAIMS, _json([claim | conditions for claim in claims.as_json(judgements)])
    yield catalogue.DIGESTS, _checksums(results.study, results.layout)
    for table in tables.values():
        for ending, render in typesetting.RENDERERS.items():
            yield f"tables/{table.name}.{ending}", render(table).encode()
    yield from _numbers(results)
    yield from models.published(results)
    yield from _figures(Findings(results, judgements, albums))
    yield "page", page.render(page.Content(results, tables, judgements, albums, networks)).encode()


def _checksums(study: Study, layout: Layout) -> bytes:
    """What `sha256sum --check` reads: git keeps it where the artefacts themselves are in DVC's cache.

    Without archives of arrays, whose headers differ between versions of Python.
    """
    recorded = digests(study, copies(layout.root))
    kept = {layout.name(path): digest for path, digest in recorded.items() if path.suffix != ".npz"}
    return "".join(f"{digest}  {path}\n" for path, digest in kept.items()).encode()


def _numbers(results: Results) -> Files:
    yield "plots/fid.csv", _csv(_points(results))
    yield "plots/curves.csv", _csv(results.history.reindex(columns=[*CELL, *HISTORY]))
    for dataset in results.datasets:
        for method in results.methods:
            yield f"metrics/{dataset}/{method}.json", _json(headline.numbers(results, dataset, method))


def _figures(findings: Findings) -> Files:
    conditions = prose.conditions(findings.results)
    with style.applied():
        for wanted in catalogue.figures(findings.results.study):
            figure = drawing.draw(wanted, findings)
            for ending in catalogue.FIGURE_ENDINGS:
                yield f"figures/{wanted.name}.{ending}", style.encode(figure, ending, conditions)


def _points(results: Results) -> pd.DataFrame:
    points = results.scores.dropna(subset=["fid"])[[*CELL, "extractor", "fid", "floor"]]
    printed = [paper.fid(dataset, method) for dataset, method in zip(points["dataset"], points["method"], strict=True)]
    return points.assign(paper_fid_inception=pd.Series(printed, index=points.index, dtype=float))


def _csv(frame: pd.DataFrame) -> bytes:
    return frame.to_csv(index=False, lineterminator="\n").encode()


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=1, ensure_ascii=False) + "\n").encode()
