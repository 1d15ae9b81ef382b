"""The page: everything in one HTML file that asks nothing of any network."""

from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import jinja2
import yaml

from sagan_div.report import by_class, claims, growth, missing, outcomes, paper, pictures, prose, real_vs_real, summary, words
from sagan_div.report.architecture import Networks
from sagan_div.report.charts import chart, registry
from sagan_div.report.claims import Judgement
from sagan_div.report.gather import Results
from sagan_div.report.tables.table import Table

HASHES = ("code", "inputs", "outputs")  # entries of a record that are for programs, and stand last


@dataclass(frozen=True)
class Content:
    """What the page shows: results, tables by name, verdicts, images by dataset, and the networks."""

    results: Results
    tables: dict[str, Table]
    judgements: Sequence[Judgement]
    albums: dict[str, pictures.Albums]
    networks: Networks


def render(content: Content) -> str:
    """The page's HTML."""
    results, judgements = content.results, content.judgements
    return _environment().get_template("page.html.jinja").render(
        vars(content),
        facts=paper.facts(),
        compared=any(paper.covers(dataset) for dataset in results.datasets),
        missing=missing.sentences(results),
        answer=summary.answer(results, [judgement.verdict for judgement in judgements]),
        conditions=prose.conditions(results),
        marks=prose.marks(results),
        margin=outcomes.MARGIN,
        power=claims.power(len(results.study.seeds)),
        charts=registry.every(results, judgements),
        signals={signal["name"]: signal["value"] for signal in chart.signals(results)},
        config=chart.CONFIG,
        films={dataset: growth.films(results, dataset) for dataset in results.datasets},
        sorted={dataset: by_class.sort(results, dataset) for dataset in results.datasets},
        sources=_sources(results),
        css=_asset("page.css"),
        js=[_asset("page.js"), _asset("charts.js")],
        runtime=chart.runtime(),
        licence=_asset("runtime-licence.txt"),
    )  # fmt: skip


def _environment() -> jinja2.Environment:
    """Everything that comes from results is escaped; a name that the template misspells is an error."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("sagan_div.report", ""),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.globals |= {"paper": paper, "prose": prose, "words": words, "address": pictures.address}
    environment.filters |= {"sentence": words.sentence, "number": words.number}
    return environment


def _asset(name: str) -> str:
    return files("sagan_div.report").joinpath(name).read_text(encoding="utf-8")


def _sources(results: Results) -> dict[str, dict[str, Any]]:
    """`dataset/method`, or `dataset/real-vs-real/space` -> title and, per run and phase, what the record says: where a number
    comes from."""
    found: dict[str, dict[str, Any]] = {}
    for (dataset, method, seed), records in results.records.items():
        title = f"{paper.label(method)} on {paper.dataset_label(dataset)}"
        entry = found.setdefault(f"{dataset}/{method}", {"title": title, "runs": {}})
        entry["runs"][f"Seed {seed}"] = {phase: _readable(record) for phase, record in records.items()}
    for (dataset, extractor), record in results.compared.items():
        title = f"Real images of {paper.dataset_label(dataset)} against real ones"
        runs = {f"In {prose.space(extractor)} features": {"comparison": _readable(record)}}
        found[f"{dataset}/{real_vs_real.SOURCE}/{extractor}"] = {"title": title, "runs": runs}
    return {key: entry for key, entry in found.items() if any(entry["runs"].values())}


def _readable(record: dict[str, Any]) -> dict[str, str]:
    """A record's entries as text, nested ones as YAML: settings first, hashes last."""
    names = sorted(record, key=lambda name: (name in HASHES, name != "settings"))
    return {name: _text(record[name]) for name in names}


def _text(value: Any) -> str:
    return yaml.safe_dump(value, sort_keys=False).rstrip() if isinstance(value, dict | list) else str(value)
