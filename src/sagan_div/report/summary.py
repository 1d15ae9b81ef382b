"""The study at a glance: five sentences for the page, a table for a terminal, rows for programs."""

from collections.abc import Sequence
from typing import Any

from sagan_div.report import paper, prose, words
from sagan_div.report.gather import Results
from sagan_div.report.tables import scores
from sagan_div.terminal import Table


def sentences(results: Results, verdicts: Sequence[str], scope: str) -> list[str]:
    """The study in five sentences; `verdicts` are those of the paper's claims, within `scope`."""
    said = [_extent(results), _budget(results), prose.against_paper(results), _findings(results)]
    return [*said, _claims(results, verdicts, scope)]


def _extent(results: Results) -> str:
    study, scored = results.study, int((results.runs["state"] == "scored").sum())
    methods = f"{words.spelt(len(study.methods))} method{'s' if len(study.methods) > 1 else ''}"
    size = f"{study.image_size}×{study.image_size} pixels"
    on = prose.dataset_labels(results.datasets)
    return (
        f"The study compares {methods} on {on} at {size} with {prose.seeds(results)}; {scored} of "
        f"{words.counted(len(results.runs), 'cell')} (dataset, method, seed) {words.are(scored)} trained and scored."
    )


def _budget(results: Results) -> str:
    seen = f"Each critic saw {results.study.train.images:,} real images"
    if not any(paper.covers(dataset) for dataset in results.datasets):
        return f"{seen}."
    protocol = paper.facts()["protocol"]
    share = 100 * results.study.train.images / (protocol["epochs"] * protocol["train_images"])
    return (
        f"{seen}, {share:.2g} % of what the paper’s {protocol['epochs']:,} epochs come to if an epoch is a pass over the data."
    )


def _findings(results: Results) -> str:
    found = [_finding(results, dataset, extractor) for extractor in results.extractors for dataset in results.datasets]
    return words.sentence("; ".join(filter(None, found)) or "no two methods have been measured yet")


def _finding(results: Results, dataset: str, extractor: str) -> str | None:
    """Who is lowest and highest on a dataset, and how the variants come out."""
    means = {method: float(fids.mean()) for method in results.methods if len(fids := results.fids(dataset, method, extractor))}
    if len(means) < 2:
        return None
    order = sorted(means, key=lambda method: means[method])
    among = "" if len(means) == len(results.methods) else f" of the {words.spelt(len(means))} methods measured"
    lowest, highest = (_named(results, dataset, method, means[method]) for method in (order[0], order[-1]))
    floor = results.floor(dataset, extractor)
    beside = f", a perfect generator at {words.number(floor)}" if floor is not None else ""
    what = f"on {paper.dataset_label(dataset)} the lowest mean FID in {prose.space(extractor)} features{among}"
    return f"{what} is that of {lowest} and the highest that of {highest}{beside}{_variants(order)}"


def _named(results: Results, dataset: str, method: str, mean: float) -> str:
    return f"{paper.label(method)} ({', '.join(filter(None, [words.number(mean), results.marks(dataset, method)]))})"


def _variants(order: Sequence[str]) -> str:
    """The order of the paper's four variants, where all four are there."""
    claimed = next(claim.order for claim in paper.claims() if claim.order)
    found = [method for method in order if method in claimed]
    if len(found) < len(claimed):
        return ""
    shown = " < ".join(method[-1] for method in found)
    return f", the variants in the order {shown}{', the paper’s' if tuple(found) == claimed else ''}"


def _claims(results: Results, verdicts: Sequence[str], scope: str) -> str:
    if not any(paper.covers(dataset) for dataset in results.datasets):
        about = prose.dataset_labels(list(paper.facts()["datasets"]))
        return f"The paper’s {words.spelt(len(verdicts))} claims are about {about} and are not tested here."
    said = {"holds": ("holds", "hold"), "does not hold": ("does not hold", "do not hold"), "not decidable": ("is", "are")}
    counts = [(verdicts.count(verdict), forms) for verdict, forms in said.items()]
    holds, fails, undecided = (f"{words.spelt(count)} {forms[count > 1]}" for count, forms in counts)
    claims = f"Of the paper’s {words.spelt(len(verdicts))} claims"
    return f"{claims} {holds} in these runs, {fails}, and {undecided} not decidable with them, all {scope}."


def table(results: Results) -> Table:
    """A row per method: our FID (mean ± standard deviation over seeds) and the paper's beside it, the best in bold."""
    overview = scores.overview(results)
    shown = Table(
        "FID, lower is better",
        ("method", *(f"{column.group}\n{column.head}" for column in overview.columns)),
        quiet=[number for number, column in enumerate(overview.columns, 1) if column.paper],
        notes=(*overview.notes, overview.caution),
    )
    for method, row in overview.rows.items():
        strong = [number for number, value in enumerate(row, 1) if value.best]
        shown.add(paper.label(method), *(value.text for value in row), strong=strong)
    for label, row in overview.foot.items():
        shown.add(label, *(value.text for value in row), foot=True)
    return shown


def rows(results: Results) -> list[dict[str, Any]]:
    """The same numbers as plain data: a row per dataset, method and feature space, None where there is none."""
    tidy = scores.overview(results).tidy.astype(object)
    found = tidy.where(tidy.notna(), None).to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in found]
