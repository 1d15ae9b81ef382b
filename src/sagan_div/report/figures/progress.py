"""How ratings fall while critics see images."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from sagan_div.report import paper
from sagan_div.report.figures.axes import absent, key, logarithmic
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
    for method in [name for name in results.methods if (rated["method"] == name).any()]:
        _trail(ax, results, method, rated[rated["method"] == method])
    ax.set(xlabel="real images that the critic has seen", ylabel="rating: FID, classifier features")
    ax.set_xlim(0, rated["images"].max())
    ax.xaxis.set_major_formatter(EngFormatter(sep=" "))
    logarithmic(ax, rated["fid"].to_numpy(dtype=float))
    key(figure, results, [dataset])
    return figure


def _trail(ax: Axes, results: Results, method: str, rated: pd.DataFrame) -> None:
    shade = colour(results, method)
    runs = rated.pivot_table(index="images", columns="seed", values="fid")
    if runs.shape[1] > 1:
        ax.plot(runs.index, runs, color=shade, linewidth=0.7, alpha=0.4)
    mean = runs.mean(axis=1)
    ax.plot(mean.index, mean, color=shade, marker=marker(results, method), markersize=3.4, clip_on=False)
