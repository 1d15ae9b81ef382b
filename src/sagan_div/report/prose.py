"""What a study's figures and tables say in words. Every number comes from the results; none is written here."""

from collections.abc import Sequence

import pandas as pd

from sagan_div.report import marks as rule
from sagan_div.report import paper, words
from sagan_div.report.gather import Results, rows_of

SPACES = {"classifier": "classifier", "inception": "Inception"}
REAL_VS_REAL = {  # by pair and sampler
    ("train-train", "distinct"): "halves of the training set",
    ("train-test", "distinct"): "training against test set",
    ("train-train", "repeat-last-batch"): "halves, stretched and repeated",
    ("train-test", "repeat-last-batch"): "training against test, stretched and repeated",
}


def space(extractor: str) -> str:
    """A feature space's name in a sentence: `Inception`, `classifier`, or its own."""
    return SPACES.get(extractor, extractor)


def labels(methods: Sequence[str]) -> list[str]:
    return [paper.label(method) for method in methods]


def dataset_labels(datasets: Sequence[str]) -> str:
    return words.listed([paper.dataset_label(dataset) for dataset in datasets])


def seeds(results: Results) -> str:
    chosen = results.study.seeds
    if len(chosen) > 3 and chosen == tuple(range(chosen[0], chosen[-1] + 1)):
        return f"seeds {chosen[0]} to {chosen[-1]}"
    return f"seed{'s' if len(chosen) > 1 else ''} {words.listed([str(seed) for seed in chosen])}"


def hardware(results: Results) -> str:
    """The devices that the training records name, most used first."""
    used = list(results.runs["device"].dropna().value_counts().index)
    return f"trained on {words.listed(used)}" if used else "hardware not recorded"


def comparison(results: Results, extractor: str) -> str:
    """What an FID of this study is measured between, and in which space."""
    rows = rows_of(results.scores, extractor=extractor).dropna(subset=["fid"])
    split = next(iter(rows["reference_split"].dropna()), results.study.score.reference.split)
    counts = f"{_span(rows['count'])}samples against {_span(rows['reference_count'])}real images of the {split} split"
    where = {"classifier": "features of a classifier trained here on the dataset’s labels"}
    return f"{where.get(extractor, f'{space(extractor)} features')}, {counts}"


def _span(values: pd.Series) -> str:
    """`10,000 `, `9,000 to 10,000 `, or nothing where the scores do not say."""
    known = values.dropna().astype(float)
    ends = [words.number(end, 0) for end in sorted({known.min(), known.max()})] if len(known) else []
    return f"{' to '.join(ends)} " if ends else ""


def conditions(results: Results) -> str:
    """The line beside every figure: protocol, budget, size, seeds, hardware."""
    study = results.study
    facts = [
        f"protocol “{study.protocol}”",
        f"{study.train.images:,} real images per critic",
        f"{study.image_size}×{study.image_size} pixels",
        seeds(results),
        kept(results),
        hardware(results),
    ]
    return " · ".join(facts)


def marks(results: Results) -> tuple[str, ...]:
    """The rule of the marks, and the marked runs, where there are any."""
    marked = results.runs[results.runs["mark"] != ""]
    if marked.empty:
        return ()
    found = [
        f"{paper.label(str(method))} on {paper.dataset_label(str(dataset))} {results.marks(str(dataset), str(method))}"
        for dataset, method in dict.fromkeys(zip(marked["dataset"], marked["method"], strict=True))
    ]
    return (f"Marked: {'; '.join(found)}.", rule.RULE)


def budget(results: Results) -> str:
    """What a verdict on a claim is limited to, beside its feature space."""
    return f"at {results.study.train.images:,} real images per critic"


def kept(results: Results) -> str:
    """Which generator of a run the samples are of, and the methods that choose another."""
    names = {"best": "best-rated", "last": "last"}
    usual = results.study.sample.select
    others = labels([method for method in results.methods if results.select(method) != usual])
    if len(others) == len(results.methods):
        return f"{names[results.select(results.methods[0])]} generator of each run"
    apart = f" ({names['last' if usual == 'best' else 'best']} of {words.listed(others)})" if others else ""
    return f"{names[usual]} generator of each run{apart}"


def images(results: Results) -> str:
    """What the images are, as the networks see them: `grey`, or `of 3 channels (photos) and of 1 channel (MNIST)`."""
    counts = results.by_channels
    if list(counts) == [1]:
        return "grey"
    of = [f"of {words.counted(count, 'channel')}" for count in counts]
    named = [f"{text} ({dataset_labels(names)})" for text, names in zip(of, counts.values(), strict=True)]
    return words.listed(named if len(of) > 1 else of)


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


def fid_caption(results: Results) -> str:
    """What the figure of scores shows."""
    several = len(results.study.seeds) > 1
    shown = "A dot for each seed, a bar and a number for their mean" if several else "One run each"
    floored = any(results.floor(dataset, name) is not None for dataset in results.datasets for name in results.extractors)
    line = "; the dotted line is the floor, what a perfect generator would score with so many images" if floored else ""
    crosses = " A cross is a run with a mark." if (results.runs["mark"] != "").any() else ""
    theirs = " The paper’s values are on a scale of their own." if any(map(paper.covers, results.datasets)) else ""
    return f"{shown}{line}.{crosses}{theirs}"


def unmeasured(results: Results) -> tuple[str, ...]:
    """`Inception FID: not measured`, for every feature space of the paper's or of the study in which no cell is."""
    wanted = dict.fromkeys([str(paper.facts()["protocol"]["extractor"]), *results.study.score.spaces])
    return tuple(f"{space(name)} FID: not measured" for name in wanted if name not in results.extractors)


def cost(results: Results) -> str:
    """The time that training took, by device, and what the columns of the cells count."""
    named = results.runs.dropna(subset=["seconds"]).fillna({"device": "a device not recorded"})
    spent = named.groupby("device")["seconds"].agg(["sum", "count"])
    shares = [
        f"{words.duration(row['sum'])} on {device} for {words.counted(int(row['count']), 'run')}"
        for device, row in spent.iterrows()
    ]
    columns = "Time and images/s are the training’s; device-hours are those of training, sampling and scoring."
    return f"Training took {words.listed(shares)}. {columns}" if shares else "No training time is recorded."
