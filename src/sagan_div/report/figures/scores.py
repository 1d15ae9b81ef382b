"""FID by method."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sagan_div.report import marks, paper, prose, words
from sagan_div.report.figures.axes import beside, rows
from sagan_div.report.figures.style import QUIET, WIDTH, colour
from sagan_div.report.gather import NOT_RUN, Results


def draw(results: Results) -> Figure:
    """FID by method: a row of panels per dataset, and the paper's values in a panel of their own, never on our axis."""
    down, sides = len(results.datasets), _sides(results)
    figure = Figure(figsize=(WIDTH, down * (0.3 * len(results.methods) + 0.95)))
    axes = figure.subplots(down, len(sides), squeeze=False, sharey=True)
    for dataset, row in zip(results.datasets, axes, strict=True):
        for side, ax in zip(sides, row, strict=True):
            rows(ax, prose.labels(results.methods))
            _printed(ax, results, dataset) if side == "paper" else _measured(ax, results, dataset, side)
    return figure


def _sides(results: Results) -> list[str]:
    measured = results.extractors or list(results.study.score.spaces[-1:])
    return [*measured, *(["paper"] if any(paper.covers(dataset) for dataset in results.datasets) else [])]


def _measured(ax: Axes, results: Results, dataset: str, extractor: str) -> None:
    ax.set_title(paper.dataset_label(dataset))
    ax.set_xlabel(f"FID, {prose.space(extractor)} features")
    floor = results.floor(dataset, extractor)
    if floor is not None:
        ax.axvline(floor, color=QUIET, linewidth=1, linestyle=(0, (1, 2)))
    for row, method in enumerate(results.methods):
        _dots(ax, row, results.fids(dataset, method, extractor), colour(results, method), results.marked(dataset, method))
    ax.set_xlim(0, 1.12 * ax.dataLim.x1 if ax.dataLim.x1 > 0 else 1)


def _dots(ax: Axes, row: int, values: pd.Series, shade: str, marked: pd.Series) -> None:
    """A dot for each seed, a cross for a marked one, a bar at their mean, and its value with the marks."""
    said = marks.in_words(list(marked))
    if values.empty:
        text = said or NOT_RUN
        ax.annotate(text, (0.3, row), xycoords=("axes fraction", "data"), va="center", fontsize=7.5, color=QUIET)
        return
    ax.plot([values.min(), values.max()], [row, row], color=shade, linewidth=1, alpha=0.5)
    crossed = marked.reindex(values.index) != ""
    for chosen, shape in ((values[~crossed], {"marker": "o", "markeredgewidth": 0}), (values[crossed], {"marker": "x"})):
        ax.plot(chosen, [row] * len(chosen), linestyle="", color=shade, markersize=4, alpha=0.75, **shape)
    ax.plot([values.mean()], [row], marker="|", color=shade, markersize=12, markeredgewidth=1.8)
    _value(ax, float(values.max()), row, words.number(values.mean()), said)


def _value(ax: Axes, x: float, row: int, number: str, said: str) -> None:
    """The mean beside its dots, and marks on the side where there is room."""
    near = x < 0.5 * ax.dataLim.x1
    beside(ax, x, row, words.marked(number, said if near else ""))
    if said and not near:
        text = ax.annotate(said, (x, row), xytext=(-7, -9), textcoords="offset points", fontsize=7.5, color=QUIET)
        text.set(ha="right", va="center")


def _printed(ax: Axes, results: Results, dataset: str) -> None:
    printed = {row: fid for row, method in enumerate(results.methods) if (fid := paper.fid(dataset, method)) is not None}
    if not printed:
        ax.axis("off")
        return
    for row, fid in printed.items():
        shade = colour(results, results.methods[row])
        ax.plot([fid], [row], "D", markerfacecolor="none", color=shade, markersize=5, markeredgewidth=1.2)
        beside(ax, fid, row, words.number(fid))
    ax.set_title(f"{paper.dataset_label(dataset)} in the paper", color=QUIET)
    ax.set_xlabel("FID as printed, Inception features")
    ax.set_xlim(0, 1.12 * max(printed.values()))
