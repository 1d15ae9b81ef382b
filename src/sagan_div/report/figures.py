"""The figures: results -> matplotlib figures -> PNG, PDF and SVG, the same bytes for the same results."""

import io
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.resources import as_file, files
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

from sagan_div.report import catalogue, paper, prose
from sagan_div.report.claims import Judgement, Outcome
from sagan_div.report.gather import NOT_RUN, Results
from sagan_div.report.pictures import Albums, Panel

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
    "svg": {"Date": None, "Creator": None},
}


@contextmanager
def style() -> Iterator[None]:
    """matplotlib's settings from style.mplstyle, for the time of the block."""
    with as_file(files("sagan_div.report").joinpath("style.mplstyle")) as path, mpl.rc_context(fname=path):
        yield


def draw(name: str, results: Results, judgements: Sequence[Judgement], albums: dict[str, Albums]) -> Figure:
    """A figure of `catalogue.figures`; what has not been run is named in its place. Call inside `style()`."""
    kind, _, dataset = name.partition("-")
    if kind in catalogue.ALBUMS:
        figure = album(albums[dataset][kind])
    elif kind == "fid":
        figure = scores(results)
    elif kind == "manifold":
        figure = manifold(results)
    elif kind == "differences":
        figure = differences(results, judgements)
    else:
        figure = {"progress": progress, "losses": losses, "floor": floors, "classes": classes}[kind](results, dataset)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # laid out once, saved in several formats
    return figure


def encode(figure: Figure, ending: str, conditions: str = "") -> bytes:
    """A figure as png, pdf or svg, without dates or names of software; `conditions` travel in the file."""
    buffer, described = io.BytesIO(), {"Subject" if ending == "pdf" else "Description": conditions} if conditions else {}
    figure.savefig(buffer, format=ending, metadata=ANONYMOUS[ending] | described, transparent=ending == "svg")
    return buffer.getvalue()


def inline(figure: Figure, name: str) -> str:
    """A figure as SVG for the page: its colours are the page's, light or dark, and its identifiers are its own."""
    text = encode(figure, "svg").decode()
    follows = {INK: "currentColor", QUIET: "var(--quiet)", EDGE: "var(--edge)", RULE: "var(--rule)"}
    for fixed, variable in (follows | {shade: f"var(--{hue})" for hue, shade in OKABE_ITO.items()}).items():
        text = text.replace(fixed, variable)
    for mark in ('id="', "url(#", 'href="#'):
        text = text.replace(mark, f"{mark}{name}-")
    return text[text.index("<svg") :].replace("<svg ", f'<svg role="img" aria-label="Figure: {name}" ', 1)


def colour(results: Results, method: str) -> str:
    """A method's colour: Okabe and Ito's in turn, and ink for the paper's own method."""
    if method == "sagan-div-d":
        return INK
    others = [name for name in results.methods if name != "sagan-div-d"]
    return list(OKABE_ITO.values())[others.index(method) % len(OKABE_ITO)]


def marker(results: Results, method: str) -> str:
    return MARKERS[results.methods.index(method) % len(MARKERS)]


