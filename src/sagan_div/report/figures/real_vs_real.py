"""Real images against real ones."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullFormatter

from sagan_div.report import paper, prose
from sagan_div.report.figures.axes import absent, label_ends, logarithmic
from sagan_div.report.figures.style import OKABE_ITO, QUIET, WIDTH, colour
from sagan_div.report.gather import Results, rows_of

MARKS = dict(zip(prose.REAL_VS_REAL, (("blue", "o"), ("sky", "s"), ("vermillion", "D"), ("orange", "^")), strict=True))


def draw(results: Results) -> Figure:
    """Real against real images by their number: a row per dataset, a column per feature space; the printed values where the
    space is theirs."""
    found = set(results.real_vs_real["extractor"])
    spaces = [name for name in results.study.score.spaces if name in found]
    figure = Figure(figsize=(WIDTH, 3.2 * len(results.datasets) + 0.6))
    axes = figure.subplots(len(results.datasets), max(1, len(spaces)), squeeze=False, sharey="col")
    for dataset, row in zip(results.datasets, axes, strict=True):
        for ax, extractor in zip(row, spaces or ["classifier"], strict=True):
            ax.set_title(f"{paper.dataset_label(dataset)}, {prose.space(extractor)} features")
            _pairs(ax, rows_of(results.real_vs_real, dataset=dataset, extractor=extractor))
            if extractor == paper.facts()["protocol"]["extractor"]:
                _mark_printed(ax, results, dataset)
    key = [
        Line2D([], [], color=OKABE_ITO[shade], marker=mark, markersize=4, label=prose.REAL_VS_REAL[kind])
        for kind, (shade, mark) in MARKS.items()
    ]
    figure.legend(handles=key, loc="outside upper left", ncols=2)
    return figure


def _pairs(ax: Axes, rows: pd.DataFrame) -> None:
    """A dot for every pair of sets, a line through their means."""
    if rows.empty:
        absent(ax)
        return
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
    ax.set(xlabel="images on each side", ylabel="FID, real against real")


def _mark_printed(ax: Axes, results: Results, dataset: str) -> None:
    printed = {method: fid for method in results.methods if (fid := paper.fid(dataset, method)) is not None}
    for fid in printed.values():
        ax.axhline(fid, color=QUIET, linewidth=0.8, linestyle=(0, (1, 2)))
    right = ax.get_xlim()[1]
    label_ends(ax, {f"paper: {paper.label(name)}": (right, fid, colour(results, name)) for name, fid in printed.items()})
