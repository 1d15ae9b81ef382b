"""How ratings fall while critics see images."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from sagan_div.report import paper, words
from sagan_div.report.figures.axes import absent, label_ends, logarithmic
from sagan_div.report.figures.style import WIDTH, colour, marker
from sagan_div.report.gather import Results, rows_of


def draw(results: Results, dataset: str) -> Figure:
    """The rating (FID in classifier features) against real images seen: thin lines are seeds, thick ones their mean."""
    figure = Figure(figsize=(WIDTH, 4.6))
    ax = figure.subplots()
    ax.set_title(paper.dataset_label(dataset))
    rated = rows_of(results.history, dataset=dataset).dropna(subset=["fid"])
    if rated.empty:
        absent(ax)
        return figure
    rows = {method: rated[rated["method"] == method] for method in results.methods if (rated["method"] == method).any()}
    ends = {method: _trail(ax, results, method, runs) for method, runs in rows.items()}
    ax.set(xlabel="real images that the critic has seen", ylabel="rating: FID, classifier features")
    ax.set_xlim(left=0)
    ax.xaxis.set_major_formatter(EngFormatter(sep=" "))
    logarithmic(ax, rated["fid"].to_numpy(dtype=float))
    names = {method: words.marked(paper.label(method), results.marks(dataset, method)) for method in ends}
    label_ends(ax, {names[method]: (*point, colour(results, method)) for method, point in ends.items()})
    return figure


def _trail(ax: Axes, results: Results, method: str, rated: pd.DataFrame) -> tuple[float, float]:
    """One method's lines; returns where their mean ends."""
    shade = colour(results, method)
    runs = rated.pivot_table(index="images", columns="seed", values="fid")
    if runs.shape[1] > 1:
        ax.plot(runs.index, runs, color=shade, linewidth=0.7, alpha=0.4)
    mean = runs.mean(axis=1)
    ax.plot(mean.index, mean, color=shade, marker=marker(results, method), markersize=3.4)
    return float(mean.index[-1]), float(mean.iloc[-1])
