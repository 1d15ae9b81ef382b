"""What a chart of the page is, and how all of them look and are switched.

A chart is one view, so that the page can put several beside each other or below. Its rows name their `method`, `seed` and
`space`, and it draws those that the signals of the page let through; without JavaScript these are at their first values.
"""

import json
import math
import re
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import altair as alt
import vl_convert

from sagan_div.report import paper
from sagan_div.report.figures import style
from sagan_div.report.gather import Results

Rows = list[dict[str, Any]]
Drawn = alt.Chart | alt.LayerChart | alt.FacetChart
WIDTH, STEP = 440, 32  # of a still, and for a row of names, in pixels
VERSION = ".".join(alt.SCHEMA_VERSION.removeprefix("v").split(".")[:2])  # of Vega-Lite
SHAPES = ("circle", "square", "diamond", "triangle-up", "cross", "triangle-down", "triangle-left", "triangle-right")
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"  # the first comes with vl-convert: the same widths everywhere
FIT = {"type": "fit-x", "contains": "padding"}  # as a width of "container" has it
INK, QUIET, EDGE, RULE = (f"var(--{name})" for name in ("ink", "quiet", "edge", "rule"))
METHODS = "indexof(methods, datum.method) >= 0"
SEEDS = "indexof(seeds, datum.seed) >= 0"
SPACE = "datum.space == space"
CONFIG: dict[str, Any] = {  # colours are the page's variables, so that charts follow it into the dark
    "font": FONT,
    "background": None,
    "padding": {"left": 12, "top": 5, "right": 8, "bottom": 5},
    "aria": False,  # the page itself says what a chart is
    "mark": {"aria": False},
    "view": {"stroke": None},
    "axis": {"labelColor": QUIET, "titleColor": QUIET, "gridColor": RULE, "domainColor": EDGE, "tickColor": EDGE}
    | {"labelFontSize": 11, "titleFontSize": 11, "titleFontWeight": "normal", "tickCount": 5, "labelOverlap": True},
    "axisY": {"domain": False, "ticks": False},
    "legend": {"labelColor": INK, "labelFontSize": 11, "orient": "bottom", "columns": 3, "title": None, "symbolSize": 70}
    | {"labelLimit": 240, "columnPadding": 18, "symbolOpacity": 1},
    "text": {"color": INK, "fontSize": 11},
}


@dataclass(frozen=True)
class Chart:
    """A chart for the page: its heading, its specification, a still of it, and what it is of.

    `axis`: the one that readers may have linear or logarithmic, by the scale `log`, which is symmetric for
    values of both signs. `method`: of a chart that is of one method alone.
    """

    title: str
    spec: dict[str, Any]
    still: str
    dataset: str
    axis: Literal["x", "y", ""] = ""
    method: str = ""
    log: Literal["log", "symlog"] = "log"


def made(
    results: Results,
    name: str,
    title: str,
    drawn: Drawn,
    height: int,
    dataset: str,
    axis: Literal["x", "y", ""] = "",
    method: str = "",
    log: Literal["log", "symlog"] = "log",
) -> Chart:
    """A chart from what altair drew; `name` is its own among all of the page."""
    spec = drawn.properties(width="container", height=height).to_dict()
    del spec["$schema"]  # an address
    spec["config"] = {}  # the page's, once for all
    spec["params"] = signals(results, axis == "y")
    return Chart(title, spec, _still(spec, name), dataset, axis, method, log)


def signals(results: Results, logarithmic: bool = False) -> list[dict[str, Any]]:
    """What readers choose from, at its first values."""
    first = next(iter(results.extractors), results.study.score.spaces[-1])
    values = {"methods": results.methods, "seeds": list(results.study.seeds), "space": first}
    return [{"name": name, "value": value} for name, value in (values | {"logarithmic": logarithmic}).items()]


def _still(spec: dict[str, Any], name: str) -> str:
    """A chart as SVG. Its identifiers are made its own: the converter counts on from chart to chart."""
    svg: str = vl_convert.vegalite_to_svg(spec | {"width": WIDTH, "autosize": FIT, "config": CONFIG}, vl_version=VERSION)
    own = {found: f"{name}-{number}" for number, found in enumerate(dict.fromkeys(re.findall(r'<[^>]*\sid="([^"]+)"', svg)))}
    refers = re.compile(r'(\sid="|url\(#|href="#)([^")]+)')
    return re.sub(r"<[^>]+>", lambda tag: refers.sub(lambda to: to[1] + own.get(to[2], to[2]), tag[0]), svg)  # no text


@cache
def runtime() -> str:
    """Vega, Vega-Lite and vega-embed as one script, which leaves `vegaEmbed` to the page."""
    script: str = vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed", vl_version=VERSION)
    return script.replace("</script", r"<\/script")


def rounded(value: Any) -> float | None:
    """Five digits, which is more than a chart shows; None for what is no finite number."""
    number = math.nan if value is None else float(value)
    return float(f"{number:.5g}") if math.isfinite(number) else None


def chart_of(rows: Rows) -> alt.Chart:
    return alt.Chart(alt.InlineData(values=rows))


def label(results: Results, method: str, dataset: str = "") -> str:
    """A method's name and, on a second line, what its runs on the dataset are marked with."""
    return "\n".join(filter(None, [paper.label(method), dataset and results.marks(dataset, method)]))


def hue(results: Results, method: str) -> str:
    """A method's colour, as the figures have it."""
    return f"var(--{style.hue(results, method)})"


def colour(results: Results, legend: bool = False) -> alt.Color:
    """Each method in its own colour, whichever others are shown."""
    key = alt.Legend(labelExpr=_names(results)) if legend else None
    hues = [hue(results, method) for method in results.methods]
    return alt.Color("method:N", scale=alt.Scale(domain=results.methods, range=hues), legend=key)


def shape(results: Results) -> alt.Shape:
    """Each method by a mark of its own, in the legend of its colour."""
    marks = [SHAPES[place % len(SHAPES)] for place in range(len(results.methods))]
    key = alt.Legend(labelExpr=_names(results))
    return alt.Shape("method:N", scale=alt.Scale(domain=results.methods, range=marks), legend=key)


def _names(results: Results) -> str:
    return f"{json.dumps({method: paper.label(method) for method in results.methods})}[datum.label]"


def rows_axis(labels: list[str]) -> alt.Y:
    """A row for each label, the first on top; a line break in it is one on the axis."""
    axis = alt.Axis(title=None, grid=False, labelExpr=r"split(datum.label, '\n')", labelColor=INK, labelLimit=200)
    return alt.Y("label:N", sort=labels, axis=axis)


def images_axis() -> alt.X:
    scale, axis = alt.Scale(nice=False), alt.Axis(format="~s")
    return alt.X("images:Q", title="real images that the critic has seen", axis=axis, scale=scale)


def tooltip(names: dict[str, str], numbers: dict[str, str]) -> list[alt.Tooltip]:
    """What stands beside a mark under the pointer: field -> title; numbers to four digits."""
    return [
        *(alt.Tooltip(field, type="nominal", title=title) for field, title in names.items()),
        *(alt.Tooltip(field, type="quantitative", title=title, format=",.4~r") for field, title in numbers.items()),
    ]
