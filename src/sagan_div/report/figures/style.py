"""The look of every figure, and its files: one size of type, colours that differ to every eye, no date and no software."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import as_file, files

import matplotlib as mpl
from matplotlib.figure import Figure

from sagan_div.report.gather import Results

WIDTH = 9.6  # inches; the same for all, so that their type is of one size on the page
INK, QUIET, EDGE, RULE = "#1d1f23", "#5b5f66", "#a3a7ae", "#dfe1e5"
OKABE_ITO = {
    "orange": "#e69f00",
    "sky": "#56b4e9",
    "green": "#009e73",
    "purple": "#cc79a7",
    "blue": "#0072b2",
    "vermillion": "#d55e00",
}
MARKERS = "osD^vP*XphH"
ANONYMOUS: dict[str, dict[str, None]] = {
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


@contextmanager
def applied() -> Iterator[None]:
    """matplotlib's settings from style.mplstyle, for the time of the block."""
    with as_file(files("sagan_div.report").joinpath("style.mplstyle")) as path, mpl.rc_context(fname=path):
        yield


def encode(figure: Figure, ending: str, conditions: str = "") -> bytes:
    """A figure as png or pdf, without dates or names of software; `conditions` travel in the file."""
    buffer, described = io.BytesIO(), {"Subject" if ending == "pdf" else "Description": conditions} if conditions else {}
    figure.savefig(buffer, format=ending, metadata=ANONYMOUS[ending] | described)
    return buffer.getvalue()


def hue(results: Results, method: str) -> str:
    """The name of a method's colour: Okabe and Ito's in turn, and ink for the paper's own method."""
    if method == "sagan-div-d":
        return "ink"
    others = [name for name in results.methods if name != "sagan-div-d"]
    return list(OKABE_ITO)[others.index(method) % len(OKABE_ITO)]


def colour(results: Results, method: str) -> str:
    return (OKABE_ITO | {"ink": INK})[hue(results, method)]


def marker(results: Results, method: str) -> str:
    return MARKERS[results.methods.index(method) % len(MARKERS)]
