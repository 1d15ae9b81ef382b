"""The losses of critic and generator."""

import altair as alt

from sagan_div.report.charts import chart
from sagan_div.report.charts.chart import Chart
from sagan_div.report.figures.losses import LOSSES, span
from sagan_div.report.gather import Results, rows_of


def draw(results: Results, dataset: str, method: str) -> Chart | None:
    """Both losses of a method's runs, without the spikes of the start; None where it has not been trained."""
    history = rows_of(results.history, dataset=dataset, method=method)
    ends = span(history)
    if ends is None:
        return None
    rows = [
        {"method": method, "seed": int(seed), "images": int(images)}
        | {name: chart.rounded(loss) for (name, _), loss in zip(LOSSES.values(), losses, strict=True)}
        for seed, images, *losses in history[["seed", "images", *LOSSES]].itertuples(index=False)
    ]
    names = [name for name, _ in LOSSES.values()]
    shown = chart.chart_of(rows).transform_filter(f"{chart.METHODS} && {chart.SEEDS}")
    scale = alt.Scale(domain=[chart.rounded(end) for end in ends], nice=False)
    hues = alt.Scale(domain=names, range=[f"var(--{hue})" for _, hue in LOSSES.values()])
    lines = shown.transform_fold([*names], as_=["network", "loss"]).mark_line(strokeWidth=1, opacity=0.8, clip=True)
    drawn = lines.encode(
        chart.images_axis(),
        alt.Y("loss", type="quantitative", title="loss", scale=scale),
        alt.Color("network:N", scale=hues),
        detail="seed:N",
        tooltip=chart.tooltip({"network": "loss of the", "seed": "seed"}, {}),
    )
    title = chart.label(results, method, dataset).replace("\n", ": ")
    return chart.made(results, f"losses-{dataset}-{method}", title, drawn, 120, dataset, "y", method, "symlog")
