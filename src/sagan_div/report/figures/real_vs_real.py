"""Real images against real ones."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter

from sagan_div.report import paper, prose
from sagan_div.report.figures.axes import absent, label_ends, logarithmic
from sagan_div.report.figures.style import OKABE_ITO, QUIET, WIDTH, colour
from sagan_div.report.gather import Results

MARKS = dict(zip(prose.REAL_VS_REAL, (("blue", "o"), ("sky", "s"), ("vermillion", "D"), ("orange", "^")), strict=True))


def draw(results: Results, dataset: str) -> Figure:
    """Real against real images by their number, a panel per feature space; the printed values where the space is theirs."""
    rows = results.real_vs_real[results.real_vs_real["dataset"] == dataset]
    spaces = [name for name in results.study.score.spaces if (rows["extractor"] == name).any()]
    figure = Figure(figsize=(WIDTH, 4.2))
    axes = figure.subplots(1, max(1, len(spaces)), squeeze=False).ravel()
    for ax, extractor in zip(axes, spaces, strict=False):
        _pairs(ax, rows[rows["extractor"] == extractor])
        ax.set_title(f"{paper.dataset_label(dataset)}, {prose.space(extractor)} features")
        if extractor == paper.facts()["protocol"]["extractor"]:
            _mark_printed(ax, results, dataset)
    if not spaces:
        absent(axes[0])
        return figure
    key = [
        Line2D([], [], color=OKABE_ITO[shade], marker=mark, markersize=4, label=prose.REAL_VS_REAL[kind])
        for kind, (shade, mark) in MARKS.items()
    ]
    figure.legend(handles=key, loc="outside upper left", ncols=2)
    return figure


def _pairs(ax: Axes, rows: pd.DataFrame) -> None:
    """A dot for every pair of sets, a line through their means."""
    ax.set_xscale("log")
    for (pair, sampler), values in rows.groupby(["pair", "sampler"]):
        name, mark = MARKS[(str(pair), str(sampler))]
        shade = OKABE_ITO[name]
        means = values.groupby("images")["fid"].mean()
        ax.plot(values["images"], values["fid"], mark, color=shade, markersize=3, alpha=0.35, markeredgewidth=0)
        ax.plot(means.index, means, color=shade, marker=mark, markersize=4)
    logarithmic(ax, rows["fid"].to_numpy(dtype=float))
    counts = sorted(rows["images"].unique())
    ax.set_xticks(counts, [f"{count:,}" for count in counts])
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set(xlabel="images on each side", ylabel="FID of real against real images")


def _mark_printed(ax: Axes, results: Results, dataset: str) -> None:
    printed = {method: fid for method in results.methods if (fid := paper.fid(dataset, method)) is not None}
    for fid in printed.values():
        ax.axhline(fid, color=QUIET, linewidth=0.8, linestyle=(0, (1, 2)))
    right = ax.get_xlim()[1]
    label_ends(ax, {paper.label(method): (right, fid, colour(results, method)) for method, fid in printed.items()})
