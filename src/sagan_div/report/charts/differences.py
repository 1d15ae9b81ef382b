"""The comparisons of FIDs behind the claims."""

from collections.abc import Iterator, Sequence
from typing import Any

import altair as alt

from sagan_div.report import paper, ratios
from sagan_div.report.charts import chart
from sagan_div.report.charts.chart import Chart
from sagan_div.report.claims import Judgement
from sagan_div.report.gather import NOT_RUN, Results

TICKS = [1 / 64, 1 / 16, 1 / 4, 1 / 2, 1, 2, 4, 16, 64]
FRACTION = "datum.value < 1 ? '1/' + format(1 / datum.value, '.3~r') : datum.label"


def draw(results: Results, judgements: Sequence[Judgement], dataset: str) -> Chart:
    """Ratios of mean FIDs with their 95 % t intervals on a logarithmic axis: left of 1 is the paper's way."""
    rows = list(_rows(results, judgements, dataset))
    values = [row["ratio"] for row in rows if row["ratio"]]
    reach = 2 * max([1.5, *values, *(1 / value for value in values)])
    scale = alt.Scale(type="log", domain=[1 / reach, reach], nice=False)
    axis = alt.Axis(values=[tick for tick in TICKS if 1 / reach <= tick <= reach], labelExpr=FRACTION)

    def x(field: str) -> alt.X:
        return alt.X(field, type="quantitative", scale=scale, axis=axis, title="mean FID of the first : of the second")

    pairs = "indexof(methods, datum.first) >= 0 && indexof(methods, datum.second) >= 0"
    shown = chart.chart_of(rows).transform_filter(f"{pairs} && {chart.SPACE}")
    labels = list(dict.fromkeys(row["label"] for row in rows))
    y = chart.rows_axis(labels)
    way = alt.Scale(domain=["the paper’s way", "the other way"], range=["var(--blue)", "var(--vermillion)"])
    there = shown.transform_filter("isValid(datum.ratio)")
    colour = alt.Color("way:N", scale=way)
    marks = alt.Shape("way:N", scale=alt.Scale(domain=way.domain, range=["circle", "cross"]))
    tip = chart.tooltip({"pair": "comparison", "marks": "marks"}, {"ratio": "ratio", "low": "from", "high": "to"})
    one = chart.chart_of([{"ratio": 1}]).mark_rule(color=chart.EDGE).encode(x("ratio"))
    drawn = alt.layer(
        one,
        there.mark_rule(strokeWidth=1.6, clip=True).encode(x("low"), y, alt.X2("high"), color=colour),
        there.mark_point(filled=True, size=70, opacity=1).encode(x("ratio"), y, colour, marks, tooltip=tip),
        shown.transform_filter("!isValid(datum.ratio)")
        .mark_text(align="left", color=chart.QUIET)
        .encode(y=y, x=alt.value(4), text="why:N"),
    )
    return chart.made(results, f"differences-{dataset}", paper.dataset_label(dataset), drawn, chart.STEP * len(labels), dataset)


def _rows(results: Results, judgements: Sequence[Judgement], dataset: str) -> Iterator[dict[str, Any]]:
    """A row for each comparison in each feature space in which the claims are judged."""
    for extractor, judged in _by_space(results, judgements).items():
        for pair, outcome in ratios.comparisons(judged, dataset).items():
            ratio, marks = ratios.of_outcome(results, outcome, extractor), ratios.marks(results, dataset, pair)
            ends = ratio.ends if ratio and ratio.ends else (None, None)
            yield {
                "first": pair[0],
                "second": pair[1],
                "space": extractor,
                "pair": ratios.in_words(pair),
                "label": "\n".join(filter(None, [ratios.in_words(pair), marks])),
                "marks": marks,
                "ratio": chart.rounded(ratio.value) if ratio else None,
                "low": chart.rounded(ends[0]),
                "high": chart.rounded(ends[1]),
                "way": "the paper’s way" if ratio and ratio.value < 1 else "the other way",
                "why": "by ranks" if outcome.by == "ranks" else NOT_RUN,
            }


def _by_space(results: Results, judgements: Sequence[Judgement]) -> dict[str, list[Judgement]]:
    first = judgements[0].extractor or results.study.score.spaces[-1]
    found = {first: list(judgements)}
    for other in (other for judgement in judgements for other in judgement.elsewhere if other.extractor):
        found.setdefault(str(other.extractor), []).append(other)
    return found
