"""How true and how varied samples are."""

from typing import Any

import altair as alt

from sagan_div.report import paper
from sagan_div.report.charts import chart
from sagan_div.report.charts.chart import Chart
from sagan_div.report.gather import Results, rows_of


def draw(results: Results, dataset: str, across: str, up: str) -> Chart:
    """A small dot for each seed, a mark for a method's mean, bars from the least to the greatest seed."""
    found = rows_of(results.scores, dataset=dataset).reindex(columns=["method", "seed", "extractor", across, up]).dropna()
    rows = [
        {"method": method, "name": chart.label(results, method, dataset), "seed": int(seed), "space": space}
        | {across: chart.rounded(x), up: chart.rounded(y)}
        for method, seed, space, x, y in found.itertuples(index=False)
    ]
    shown = chart.chart_of(rows).transform_filter(f"{chart.METHODS} && {chart.SEEDS} && {chart.SPACE}")
    ends: dict[str, Any] = {f"{end}_{name}": f"{end}({name})" for name in (across, up) for end in ("min", "mean", "max")}
    means = shown.transform_aggregate(groupby=["method", "name"], **ends)
    top = max([1.0, *(row[up] for row in rows)])  # density alone can exceed 1

    def x(field: str) -> alt.X:
        return alt.X(field, type="quantitative", title=across, scale=alt.Scale(domain=[0, 1]))

    def y(field: str) -> alt.Y:
        return alt.Y(field, type="quantitative", title=up, scale=alt.Scale(domain=[0, top]))

    mean_x, mean_y = x(f"mean_{across}"), y(f"mean_{up}")
    colour = chart.colour(results, legend=True)
    numbers = {f"mean_{across}": f"mean {across}", f"mean_{up}": f"mean {up}"}
    drawn = alt.layer(
        means.mark_rule().encode(x(f"min_{across}"), mean_y, alt.X2(f"max_{across}"), color=colour),
        means.mark_rule().encode(mean_x, y(f"min_{up}"), alt.Y2(f"max_{up}"), color=colour),
        shown.mark_point(filled=True, size=14, opacity=0.5).encode(x(across), y(up), colour),
        means.mark_point(filled=True, size=80, opacity=1).encode(
            mean_x, mean_y, colour, chart.shape(results), tooltip=chart.tooltip({"name": "method"}, numbers)
        ),
    )
    title = f"{paper.dataset_label(dataset)}: {up} by {across}"
    return chart.made(results, f"{up}-{dataset}", title, drawn, 240, dataset)
