"""What a study plans and nobody has run or measured yet."""

import pandas as pd

from sagan_div.report import paper, prose, words
from sagan_div.report.gather import NOT_RUN, Results, rows_of

STATES = {NOT_RUN: "not run", "trained": "trained but not sampled", "sampled": "sampled but not scored"}


def sentences(results: Results) -> list[str]:
    """A sentence for each of them; empty when all of it is there."""
    return [*_unfinished(results), *_unmeasured(results), *_left_out(results)]


def _unfinished(results: Results) -> list[str]:
    lines = []
    for state, what in STATES.items():
        rows = results.runs[results.runs["state"] == state]
        if len(rows):
            planned = words.counted(len(results.runs), "cell")
            lines.append(f"{len(rows)} of {planned} {words.are(len(rows))} {what}: {_cells(rows, results)}.")
    return lines


def _cells(rows: pd.DataFrame, results: Results) -> str:
    """Cells by name, seeds gathered: `DCGAN on MNIST (seeds 1 and 2)`; all seeds go without saying."""
    named = []
    for (dataset, method), group in rows.groupby(["dataset", "method"], sort=False):
        which = [str(seed) for seed in group["seed"]]
        noun = "seed" if len(which) == 1 else "seeds"
        some = "" if len(which) == len(results.study.seeds) else f" ({noun} {words.listed(which)})"
        named.append(f"{paper.label(str(method))} on {paper.dataset_label(str(dataset))}{some}")
    return words.listed(named)


def _unmeasured(results: Results) -> list[str]:
    lines = []
    for extractor in results.study.score.spaces:
        rows = rows_of(results.scores, extractor=extractor)
        rows, measured = rows[rows["fid"].isna()], extractor in results.extractors
        for why, group in rows.groupby("why", dropna=False):
            share = f"is not measured for {words.counted(len(group), 'cell')}" if measured else "is not measured"
            reason = why if isinstance(why, str) else "no reason is recorded"
            lines.append(f"FID in {prose.space(extractor)} features {share}: {reason}.")
    return [*lines, *_failed(results)]


def _failed(results: Results) -> list[str]:
    """Metrics that could not be had of samples that are there, with the reason."""
    lines = []
    for metric in results.metrics:
        if f"why_{metric.name}" in results.scores:
            for (extractor, why), group in results.scores.groupby(["extractor", f"why_{metric.name}"]):
                cells = words.counted(len(group), "cell")
                lines.append(f"{metric.title} in {prose.space(str(extractor))} features is not measured for {cells}: {why}.")
    return lines


def _left_out(results: Results) -> list[str]:
    """The paper's rows and datasets that the study itself leaves out."""
    rows = prose.labels([method for method in paper.facts()["labels"] if method not in results.methods])
    datasets = [paper.dataset_label(name) for name in paper.facts()["datasets"] if name not in results.datasets]
    return [
        f"The paper’s {words.listed(names)} {words.are(len(names))} not part of this study."
        for names in (rows, datasets)
        if names
    ]
