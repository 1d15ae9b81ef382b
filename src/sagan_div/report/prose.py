"""Sentences and numbers in words. Every figure in them comes from the results; none is written here."""

import math
from collections.abc import Sequence

import pandas as pd

from sagan_div.report import paper, stats
from sagan_div.report.claims import Outcome
from sagan_div.report.gather import NOT_RUN, Results

SPACES = {"classifier": "classifier", "inception": "Inception"}
FLOORS = {  # real images against real ones, by pair and sampler
    ("train-train", "distinct"): "halves of the training set",
    ("train-test", "distinct"): "training against test set",
    ("train-train", "repeat-last-batch"): "halves, stretched and repeated",
    ("train-test", "repeat-last-batch"): "training against test, stretched and repeated",
}
STATES = {NOT_RUN: "not run", "trained": "trained but not sampled", "sampled": "sampled but not scored"}


def number(value: float | None, decimals: int = 2) -> str:
    """A measured number; a dash where there is none."""
    return "–" if value is None or math.isnan(value) else f"{value:,.{decimals}f}".replace("-", "−")


def percent(share: float | None) -> str:
    """A signed share, `−7.6 %`."""
    return "–" if share is None or math.isnan(share) else f"{100 * share:+.1f} %".replace("-", "−")


def listed(names: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def spelt(count: int) -> str:
    """A small number in words, `none` for 0."""
    words = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
    return words[count] if count < len(words) else f"{count:,}"


def are(count: int) -> str:
    return "is" if count == 1 else "are"


def duration(seconds: float | None) -> str:
    """`2 h 5 min`, `3 min 20 s` or `41 s`."""
    if seconds is None or math.isnan(seconds):
        return "–"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours:,} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def sentence(text: str) -> str:
    """Text with a capital and a full stop."""
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def labels(methods: Sequence[str]) -> list[str]:
    return [paper.label(method) for method in methods]


def dataset_labels(datasets: Sequence[str]) -> str:
    return listed([paper.dataset_label(dataset) for dataset in datasets])


def seeds(results: Results) -> str:
    chosen = results.study.seeds
    if len(chosen) > 3 and chosen == tuple(range(chosen[0], chosen[-1] + 1)):
        return f"seeds {chosen[0]} to {chosen[-1]}"
    return f"seed{'s' if len(chosen) > 1 else ''} {listed([str(seed) for seed in chosen])}"


def hardware(results: Results) -> str:
    """The devices that the training records name, most used first."""
    used = list(results.runs["device"].dropna().value_counts().index)
    return f"trained on {listed(used)}" if used else "hardware not recorded"


def comparison(results: Results, extractor: str) -> str:
    """What an FID of this study is measured between, and in which space."""
    rows = results.scores.query("extractor == @extractor").dropna(subset=["fid"])
    split = next(iter(rows["reference_split"].dropna()), results.study.score.reference.split)
    counts = f"{_span(rows['count'])}samples against {_span(rows['reference_count'])}real images of the {split} split"
    where = {"classifier": "features of a classifier trained here on the dataset’s labels", "inception": "Inception features"}
    return f"{where[extractor]}, {counts}"


def _span(values: pd.Series) -> str:
    """`10,000 `, `9,000 to 10,000 `, or nothing where the scores do not say."""
    known = values.dropna().astype(float)
    ends = [number(end, 0) for end in sorted({known.min(), known.max()})] if len(known) else []
    return f"{' to '.join(ends)} " if ends else ""


def conditions(results: Results) -> str:
    """The line beside every figure: protocol, budget, size, seeds, hardware."""
    study = results.study
    kept = "best-rated" if study.sample.select == "best" else "last"
    facts = [
        f"protocol “{study.protocol}”",
        f"{study.train.images:,} real images per critic",
        f"{study.image_size}×{study.image_size} pixels",
        seeds(results),
        f"{kept} generator of each run",
        hardware(results),
    ]
    return " · ".join(facts)


def missing(results: Results) -> list[str]:
    """What the study plans and nobody has run or measured yet, a sentence each; empty when all of it is there."""
    return [*_unfinished(results), *_unmeasured(results), *_left_out(results)]


