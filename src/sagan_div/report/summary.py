"""The study at a glance: three sentences for the page, a table for a terminal, rows for programs."""

from collections.abc import Sequence
from typing import Any

from sagan_div.report import paper, prose, words
from sagan_div.report.gather import Results
from sagan_div.report.tables import scores
from sagan_div.terminal import Table


def answer(results: Results, verdicts: Sequence[str]) -> dict[str, str]:
    """What was claimed, what was found and how sure that is, a sentence each; `verdicts` are those of the paper's claims."""
    return {
        "Claimed": _claimed(results),
        "Found": words.sentence("; ".join([*_findings(results), _claims(results, verdicts)])),
        "How sure": words.sentence("; ".join(_certainty(results))),
    }


def _claimed(results: Results) -> str:
    claimed = str(paper.facts()["claimed"]).rstrip(".")
    if any(paper.covers(dataset) for dataset in results.datasets):
        return f"{claimed}."
    return f"{claimed}, all of {prose.dataset_labels(list(paper.facts()['datasets']))}, and nothing of what is studied here."


def _findings(results: Results) -> list[str]:
    said = []
    for extractor in results.extractors:
        found = [_finding(results, dataset, extractor) for dataset in results.datasets]
        if any(found):
            lead = f"by FID in {prose.space(extractor)} features, a distance from real images, "
            said.append(lead + ", and ".join(filter(None, found)))
    return said or ["no two methods have been measured yet"]


def _finding(results: Results, dataset: str, extractor: str) -> str | None:
    """Who comes nearest to real images on a dataset and who is farthest, and how the variants come out."""
    means = {method: float(fids.mean()) for method in results.methods if len(fids := results.fids(dataset, method, extractor))}
    if len(means) < 2:
        return None
    order = sorted(means, key=lambda method: means[method])
    among = "" if len(means) == len(results.methods) else f" of the {words.spelt(len(means))} methods measured"
    nearest, farthest = (_named(results, dataset, method, means[method]) for method in (order[0], order[-1]))
    where = f"on {paper.dataset_label(dataset)}"
    return f"{nearest} comes nearest and {farthest} stays farthest {where}{among}{_variants(order)}"


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


def _claims(results: Results, verdicts: Sequence[str]) -> str:
    claims = f"the paper’s {words.spelt(len(verdicts))} claims"
    if not any(paper.covers(dataset) for dataset in results.datasets):
        return f"{claims} are not tested here"
    said = {"holds": ("holds", "hold"), "does not hold": ("does not hold", "do not hold")}
    said["not decidable"] = ("cannot be decided", "cannot be decided")
    counts = [(verdicts.count(verdict), forms) for verdict, forms in said.items()]
    return f"of {claims} {words.listed([f'{words.spelt(count)} {forms[count > 1]}' for count, forms in counts])}"


def _certainty(results: Results) -> list[str]:
    """Runs, budget, the scale of the scores, and what is marked: all that a number here is limited by."""
    study, scored = results.study, int((results.runs["state"] == "scored").sum())
    runs = words.counted(len(study.seeds), "training run")
    size = f"{study.image_size}×{study.image_size} pixels"
    said = [
        f"each number is of {runs} ({scored:,} of {words.counted(len(results.runs), 'planned run')} "
        f"{words.are(scored)} scored), each on {study.train.images:,} images of {size}{_share(results)}"
    ]
    space = paper.facts()["protocol"]["extractor"]
    if space not in results.extractors:
        said.append(f"{prose.space(space)} FID: not measured, so orders of methods compare with the paper’s, values do not")
    marked = results.runs[results.runs["mark"] != ""]
    if len(marked):
        counts = [f"{words.counted(count, 'run')} {mark}" for mark, count in marked["mark"].value_counts().sort_index().items()]
        said.append(f"marked beside their numbers: {words.listed(counts)}")
    return said


def _share(results: Results) -> str:
    if not any(paper.covers(dataset) for dataset in results.datasets):
        return ""
    protocol = paper.facts()["protocol"]
    share = 100 * results.study.train.images / (protocol["epochs"] * protocol["train_images"])
    return f", {share:.2g} % of the paper’s training if an epoch is a pass over the data"


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
