"""The page: everything in one HTML file that asks nothing of any network."""

from collections.abc import Sequence
from importlib.resources import files
from typing import Any

import jinja2
import yaml

from sagan_div.report import claims, missing, outcomes, paper, pictures, prose, summary, words
from sagan_div.report.architecture import Networks
from sagan_div.report.claims import Judgement
from sagan_div.report.gather import Results
from sagan_div.report.tables.table import Table


def render(
    results: Results,
    tables: dict[str, Table],
    judgements: Sequence[Judgement],
    albums: dict[str, pictures.Albums],
    drawn: dict[str, str],
    networks: Networks,
) -> str:
    """The page's HTML. `drawn`: name of a figure -> SVG."""
    return _environment().get_template("page.html.jinja").render(
        results=results,
        facts=paper.facts(),
        compared=any(paper.covers(dataset) for dataset in results.datasets),
        missing=missing.sentences(results),
        summary=summary.sentences(results, [judgement.verdict for judgement in judgements], judgements[0].scope),
        tables=tables,
        judgements=judgements,
        margin=outcomes.MARGIN,
        power=claims.power(len(results.study.seeds)),
        albums=albums,
        drawn=drawn,
        networks=networks,
        sources=_sources(results),
        css=_asset("page.css"),
        js=_asset("page.js"),
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
    """`dataset/method` -> title and, per seed and phase, what the record says: where a number comes from."""
    found: dict[str, dict[str, Any]] = {}
    for (dataset, method, seed), records in results.records.items():
        title = f"{paper.label(method)} on {paper.dataset_label(dataset)}"
        entry = found.setdefault(f"{dataset}/{method}", {"title": title, "seeds": {}})
        entry["seeds"][seed] = {phase: _readable(record) for phase, record in records.items()}
    return {key: entry for key, entry in found.items() if any(entry["seeds"].values())}


def _readable(record: dict[str, Any]) -> dict[str, str]:
    """A record's entries as text, nested ones as YAML."""
    return {name: _text(value) for name, value in record.items()}


def _text(value: Any) -> str:
    return yaml.safe_dump(value, sort_keys=False).rstrip() if isinstance(value, dict | list) else str(value)
