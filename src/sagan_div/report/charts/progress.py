"""How ratings fall while critics see images."""

import altair as alt

from sagan_div.report import paper
from sagan_div.report.charts import chart
from sagan_div.report.charts.chart import Chart
from sagan_div.report.gather import Results, rows_of


def draw(results: Results, dataset: str) -> Chart:
    """The rating against real images seen, on a logarithmic axis: thin lines are seeds, thick ones their mean."""
    rated = rows_of(results.history, dataset=dataset).dropna(subset=["fid"])
    rows = [
        {"method": method, "name": paper.label(method), "seed": int(seed), "images": int(images), "fid": chart.rounded(fid)}
        | {"mark": results.marks(dataset, method)}
        for method, seed, images, fid in rated[["method", "seed", "images", "fid"]].itertuples(index=False)
    ]
    shown = chart.chart_of(rows).transform_filter(f"{chart.METHODS} && {chart.SEEDS}")
    means = shown.transform_aggregate(fid="mean(fid)", groupby=["method", "name", "mark", "images"])
    x, colour = chart.images_axis(), chart.colour(results, legend=True)
    y = alt.Y("fid", type="quantitative", title="rating: FID, classifier features", scale=alt.Scale(type="log", nice=False))
    tip = chart.tooltip({"name": "method", "mark": "mark"}, {"images": "images", "fid": "mean rating"})
    drawn = alt.layer(
        shown.mark_line(strokeWidth=0.8, opacity=0.4).encode(x, y, colour, detail="seed:N"),
        means.mark_line(strokeWidth=2).encode(x, y, colour),
        means.mark_point(filled=True, size=35, opacity=1).encode(x, y, colour, shape=chart.shape(results), tooltip=tip),
    )
    return chart.made(results, f"progress-{dataset}", paper.dataset_label(dataset), drawn, 280, dataset, axis="y")
