"""How true and how varied samples are."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sagan_div.report import paper, prose
from sagan_div.report.figures.axes import absent, key
from sagan_div.report.figures.style import WIDTH, colour, marker
from sagan_div.report.gather import Results, rows_of

PLANES = (("recall", "precision"), ("coverage", "density"))  # across, up


def draw(results: Results) -> Figure:
    """How true and how varied samples are: precision against recall, and density against coverage. A mark for each method's
    mean, bars from the least to the greatest seed."""
    extractor = next(iter(results.extractors), results.study.score.spaces[-1])
    figure = Figure(figsize=(WIDTH, 3.6 * len(results.datasets) + 0.5))
    axes = figure.subplots(len(results.datasets), 2, squeeze=False)
    for dataset, row in zip(results.datasets, axes, strict=True):
        for ax, (across, up) in zip(row, PLANES, strict=True):
            ax.set_title(paper.dataset_label(dataset))
            ax.set(xlabel=f"{across}, {prose.space(extractor)} features", ylabel=up)
            _marks(ax, results, dataset, extractor, across, up)
    key(figure, results, results.datasets)
    return figure


def _marks(ax: Axes, results: Results, dataset: str, extractor: str, across: str, up: str) -> None:
    """A mark for each method that has both measures; density alone can exceed 1."""
    rows = rows_of(results.scores, dataset=dataset, extractor=extractor).reindex(columns=["method", across, up]).dropna()
    for method in [name for name in results.methods if (rows["method"] == name).any()]:
        chosen, shade = rows[rows["method"] == method], colour(results, method)
        x, y = float(chosen[across].mean()), float(chosen[up].mean())
        ax.plot([chosen[across].min(), chosen[across].max()], [y, y], color=shade, linewidth=1)
        ax.plot([x, x], [chosen[up].min(), chosen[up].max()], color=shade, linewidth=1)
        ax.plot([x], [y], marker(results, method), color=shade, markersize=6, clip_on=False, zorder=3)
    ax.set_xlim(0, 1)
    ax.set_ylim(0, max(1.0, 1.1 * float(rows[up].max())) if len(rows) else 1.0)
    if rows.empty:
        absent(ax)
