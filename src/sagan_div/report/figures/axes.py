"""What several figures do with an axis."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter

from sagan_div.report import paper, words
from sagan_div.report.figures.style import INK, QUIET, WIDTH, colour, marker
from sagan_div.report.gather import NOT_RUN, Results


def panels(count: int, height: float, margin: float, sharey: bool = False) -> tuple[Figure, list[Axes]]:
    """A figure of so many axes, at most four across; `height` of a row and `margin` beside the rows in inches."""
    across = max(1, min(4, count))
    down = -(-count // across)
    figure = Figure(figsize=(WIDTH, height * down + margin))
    axes = list(figure.subplots(down, across, squeeze=False, sharey=sharey).ravel())
    for ax in axes[count:]:
        ax.axis("off")
    return figure, axes[:count]


def absent(ax: Axes) -> None:
    """An empty place that says why."""
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    ax.text(0.5, 0.5, NOT_RUN, transform=ax.transAxes, ha="center", va="center", color=QUIET)


def logarithmic(ax: Axes, values: np.ndarray) -> None:
    """A logarithmic axis with plain numbers; its small steps are numbered where there are few large ones."""
    if values.min() <= 0:
        return
    ax.set_yscale("log")
    ax.yaxis.set_major_formatter("{x:g}")
    decades = np.log10(values.max() / values.min())
    if decades > 2:
        ax.yaxis.set_minor_formatter(NullFormatter())
    else:
        ax.yaxis.set_minor_locator(LogLocator(subs=(2, 5) if decades > 0.6 else range(2, 10)))
        ax.yaxis.set_minor_formatter("{x:g}")


def label_ends(ax: Axes, ends: dict[str, tuple[float, float, str]]) -> None:
    """Labels (x, y, colour) right of the axes at the height of their values, moved apart where they would overlap."""
    to_axes = ax.transScale + ax.transLimits
    order = sorted(ends, key=lambda label: ends[label][1])
    heights = apart([float(to_axes.transform(ends[label][:2])[1]) for label in order], 0.07)
    for label, height in zip(order, heights, strict=True):
        text = ax.annotate(label, (1.02, height), xycoords="axes fraction", annotation_clip=False)
        text.set(color=ends[label][2], va="center", fontsize=7.5)


def key(figure: Figure, results: Results, datasets: Sequence[str]) -> None:
    """The methods by colour and mark, below the axes; what their runs on the datasets are marked with stands beside them."""
    handles = []
    for method in results.methods:
        said = [(paper.dataset_label(dataset), results.marks(dataset, method)) for dataset in datasets]
        marked = [f"{label}: {marks}" if len(datasets) > 1 else marks for label, marks in said if marks]
        text = words.marked(paper.label(method), "; ".join(marked))
        handles.append(Line2D([], [], label=text, color=colour(results, method), marker=marker(results, method), markersize=4))
    figure.legend(handles=handles, loc="outside lower center", ncols=min(4, len(handles)))


def apart(heights: list[float], gap: float) -> list[float]:
    """Rising heights moved as little as need be until neighbours are `gap` apart; groups keep their centre where 0 allows."""
    groups: list[list[float]] = []
    for height in heights:
        groups.append([height])
        while len(groups) > 1 and _bottom(groups[-1], gap) - _bottom(groups[-2], gap) < gap * len(groups[-2]) - 1e-9:
            groups[-2:] = [groups[-2] + groups[-1]]
    return [_bottom(group, gap) + gap * index for group in groups for index in range(len(group))]


def _bottom(group: list[float], gap: float) -> float:
    return max(0.0, sum(group) / len(group) - gap * (len(group) - 1) / 2)


def rows(ax: Axes, labels: Sequence[str]) -> None:
    """An axis of names, the first on top."""
    ax.set_ylim(len(labels) - 0.5, -0.6)
    ax.set_yticks(range(len(labels)), labels)
    ax.tick_params(axis="y", length=0, labelcolor=INK)
    ax.grid(False, axis="y")


def beside(ax: Axes, x: float, row: int, text: str) -> None:
    ax.annotate(text, (x, row), xytext=(7, 0), textcoords="offset points", va="center", fontsize=7.5, color=QUIET)
