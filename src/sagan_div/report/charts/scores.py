"""FID by method, and the paper's values in a chart of their own: they are not on our scale."""

import altair as alt

from sagan_div.report import paper, words
from sagan_div.report.charts import chart
from sagan_div.report.charts.chart import Chart, Rows
from sagan_div.report.gather import Results
from sagan_div.report.tables import scores

END = "!(datum.place > 0.55)"  # whether a number stands right of its dots, where there is room


def ours(results: Results, dataset: str) -> Chart:
    """A dot for each seed, a cross for a marked one, a bar at the mean and its value; the floor dotted."""
    rows = _rows(results, dataset)
    shown = chart.chart_of(rows).transform_filter(f"{chart.METHODS} && {chart.SEEDS} && {chart.SPACE}")
    labels = list(dict.fromkeys(row["label"] for row in rows))
    y, colour = chart.rows_axis(labels), chart.colour(results)
    there = shown.transform_filter("isValid(datum.fid)")
    means = there.transform_aggregate(mean="mean(fid)", low="min(fid)", high="max(fid)", groupby=["label", "method", "name"])
    tip = chart.tooltip({"name": "method", "seed": "seed", "mark": "mark"}, {"fid": "FID"})
    mean_tip = chart.tooltip({"name": "method"}, {"mean": "mean FID"})
    mark = alt.condition("datum.mark != ''", alt.value("cross"), alt.value("circle"))
    drawn = alt.layer(
        _floor(results, dataset),
        means.mark_rule(strokeWidth=1, opacity=0.5).encode(_x("low"), alt.X2("high"), y=y, color=colour),
        there.mark_point(filled=True, size=50, opacity=0.7).encode(_x("fid"), y=y, color=colour, shape=mark, tooltip=tip),
        means.mark_tick(thickness=2.5, size=20).encode(_x("mean"), y=y, color=colour, tooltip=mean_tip),
        *_numbers(means, y),
        shown.transform_filter("!isValid(datum.fid)")
        .transform_aggregate(groupby=["label", "why"])
        .mark_text(align="left", color=chart.QUIET)
        .encode(y=y, x=alt.value(4), text="why:N"),
    )
    title = f"{paper.dataset_label(dataset)}, this study"
    return chart.made(results, f"fid-{dataset}", title, drawn, chart.STEP * len(labels), dataset, axis="x")


def _rows(results: Results, dataset: str) -> Rows:
    """A row per run that has an FID, and one for each method without any, with the reason."""
    rows = []
    for space in results.study.score.spaces:
        for method in results.methods:
            about = {"method": method, "name": paper.label(method), "label": chart.label(results, method, dataset)}
            about |= {"space": space}
            fids, marks = results.fids(dataset, method, space), results.marked(dataset, method)
            rows += [
                about | {"seed": int(seed), "fid": chart.rounded(fid), "mark": marks[seed]}
                for seed, fid in zip(fids.index, fids, strict=True)
            ]
            if fids.empty:
                why = scores.why(results, dataset, method)
                rows += [about | {"seed": seed, "fid": None, "why": why} for seed in results.study.seeds]
    return rows


def _x(field: str) -> alt.X:
    return alt.X(field, type="quantitative", title="FID, lower is better")


def _floor(results: Results, dataset: str) -> alt.Chart:
    spaces = {space: results.floor(dataset, space) for space in results.study.score.spaces}
    rows = [{"space": space, "floor": chart.rounded(floor)} for space, floor in spaces.items() if floor is not None]
    tip = chart.tooltip({}, {"floor": "FID of a perfect generator"})
    shown = chart.chart_of(rows).transform_filter(chart.SPACE)
    drawn: alt.Chart = shown.mark_rule(strokeDash=[1, 3], color=chart.QUIET, strokeWidth=1.5).encode(_x("floor"), tooltip=tip)
    return drawn


def _numbers(means: alt.Chart, y: alt.Y) -> list[alt.Chart]:
    """The means as text, on the side of the dots where there is room, on a linear axis or a logarithmic one."""
    ends = means.transform_joinaggregate(top="max(high)", bottom="min(low)").transform_calculate(
        place="logarithmic ? log(datum.high / datum.bottom) / log(datum.top / datum.bottom) : datum.high / datum.top",
        text="format(datum.mean, ',.2f')",
    )
    right = ends.transform_filter(END).mark_text(align="left", dx=9).encode(_x("high"), y=y, text="text:N")
    left = ends.transform_filter(f"!({END})").mark_text(align="right", dx=-9).encode(_x("low"), y=y, text="text:N")
    return [right, left]


def printed(results: Results, dataset: str) -> Chart:
    """What the paper prints for the study's methods."""
    rows: Rows = [
        {"method": method, "label": paper.label(method), "fid": fid, "text": words.number(fid)}
        for method in results.methods
        if (fid := paper.fid(dataset, method)) is not None
    ]
    shown = chart.chart_of(rows).transform_filter(chart.METHODS)
    x = alt.X("fid", type="quantitative", title="FID in Inception features, as printed")
    y = chart.rows_axis([row["label"] for row in rows])
    top = max((row["fid"] for row in rows), default=0)
    tip = chart.tooltip({"label": "method"}, {"fid": "FID in the paper"})
    mark = shown.mark_point(shape="diamond", size=70, strokeWidth=1.6, opacity=1)
    right, left = (shown.transform_filter(f"datum.fid {side} {0.7 * top}") for side in ("<=", ">"))
    drawn = alt.layer(
        mark.encode(x, y, chart.colour(results), tooltip=tip),
        right.mark_text(align="left", dx=9).encode(x, y, text="text:N"),
        left.mark_text(align="right", dx=-9).encode(x, y, text="text:N"),
    )
    title = f"{paper.dataset_label(dataset)}, the paper: one run each"
    return chart.made(results, f"printed-{dataset}", title, drawn, chart.STEP * len(rows), dataset, axis="x")