def album(panels: Sequence[Panel]) -> Figure:
    """Pictures side by side, four across."""
    tallest = max((panel.picture.height / panel.picture.width for panel in panels if panel.picture), default=1.0)
    across = min(4, len(panels))
    down = -(-len(panels) // across)
    figure = Figure(figsize=(WIDTH, down * (WIDTH / across * tallest + 0.25)))
    axes = figure.subplots(down, across, squeeze=False).ravel()
    for ax, panel in zip(axes, panels, strict=False):
        _panel(ax, panel)
    for ax in axes[len(panels) :]:
        ax.axis("off")
    return figure


def _panel(ax: Axes, panel: Panel) -> None:
    ax.set_title(panel.title)
    if panel.picture is None:
        absent(ax)
    else:
        ax.axis("off")
        ax.imshow(np.asarray(panel.picture), vmin=0, vmax=255)


def absent(ax: Axes) -> None:
    """An empty place that says why."""
    ax.set(xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    ax.text(0.5, 0.5, NOT_RUN, transform=ax.transAxes, ha="center", va="center", color=QUIET)


def progress(results: Results, dataset: str) -> Figure:
    """The rating (FID in classifier features) against real images seen: thin lines are seeds, thick ones their mean."""
    figure = Figure(figsize=(WIDTH, 4.6))
    ax = figure.subplots()
    ax.set_title(paper.dataset_label(dataset))
    rated = results.history.query("dataset == @dataset").dropna(subset=["fid"])
    if rated.empty:
        absent(ax)
        return figure
    rows = {method: rated[rated["method"] == method] for method in results.methods if (rated["method"] == method).any()}
    ends = {method: _trail(ax, results, method, runs) for method, runs in rows.items()}
    ax.set(xlabel="real images that the critic has seen", ylabel="rating: FID, classifier features")
    ax.set_xlim(left=0)
    ax.xaxis.set_major_formatter(EngFormatter(sep=" "))
    _logarithmic(ax, rated["fid"].to_numpy(dtype=float))
    _label_ends(ax, {paper.label(method): (*point, colour(results, method)) for method, point in ends.items()})
    return figure


def _trail(ax: Axes, results: Results, method: str, rated: pd.DataFrame) -> tuple[float, float]:
    """One method's lines; returns where their mean ends."""
    shade = colour(results, method)
    runs = rated.pivot_table(index="images", columns="seed", values="fid")
    if runs.shape[1] > 1:
        ax.plot(runs.index, runs, color=shade, linewidth=0.7, alpha=0.4)
    mean = runs.mean(axis=1)
    ax.plot(mean.index, mean, color=shade, marker=marker(results, method), markersize=3.4)
    return float(mean.index[-1]), float(mean.iloc[-1])


def _logarithmic(ax: Axes, values: np.ndarray) -> None:
    """A logarithmic axis with plain numbers; its small steps are numbered where there are few large ones."""
    if values.min() <= 0:
        return
    ax.set_yscale("log")
    ax.yaxis.set_major_formatter("{x:g}")
    decades = np.log10(values.max() / values.min())
    if decades > 2:
        ax.yaxis.set_minor_formatter(NullFormatter())
    else:
        ax.yaxis.set_minor_locator(LogLocator(subs=(2, 5) if decades > 0.6 else range(2, 10)))
        ax.yaxis.set_minor_formatter("{x:g}")


def _label_ends(ax: Axes, ends: dict[str, tuple[float, float, str]]) -> None:
    """Direct labels right of the lines, moved apart where they would overlap."""
    to_axes = ax.transScale + ax.transLimits
    order = sorted(ends, key=lambda label: ends[label][1])
    heights = apart([float(to_axes.transform(ends[label][:2])[1]) for label in order], 0.052)
    for label, height in zip(order, heights, strict=True):
        x, y, shade = ends[label]
        leader = {"arrowstyle": "-", "color": shade, "linewidth": 0.5, "shrinkA": 1, "shrinkB": 3}
        text = ax.annotate(label, (x, y), (1.02, height), textcoords="axes fraction", arrowprops=leader, annotation_clip=False)
        text.set(color=shade, va="center")


def apart(heights: list[float], gap: float) -> list[float]:
    """Rising heights moved as little as need be until neighbours are `gap` apart; groups keep their centre where 0 allows."""
    groups: list[list[float]] = []
    for height in heights:
        groups.append([height])
        while len(groups) > 1 and _bottom(groups[-1], gap) - _bottom(groups[-2], gap) < gap * len(groups[-2]) - 1e-9:
            groups[-2:] = [groups[-2] + groups[-1]]
    return [_bottom(group, gap) + gap * index for group in groups for index in range(len(group))]


def _bottom(group: list[float], gap: float) -> float:
    return max(0.0, sum(group) / len(group) - gap * (len(group) - 1) / 2)


LOSSES = {"loss_critic": ("critic", OKABE_ITO["blue"]), "loss_generator": ("generator", OKABE_ITO["vermillion"])}


def losses(results: Results, dataset: str) -> Figure:
    """The losses of critic and generator, a panel per method: different losses share no scale."""
    across = min(4, len(results.methods))
    down = -(-len(results.methods) // across)
    figure = Figure(figsize=(WIDTH, 1.75 * down + 0.55))
    axes = figure.subplots(down, across, squeeze=False).ravel()
    for ax, method in zip(axes, results.methods, strict=False):
        _losses(ax, results.history.query("dataset == @dataset and method == @method"), paper.label(method))
    for ax in axes[len(results.methods) :]:
        ax.axis("off")
    figure.supxlabel("real images that the critic has seen", fontsize=9, color=QUIET)
    key = [Line2D([], [], color=shade, label=f"loss of the {label}") for label, shade in LOSSES.values()]
    figure.legend(handles=key, loc="outside upper left", ncols=2)
    return figure


def _losses(ax: Axes, history: pd.DataFrame, title: str) -> None:
    ax.set_title(title)
    if history.empty:
        absent(ax)
        return
    ax.xaxis.set_major_formatter(EngFormatter(sep=" "))
    for name, (_, shade) in LOSSES.items():
        for _, run in history.groupby("seed"):
            ax.plot(run["images"], run[name], color=shade, linewidth=0.8, alpha=0.75)


def classes(results: Results, dataset: str) -> Figure:
    """What the classifier takes samples for: the share of each class, a panel per method, real images beside it."""
    across = min(4, len(results.methods))
    down = -(-len(results.methods) // across)
    figure = Figure(figsize=(WIDTH, 1.6 * down + 0.7))
    axes = figure.subplots(down, across, squeeze=False, sharey=True).ravel()
    for ax, method in zip(axes, results.methods, strict=False):
        ax.set_title(paper.label(method))
        found = [
            entries["classifier"]
            for cell, entries in results.entries.items()
            if cell[:2] == (dataset, method) and "classes" in entries.get("classifier", {})
        ]
        _classes(ax, found, colour(results, method))
    for ax in axes[len(results.methods) :]:
        ax.axis("off")
    figure.supxlabel("class, by the classifier", fontsize=9, color=QUIET)
    figure.supylabel("share of images", fontsize=9, color=QUIET)
    return figure


def _classes(ax: Axes, found: Sequence[dict[str, Any]], shade: str) -> None:
    """Bars for the samples of all seeds, a dash for the real images."""
    if not found:
        absent(ax)
        return
    drawn, real = (np.sum([entry[name] for entry in found], axis=0) for name in ("classes", "reference_classes"))
    places = np.arange(len(drawn))
    ax.bar(places, drawn / drawn.sum(), width=0.75, color=shade, alpha=0.45)
    ax.plot(places, real / real.sum(), "_", color=INK, markersize=9, markeredgewidth=1.4)
    ax.set_xticks(places[:: -(-len(places) // 12)])
    ax.grid(False, axis="x")


FLOORS = dict(zip(prose.FLOORS, (("blue", "o"), ("sky", "s"), ("vermillion", "D"), ("orange", "^")), strict=True))


def floors(results: Results, dataset: str) -> Figure:
    """Real against real images by their number, a panel per feature space; the printed values where the space is theirs."""
    rows = results.floors[results.floors["dataset"] == dataset]
    spaces = [name for name in results.study.score.extractors if (rows["extractor"] == name).any()]
    figure = Figure(figsize=(WIDTH, 4.2))
    axes = figure.subplots(1, max(1, len(spaces)), squeeze=False).ravel()
    for ax, extractor in zip(axes, spaces, strict=False):
        _floor(ax, rows[rows["extractor"] == extractor])
        ax.set_title(f"{paper.dataset_label(dataset)}, {prose.SPACES[extractor]} features")
        if extractor == paper.facts()["protocol"]["extractor"]:
            _mark_printed(ax, results, dataset)
    if not spaces:
        absent(axes[0])
        return figure
    key = [
        Line2D([], [], color=OKABE_ITO[shade], marker=mark, markersize=4, label=prose.FLOORS[kind])
        for kind, (shade, mark) in FLOORS.items()
    ]
    figure.legend(handles=key, loc="outside upper left", ncols=2)
    return figure


def _floor(ax: Axes, rows: pd.DataFrame) -> None:
    """A dot for every pair of sets, a line through their means."""
    ax.set_xscale("log")
    for (pair, sampler), values in rows.groupby(["pair", "sampler"]):
        name, mark = FLOORS[(str(pair), str(sampler))]
        shade = OKABE_ITO[name]
        means = values.groupby("images")["fid"].mean()
        ax.plot(values["images"], values["fid"], mark, color=shade, markersize=3, alpha=0.35, markeredgewidth=0)
        ax.plot(means.index, means, color=shade, marker=mark, markersize=4)
    _logarithmic(ax, rows["fid"].to_numpy(dtype=float))
    counts = sorted(rows["images"].unique())
    ax.set_xticks(counts, [f"{count:,}" for count in counts])
    ax.xaxis.set_minor_formatter(NullFormatter())
    ax.set(xlabel="images on each side", ylabel="FID of real against real images")


def _mark_printed(ax: Axes, results: Results, dataset: str) -> None:
    printed = {method: fid for method in results.methods if (fid := paper.fid(dataset, method)) is not None}
    for fid in printed.values():
        ax.axhline(fid, color=QUIET, linewidth=0.8, linestyle=(0, (1, 2)))
    right = ax.get_xlim()[1]
    _label_ends(ax, {paper.label(method): (right, fid, colour(results, method)) for method, fid in printed.items()})


def scores(results: Results) -> Figure:
    """FID by method: a row of panels per dataset, and the paper's values in a panel of their own, never on our axis."""
    down, sides = len(results.datasets), _sides(results)
    figure = Figure(figsize=(WIDTH, down * (0.3 * len(results.methods) + 0.95)))
    axes = figure.subplots(down, len(sides), squeeze=False, sharey=True)
    for dataset, row in zip(results.datasets, axes, strict=True):
        for side, ax in zip(sides, row, strict=True):
            _rows(ax, prose.labels(results.methods))
            _printed(ax, results, dataset) if side == "paper" else _measured(ax, results, dataset, side)
    return figure


def _rows(ax: Axes, labels: Sequence[str]) -> None:
    """An axis of names, the first on top."""
    ax.set_ylim(len(labels) - 0.5, -0.6)
    ax.set_yticks(range(len(labels)), labels)
    ax.tick_params(axis="y", length=0, labelcolor=INK)
    ax.grid(False, axis="y")


def _sides(results: Results) -> list[str]:
    measured = results.extractors or list(results.study.score.extractors[-1:])
    return [*measured, *(["paper"] if any(paper.covers(dataset) for dataset in results.datasets) else [])]


def _measured(ax: Axes, results: Results, dataset: str, extractor: str) -> None:
    ax.set_title(paper.dataset_label(dataset))
    ax.set_xlabel(f"FID, {prose.SPACES[extractor]} features")
    floor = results.floor(dataset, extractor)
    if floor is not None:
        ax.axvline(floor, color=QUIET, linewidth=1, linestyle=(0, (1, 2)))
    for row, method in enumerate(results.methods):
        _dots(ax, row, results.fids(dataset, method, extractor), colour(results, method))
    ax.set_xlim(0, 1.12 * ax.dataLim.x1 if ax.dataLim.x1 > 0 else 1)


def _dots(ax: Axes, row: int, values: pd.Series, shade: str) -> None:
    """A dot for each seed, a bar at their mean, and its value."""
    if values.empty:
        ax.annotate(NOT_RUN, (0.3, row), xycoords=("axes fraction", "data"), va="center", fontsize=7.5, color=QUIET)
        return
    ax.plot([values.min(), values.max()], [row, row], color=shade, linewidth=1, alpha=0.5)
    ax.plot(values, [row] * len(values), "o", color=shade, markersize=4, alpha=0.75, markeredgewidth=0)
    ax.plot([values.mean()], [row], marker="|", color=shade, markersize=12, markeredgewidth=1.8)
    _beside(ax, values.max(), row, prose.number(values.mean()))


def _beside(ax: Axes, x: float, row: int, text: str) -> None:
    ax.annotate(text, (x, row), xytext=(7, 0), textcoords="offset points", va="center", fontsize=7.5, color=QUIET)


def _printed(ax: Axes, results: Results, dataset: str) -> None:
    printed = {row: fid for row, method in enumerate(results.methods) if (fid := paper.fid(dataset, method)) is not None}
    if not printed:
        ax.axis("off")
        return
    for row, fid in printed.items():
        shade = colour(results, results.methods[row])
        ax.plot([fid], [row], "D", markerfacecolor="none", color=shade, markersize=5, markeredgewidth=1.2)
        _beside(ax, fid, row, prose.number(fid))
    ax.set_title(f"{paper.dataset_label(dataset)} in the paper", color=QUIET)
    ax.set_xlabel("FID as printed, Inception features")
    ax.set_xlim(0, 1.12 * max(printed.values()))


def manifold(results: Results) -> Figure:
    """How true and how varied samples are: precision against recall, and density against coverage, a mark per method's mean."""
    extractor = next(iter(results.extractors), results.study.score.extractors[-1])
    figure = Figure(figsize=(WIDTH, 3.6 * len(results.datasets)))
    axes = figure.subplots(len(results.datasets), 2, squeeze=False)
    for dataset, row in zip(results.datasets, axes, strict=True):
        for ax, (across, up) in zip(row, (("recall", "precision"), ("coverage", "density")), strict=True):
            ax.set_title(paper.dataset_label(dataset))
            ax.set(xlabel=f"{across}, {prose.SPACES[extractor]} features", ylabel=up)
            _marks(ax, results, dataset, extractor, across, up)
    return figure


def _marks(ax: Axes, results: Results, dataset: str, extractor: str, across: str, up: str) -> None:
    """A labelled mark for each method that has both measures; density alone can exceed 1."""
    rows = results.scores.query("dataset == @dataset and extractor == @extractor").reindex(columns=["method", across, up])
    means = rows.dropna().groupby("method")[[across, up]].mean()
    ends = {}
    for method in [name for name in results.methods if name in means.index]:
        x, y, shade = float(means[across][method]), float(means[up][method]), colour(results, method)
        ax.plot([x], [y], marker(results, method), color=shade, markersize=6)
        ends[paper.label(method)] = (x, y, shade)
    ax.set_xlim(0, 1)
    ax.set_ylim(0, max(1.0, 1.1 * means[up].max()) if ends else 1.0)
    _label_ends(ax, ends)
    if not ends:
        absent(ax)


def differences(results: Results, judgements: Sequence[Judgement]) -> Figure:
    """Every comparison of FIDs behind the claims: the relative difference of the means with its 95 % t interval."""
    shown = [name for name in results.datasets if paper.covers(name)]
    found = {dataset: comparisons(judgements, dataset) for dataset in shown}
    pairs = list(dict.fromkeys(pair for outcomes in found.values() for pair in outcomes))
    figure = Figure(figsize=(WIDTH, 0.28 * len(pairs) + 1.15))
    axes = figure.subplots(1, len(shown), squeeze=False, sharey=True).ravel()
    for ax, dataset in zip(axes, shown, strict=True):
        _rows(ax, [f"{paper.label(lower)} < {paper.label(higher)}" for lower, higher in pairs])
        for row, pair in enumerate(pairs):
            _difference(ax, row, found[dataset].get(pair))
        ax.axvline(0, color=EDGE, linewidth=1)
        ax.set_title(paper.dataset_label(dataset))
    figure.supxlabel(
        "difference of the mean FIDs in per cent of the second; left of 0 is the paper’s way", fontsize=9, color=QUIET
    )
    return figure


def comparisons(judgements: Sequence[Judgement], dataset: str) -> dict[tuple[str, str], Outcome]:
    """The comparisons of FIDs on a dataset, once each, by (lower, higher)."""
    outcomes = [outcome for judgement in judgements for outcome in judgement.outcomes]
    chosen = [each for each in outcomes if each.dataset == dataset and each.measure == "fid" and each.than]
    return {(outcome.method, str(outcome.than)): outcome for outcome in chosen}


def _difference(ax: Axes, row: int, outcome: Outcome | None) -> None:
    if outcome is None or outcome.relative is None or outcome.mean_than is None:
        _beside(ax, 0, row, NOT_RUN)
        return
    agrees = outcome.relative < 0
    shade = OKABE_ITO["blue" if agrees else "vermillion"]
    if outcome.interval:
        ax.plot([100 * end / outcome.mean_than for end in outcome.interval], [row, row], color=shade, linewidth=1.4)
    ax.plot([100 * outcome.relative], [row], "o" if agrees else "X", color=shade, markersize=5)
