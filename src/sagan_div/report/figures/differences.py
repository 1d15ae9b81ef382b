"""The comparisons of FIDs behind the claims."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sagan_div.report import paper
from sagan_div.report.claims import Judgement
from sagan_div.report.figures.axes import beside, rows
from sagan_div.report.figures.style import EDGE, OKABE_ITO, QUIET, WIDTH
from sagan_div.report.gather import NOT_RUN, Results
from sagan_div.report.outcomes import Outcome


def draw(results: Results, judgements: Sequence[Judgement]) -> Figure:
    """Every comparison of FIDs behind the claims: the relative difference of the means with its 95 % t interval."""
    shown = [name for name in results.datasets if paper.covers(name)]
    found = {dataset: comparisons(judgements, dataset) for dataset in shown}
    pairs = list(dict.fromkeys(pair for outcomes in found.values() for pair in outcomes))
    figure = Figure(figsize=(WIDTH, 0.28 * len(pairs) + 1.15))
    axes = figure.subplots(1, len(shown), squeeze=False, sharey=True).ravel()
    for ax, dataset in zip(axes, shown, strict=True):
        rows(ax, [f"{paper.label(lower)} < {paper.label(higher)}" for lower, higher in pairs])
        for row, pair in enumerate(pairs):
            _difference(ax, row, found[dataset].get(pair), _marks(results, dataset, pair))
        ax.axvline(0, color=EDGE, linewidth=1)
        ax.set_title(paper.dataset_label(dataset))
    figure.supxlabel(
        "difference of the mean FIDs in per cent of the second; left of 0 is the paper’s way", fontsize=9, color=QUIET
    )
    return figure


def comparisons(judgements: Sequence[Judgement], dataset: str) -> dict[tuple[str, str], Outcome]:
    """The comparisons of FIDs on a dataset, once each, by (lower, higher)."""
    outcomes = [outcome for judgement in judgements for outcome in judgement.outcomes]
    chosen = [each for each in outcomes if each.dataset == dataset and each.measure == "fid" and each.than]
    return {(outcome.method, str(outcome.than)): outcome for outcome in chosen}


def _marks(results: Results, dataset: str, pair: tuple[str, str]) -> str:
    """What runs of either side are marked with: `SNGAN: not left its start`."""
    said = {paper.label(method): results.marks(dataset, method) for method in pair}
    return "; ".join(f"{label}: {marks}" for label, marks in said.items() if marks)


def _difference(ax: Axes, row: int, outcome: Outcome | None, marks: str) -> None:
    if outcome is not None and outcome.by == "ranks":
        beside(ax, 0, row, "by ranks")
        return
    if outcome is None or outcome.relative is None or outcome.mean_than is None:
        beside(ax, 0, row, NOT_RUN)
        return
    agrees = outcome.relative < 0
    shade = OKABE_ITO["blue" if agrees else "vermillion"]
    if outcome.interval:
        ax.plot([100 * end / outcome.mean_than for end in outcome.interval], [row, row], color=shade, linewidth=1.4)
    ax.plot([100 * outcome.relative], [row], "o" if agrees else "X", color=shade, markersize=5)
    if marks:
        ax.annotate(marks, (0, row), (2, 5), textcoords="offset points", fontsize=5.5, color=QUIET)
