"""Real images against real ones."""

import altair as alt

from sagan_div.report import paper, prose, real_vs_real
from sagan_div.report.charts import chart
from sagan_div.report.charts.chart import Chart
from sagan_div.report.figures.real_vs_real import MARKS
from sagan_div.report.gather import Results, rows_of


def draw(results: Results, dataset: str) -> Chart:
    """The FID between so many real images and as many others; the printed values where the space is theirs."""
    kinds = list(prose.REAL_VS_REAL.values())
    found = rows_of(results.real_vs_real, dataset=dataset)[["extractor", "pair", "sampler", "images", "fid"]]
    rows = [
        {
            "source": f"{real_vs_real.SOURCE}/{space}",
            "space": space,
            "kind": prose.REAL_VS_REAL[(pair, sampler)],
            "images": int(images),
            "fid": chart.rounded(fid),
        }
        for space, pair, sampler, images, fid in found.itertuples(index=False)
    ]
    shown = chart.chart_of(rows).transform_filter(chart.SPACE)
    means = shown.transform_aggregate(fid="mean(fid)", groupby=["kind", "images", "source"])
    x = alt.X("images", type="quantitative", title="images on each side", scale=alt.Scale(type="log", nice=False))
    y = alt.Y("fid", type="quantitative", title="FID, real against real", scale=alt.Scale(type="log"))
    hues = [f"var(--{hue})" for hue, _ in MARKS.values()]
    colour = alt.Color("kind:N", scale=alt.Scale(domain=kinds, range=hues), legend=alt.Legend(columns=2, labelLimit=300))
    tip = chart.tooltip({"kind": "sets"}, {"images": "images", "fid": "mean FID"})
    drawn = alt.layer(
        shown.mark_point(filled=True, size=14, opacity=0.4).encode(x, y, colour),
        means.mark_line(point={"size": 40}).encode(x, y, colour, tooltip=tip),
        *_printed(results, dataset, y),
    )
    return chart.made(results, f"real-vs-real-{dataset}", paper.dataset_label(dataset), drawn, 260, dataset, axis="y")


def _printed(results: Results, dataset: str, y: alt.Y) -> list[alt.Chart]:
    """The paper's values as dotted lines, named at their ends."""
    space = paper.facts()["protocol"]["extractor"]
    rows = [
        {"method": method, "space": space, "fid": fid, "text": paper.label(method)}
        for method in results.methods
        if (fid := paper.fid(dataset, method)) is not None
    ]
    shown = chart.chart_of(rows).transform_filter(f"{chart.SPACE} && {chart.METHODS}")
    tip = chart.tooltip({"text": "the paper’s"}, {"fid": "FID"})
    lines = shown.mark_rule(strokeDash=[1, 3], color=chart.QUIET).encode(y, tooltip=tip)
    names = shown.mark_text(align="right", dy=-5, fontSize=9, color=chart.QUIET).encode(y, x=alt.value("width"), text="text:N")
    return [lines, names]