def _unfinished(results: Results) -> list[str]:
    lines = []
    for state, what in STATES.items():
        rows = results.runs[results.runs["state"] == state]
        if len(rows):
            lines.append(
                f"{len(rows)} of {counted(len(results.runs), 'cell')} {are(len(rows))} {what}: {_cells(rows, results)}."
            )
    return lines


def _cells(rows: pd.DataFrame, results: Results) -> str:
    """Cells by name, seeds gathered: `DCGAN on MNIST (seeds 1 and 2)`; all seeds go without saying."""
    named = []
    for (dataset, method), group in rows.groupby(["dataset", "method"], sort=False):
        which = [str(seed) for seed in group["seed"]]
        some = "" if len(which) == len(results.study.seeds) else f" ({'seed' if len(which) == 1 else 'seeds'} {listed(which)})"
        named.append(f"{paper.label(str(method))} on {paper.dataset_label(str(dataset))}{some}")
    return listed(named)


def _unmeasured(results: Results) -> list[str]:
    lines = []
    for extractor in results.study.score.extractors:
        rows = results.scores.query("extractor == @extractor and fid.isna()")
        measured = extractor in results.extractors
        for why, group in rows.groupby("why", dropna=False):
            share = f"is not measured for {counted(len(group), 'cell')}" if measured else "is not measured"
            lines.append(
                f"FID in {SPACES[extractor]} features {share}: {why if isinstance(why, str) else 'no reason is recorded'}."
            )
    return [*lines, *_failed(results)]


METRICS = {
    "fid-infinity": "FID∞",
    "kid": "KID",
    "is": "The Inception score",
    "prdc": "Precision and recall",
    "memorisation": "Memorisation",
    "repeat_last_batch": "FID of repeated batches",
}


def _failed(results: Results) -> list[str]:
    """Metrics that could not be had of samples that are there, with the reason."""
    lines = []
    for metric, name in METRICS.items():
        if f"why_{metric}" in results.scores:
            for (extractor, why), group in results.scores.groupby(["extractor", f"why_{metric}"]):
                cells = counted(len(group), "cell")
                lines.append(f"{name} in {SPACES[str(extractor)]} features is not measured for {cells}: {why}.")
    return lines


def _left_out(results: Results) -> list[str]:
    """The paper's rows and datasets that the study itself leaves out."""
    rows = labels([method for method in paper.facts()["labels"] if method not in results.methods])
    datasets = [paper.dataset_label(name) for name in paper.facts()["datasets"] if name not in results.datasets]
    return [f"The paper’s {listed(names)} {are(len(names))} not part of this study." for names in (rows, datasets) if names]


def against_paper(results: Results) -> str:
    """Whether, and how far, anything here compares with the paper."""
    shared = [dataset for dataset in results.datasets if paper.covers(dataset)]
    if not shared:
        return f"The paper has no results on {dataset_labels(results.datasets)}, so nothing here compares with it."
    if "inception" in results.extractors:
        return (
            "The paper’s FIDs come from its own samples, reference images and training length, so compare orders of methods "
            "rather than values; FIDs in classifier features are on another scale altogether."
        )
    return (
        "The paper’s FIDs are in Inception’s feature space and ours in a classifier’s, which are two different scales: "
        "orders of methods can be compared, values cannot."
    )


def summary(results: Results, verdicts: Sequence[str]) -> list[str]:
    """The study in five sentences; `verdicts` are those of the paper's claims."""
    return [_extent(results), _budget(results), against_paper(results), _findings(results), _claims(results, verdicts)]


