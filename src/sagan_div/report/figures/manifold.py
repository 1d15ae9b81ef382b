"""How true and how varied samples are."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sagan_div.report import paper, prose, words
from sagan_div.report.figures.axes import absent, label_ends
from sagan_div.report.figures.style import WIDTH, colour, marker
from sagan_div.report.gather import Results, rows_of


def draw(results: Results) -> Figure:
    """How true and how varied samples are: precision against recall, and density against coverage, a mark per method's mean."""
    extractor = next(iter(results.extractors), results.study.score.spaces[-1])
    figure = Figure(figsize=(WIDTH, 3.6 * len(results.datasets)))
    axes = figure.subplots(len(results.datasets), 2, squeeze=False)
    for dataset, row in zip(results.datasets, axes, strict=True):
        for ax, (across, up) in zip(row, (("recall", "precision"), ("coverage", "density")), strict=True):
            ax.set_title(paper.dataset_label(dataset))
            ax.set(xlabel=f"{across}, {prose.space(extractor)} features", ylabel=up)
            _marks(ax, results, dataset, extractor, across, up)
    return figure


def _marks(ax: Axes, results: Results, dataset: str, extractor: str, across: str, up: str) -> None:
    """A labelled mark for each method that has both measures; density alone can exceed 1."""
    rows = rows_of(results.scores, dataset=dataset, extractor=extractor).reindex(columns=["method", across, up])
    means = rows.dropna().groupby("method")[[across, up]].mean()
    ends = {}
    for method in [name for name in results.methods if name in means.index]:
        x, y, shade = float(means[across][method]), float(means[up][method]), colour(results, method)
        ax.plot([x], [y], marker(results, method), color=shade, markersize=6)
        ends[words.marked(paper.label(method), results.marks(dataset, method))] = (x, y, shade)
    ax.set_xlim(0, 1)
    ax.set_ylim(0, max(1.0, 1.1 * means[up].max()) if ends else 1.0)
    label_ends(ax, ends)
    if not ends:
        absent(ax)
