"""The comparisons of FIDs behind the claims."""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator

from sagan_div.report import paper, ratios
from sagan_div.report.claims import Judgement
from sagan_div.report.figures.axes import beside, rows
from sagan_div.report.figures.style import EDGE, OKABE_ITO, QUIET, WIDTH
from sagan_div.report.gather import NOT_RUN, Results
from sagan_div.report.outcomes import Outcome
from sagan_div.report.ratios import Ratio

TICKS = (1 / 64, 1 / 16, 1 / 4, 1 / 2, 1, 2, 4, 16, 64)


def draw(results: Results, judgements: Sequence[Judgement]) -> Figure:
    """Every comparison of FIDs behind the claims: the ratio of the means with its 95 % t interval, on a logarithmic axis."""
    shown = [name for name in results.datasets if paper.covers(name)]
    found = {dataset: ratios.comparisons(judgements, dataset) for dataset in shown}
    pairs = list(dict.fromkeys(pair for outcomes in found.values() for pair in outcomes))
    figure = Figure(figsize=(WIDTH, 0.34 * len(pairs) + 1.15))
    axes = figure.subplots(1, len(shown), squeeze=False, sharey=True, sharex=True).ravel()
    reach = 1.5
    for ax, dataset in zip(axes, shown, strict=True):
        ax.set_xscale("log")
        rows(ax, [ratios.in_words(pair) for pair in pairs])
        for row, pair in enumerate(pairs):
            outcome = found[dataset].get(pair)
            ratio = ratios.of_outcome(results, outcome, judgements[0].extractor) if outcome else None
            _ratio(ax, row, outcome, ratio, ratios.marks(results, dataset, pair))
            reach = max(reach, *((ratio.value, 1 / ratio.value) if ratio else (0,)))
        ax.axvline(1, color=EDGE, linewidth=1)
        ax.set_title(paper.dataset_label(dataset))
    axes[0].set_xlim(0.5 / reach, 2 * reach)  # wider intervals run off the axis
    axes[0].xaxis.set_major_locator(FixedLocator([tick for tick in TICKS if 0.5 / reach <= tick <= 2 * reach]))
    axes[0].xaxis.set_minor_locator(NullLocator())
    axes[0].xaxis.set_major_formatter(lambda value, _: f"{value:g}" if value >= 1 else f"1/{1 / value:g}")
    figure.supxlabel("mean FID of the first : that of the second; left of 1 is the paper’s way", fontsize=9, color=QUIET)
    return figure


def _ratio(ax: Axes, row: int, outcome: Outcome | None, ratio: Ratio | None, marks: str) -> None:
    if ratio is None:
        beside(ax, 1, row, "by ranks" if outcome is not None and outcome.by == "ranks" else NOT_RUN)
        return
    agrees = ratio.value < 1
    shade = OKABE_ITO["blue" if agrees else "vermillion"]
    if ratio.ends:
        ax.plot(ratio.ends, [row, row], color=shade, linewidth=1.4)
    ax.plot([ratio.value], [row], "o" if agrees else "X", color=shade, markersize=5, clip_on=False, zorder=3)
    if marks:
        text = ax.annotate(marks, (1, row), (-2, 6), xycoords=("axes fraction", "data"), textcoords="offset points")
        text.set(fontsize=5.5, color=QUIET, ha="right")
