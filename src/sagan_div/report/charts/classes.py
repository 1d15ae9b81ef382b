"""What the classifier takes samples for."""

import altair as alt
import numpy as np

from sagan_div.report.charts import chart
from sagan_div.report.charts.chart import Chart, Rows
from sagan_div.report.gather import Results

LONGEST = 80  # pixels of a class's name below the bars, whose tooltip has all of it
SHARES = {"drawn": "share of samples", "among_real": "share of real images"}


def draw(results: Results, dataset: str, method: str) -> Chart | None:
    """The share of each class among a method's samples, a dash for that among real images; None where it was not counted."""
    rows: Rows = []
    for (name, other, seed), entries in results.entries.items():
        entry = entries.get("classifier", {})
        if (name, other) == (dataset, method) and "classes" in entry:
            counts = zip(entry["classes"], entry["reference_classes"], strict=True)
            about = {"method": method, "seed": seed}
            rows += [
                about | {"class": results.class_name(dataset, place), "samples": drawn, "real": real}
                for place, (drawn, real) in enumerate(counts)
            ]
    if not np.any([row["samples"] for row in rows]):
        return None
    names = list(dict.fromkeys(row["class"] for row in rows))
    counted = chart.chart_of(rows).transform_filter(f"{chart.METHODS} && {chart.SEEDS}")
    shares = (
        counted.transform_aggregate(samples="sum(samples)", real="sum(real)", groupby=["class"])
        .transform_joinaggregate(all_samples="sum(samples)", all_real="sum(real)")
        .transform_calculate(drawn="datum.samples / datum.all_samples", among_real="datum.real / datum.all_real")
    )
    turned = -60 if max(map(len, names)) > 2 else 0
    axis = alt.Axis(title=None, grid=False, labelAngle=turned, labelOverlap=len(names) > 12, labelLimit=LONGEST)
    x = alt.X("class:N", sort=names, axis=axis)
    tip = [alt.Tooltip("class:N"), *(alt.Tooltip(f"{name}:Q", title=title, format=".1%") for name, title in SHARES.items())]
    drawn = alt.layer(
        shares.mark_bar(opacity=0.6).encode(x, _share("drawn"), color=alt.value(chart.hue(results, method)), tooltip=tip),
        shares.mark_tick(thickness=2, color=chart.INK).encode(x, _share("among_real"), tooltip=tip),
    )
    title = chart.label(results, method, dataset).replace("\n", ": ")
    return chart.made(results, f"classes-{dataset}-{method}", title, drawn, 120, dataset, method=method)


def _share(field: str) -> alt.Y:
    return alt.Y(field, type="quantitative", title="share", axis=alt.Axis(format=".0%", tickCount=3))
