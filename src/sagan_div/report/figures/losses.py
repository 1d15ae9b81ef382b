"""The losses of critic and generator."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter

from sagan_div.report import paper
from sagan_div.report.figures.axes import absent, panels
from sagan_div.report.figures.style import OKABE_ITO, QUIET
from sagan_div.report.gather import Results, rows_of

LOSSES = {"loss_critic": ("critic", "blue"), "loss_generator": ("generator", "vermillion")}
SPIKES = 0.05  # of a run's images, at its start, whose losses do not set the scale


def draw(results: Results, dataset: str) -> Figure:
    """The losses of critic and generator, a panel per method: different losses share no scale."""
    figure, axes = panels(len(results.methods), height=1.75, margin=0.55)
    for ax, method in zip(axes, results.methods, strict=True):
        _losses(ax, rows_of(results.history, dataset=dataset, method=method), paper.label(method))
        ax.set_title(results.marks(dataset, method), loc="right", fontsize=7.5, color=QUIET)
    figure.supxlabel("real images that the critic has seen; spikes of the start run off the axis", fontsize=9, color=QUIET)
    key = [Line2D([], [], color=OKABE_ITO[shade], label=f"loss of the {label}") for label, shade in LOSSES.values()]
    figure.legend(handles=key, loc="outside upper left", ncols=2)
    return figure


def _losses(ax: Axes, history: pd.DataFrame, title: str) -> None:
    ax.set_title(title)
    if history.empty:
        absent(ax)
        return
    ax.xaxis.set_major_formatter(EngFormatter(sep=" "))
    for name, (_, shade) in LOSSES.items():
        for _, run in history.groupby("seed"):
            ax.plot(run["images"], run[name], color=OKABE_ITO[shade], linewidth=0.8, alpha=0.75)
    if ends := span(history):
        ax.set_ylim(*ends)


def span(history: pd.DataFrame) -> tuple[float, float] | None:
    """The ends of an axis for the losses of some runs: those after the first SPIKES of the images, less a hundredth of them at
    either end, and a little room. None where there are no finite ones."""
    settled = history[history["images"] > SPIKES * history["images"].max()]
    values = settled[list(LOSSES)].to_numpy(dtype=float)
    values = values[np.isfinite(values)]
    if not len(values):
        return None
    low, high = np.quantile(values, (0.01, 0.99))
    room = 0.15 * (high - low) or 0.1 * abs(high) or 1.0
    return float(low - room), float(high + room)