def _extent(results: Results) -> str:
    study, scored = results.study, int((results.runs["state"] == "scored").sum())
    methods = f"{spelt(len(study.methods))} method{'s' if len(study.methods) > 1 else ''}"
    size = f"{study.image_size}×{study.image_size} pixels"
    return (
        f"The study compares {methods} on {dataset_labels(results.datasets)} at {size} with {seeds(results)}; {scored} of "
        f"{counted(len(results.runs), 'cell')} (dataset, method, seed) {are(scored)} trained and scored."
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
    return sentence("; ".join(filter(None, found)) or "no two methods have been measured yet")


def _finding(results: Results, dataset: str, extractor: str) -> str | None:
    """Who is lowest and highest on a dataset, and how the variants come out."""
    means = {method: float(fids.mean()) for method in results.methods if len(fids := results.fids(dataset, method, extractor))}
    if len(means) < 2:
        return None
    order = sorted(means, key=lambda method: means[method])
    among = "" if len(means) == len(results.methods) else f" of the {spelt(len(means))} methods measured"
    lowest, highest = (f"{paper.label(method)} ({number(means[method])})" for method in (order[0], order[-1]))
    floor = results.floor(dataset, extractor)
    beside = f", a perfect generator at {number(floor)}" if floor is not None else ""
    what = f"on {paper.dataset_label(dataset)} the lowest mean FID in {SPACES[extractor]} features{among}"
    return f"{what} is that of {lowest} and the highest that of {highest}{beside}{_variants(order)}"


def _variants(order: Sequence[str]) -> str:
    """The order of the paper's four variants, where all four are there."""
    claimed = next(claim.order for claim in paper.claims() if claim.order)
    found = [method for method in order if method in claimed]
    if len(found) < len(claimed):
        return ""
    shown = " < ".join(method[-1] for method in found)
    return f", the variants in the order {shown}{', the paper’s' if tuple(found) == claimed else ''}"


def _claims(results: Results, verdicts: Sequence[str]) -> str:
    if not any(paper.covers(dataset) for dataset in results.datasets):
        about = dataset_labels(list(paper.facts()["datasets"]))
        return f"The paper’s {spelt(len(verdicts))} claims are about {about} and are not tested here."
    said = {"holds": ("holds", "hold"), "does not hold": ("does not hold", "do not hold"), "not decidable": ("is", "are")}
    counts = [(verdicts.count(verdict), forms) for verdict, forms in said.items()]
    holds, fails, undecided = (f"{spelt(count)} {forms[count > 1]}" for count, forms in counts)
    return (
        f"Of the paper’s {spelt(len(verdicts))} claims {holds} in these runs, {fails}, and {undecided} not decidable with them."
    )


def fid_caption(results: Results) -> str:
    """What the figure of scores shows."""
    several = len(results.study.seeds) > 1
    marks = "a dot for each seed, a bar and a number for their mean" if several else "one run each"
    floored = any(results.floor(dataset, name) is not None for dataset in results.datasets for name in results.extractors)
    line = "; the dotted line is the floor, what a perfect generator would score with so many images" if floored else ""
    theirs = " The paper’s values stand in panels of their own, on scales of their own."
    return f"FID by method: {marks}{line}.{theirs if any(paper.covers(dataset) for dataset in results.datasets) else ''}"


def power(results: Results) -> str:
    """What so many seeds can decide at all."""
    count = len(results.study.seeds)
    least = stats.smallest_p(count, count, paired=True)
    reach = "which decides a single comparison" if least <= stats.ALPHA else f"so that none can fall below {stats.ALPHA:g}"
    can = f"With {counted(count, 'seed')} the least p is {least:.2g}, {reach}" if count > 1 else "One seed gives no p at all"
    return f"{can}; {stats.pairs_needed(1)} paired seeds are the fewest that can."


def cost(results: Results) -> str:
    """The time that training took, by device, and what the columns of the cells count."""
    named = results.runs.dropna(subset=["seconds"]).fillna({"device": "a device not recorded"})
    spent = named.groupby("device")["seconds"].agg(["sum", "count"])
    shares = [f"{duration(row['sum'])} on {device} for {counted(int(row['count']), 'run')}" for device, row in spent.iterrows()]
    columns = "Time and images/s are the training’s; device-hours are those of training, sampling and scoring."
    return f"Training took {listed(shares)}. {columns}" if shares else "No training time is recorded."


def compared(outcome: Outcome) -> str:
    """A test in words: `SAGAN-div d < DCGAN`."""
    measure = {"fid": "", "cost": "time per image: ", "unrest": "unrest: "}[outcome.measure]
    than = paper.label(outcome.than or "")
    form = {"lower": "{0} < {1}", "close": "{0} close to {1}", "steady": "{0} is steady"}[outcome.relation]
    return measure + form.format(paper.label(outcome.method), than)
