"""The function of each figure of `catalogue.FIGURES`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from sagan_div.report import catalogue
from sagan_div.report.claims import Judgement
from sagan_div.report.figures import albums, classes, differences, losses, manifold, progress, real_vs_real, scores
from sagan_div.report.gather import Results
from sagan_div.report.pictures import Albums


@dataclass(frozen=True)
class Findings:
    """What figures show: results, the verdicts on the paper's claims, and images by dataset."""

    results: Results
    judgements: Sequence[Judgement]
    albums: dict[str, Albums]


MAKERS: dict[str, Callable[[Findings, str], Figure]] = {  # (findings, dataset) -> figure
    "fid": lambda found, _: scores.draw(found.results),
    "differences": lambda found, _: differences.draw(found.results, found.judgements),
    "manifold": lambda found, _: manifold.draw(found.results),
    "samples": lambda found, dataset: albums.draw(found.albums[dataset]["samples"]),
    "neighbours": lambda found, dataset: albums.draw(found.albums[dataset]["neighbours"]),
    "interpolations": lambda found, dataset: albums.draw(found.albums[dataset]["interpolations"]),
    "progress": lambda found, dataset: progress.draw(found.results, dataset),
    "losses": lambda found, dataset: losses.draw(found.results, dataset),
    "real-vs-real": lambda found, _: real_vs_real.draw(found.results),
    "classes": lambda found, dataset: classes.draw(found.results, dataset),
}


def draw(wanted: catalogue.Figure, found: Findings) -> Figure:
    """A figure of `catalogue.figures`; what has not been run is named in its place. Call inside `style.applied()`."""
    figure = MAKERS[wanted.kind](found, wanted.dataset)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # laid out once, saved in several formats
    return figure
