"""The charts of the page, a group for each of its figures."""

from collections.abc import Iterator, Sequence
from itertools import product

from sagan_div.report import catalogue, paper
from sagan_div.report.charts import classes, differences, losses, manifold, progress, real_vs_real, scores
from sagan_div.report.charts.chart import Chart
from sagan_div.report.claims import Judgement
from sagan_div.report.figures.manifold import PLANES
from sagan_div.report.gather import Results

Groups = dict[str, list[Chart]]


def every(results: Results, judgements: Sequence[Judgement]) -> Groups:
    """The charts of each figure by its name in the catalogue, where the study has it and there is something to draw."""
    groups = {figure.name: list(_charts(figure, results, judgements)) for figure in catalogue.figures(results.study)}
    return {name: charts for name, charts in groups.items() if charts}


def _charts(figure: catalogue.Figure, results: Results, judgements: Sequence[Judgement]) -> Iterator[Chart]:
    dataset, covered = figure.dataset, [name for name in results.datasets if paper.covers(name)]
    match figure.kind:
        case "fid":
            for name in results.datasets:
                yield scores.ours(results, name)
                if name in covered:
                    yield scores.printed(results, name)
        case "differences":
            yield from (differences.draw(results, judgements, name) for name in covered)
        case "manifold":
            yield from (manifold.draw(results, name, *plane) for name, plane in product(results.datasets, PLANES))
        case "real-vs-real" if len(results.real_vs_real):
            yield from (real_vs_real.draw(results, name) for name in results.datasets)
        case "progress" if (results.history["dataset"] == dataset).any():
            yield progress.draw(results, dataset)
        case "losses":
            yield from filter(None, (losses.draw(results, dataset, method) for method in results.methods))
        case "classes":
            yield from filter(None, (classes.draw(results, dataset, method) for method in results.methods))
