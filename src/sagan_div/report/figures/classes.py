"""What the classifier takes samples for."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sagan_div.report import paper
from sagan_div.report.figures.axes import absent, panels
from sagan_div.report.figures.style import INK, QUIET, colour
from sagan_div.report.gather import Results


def draw(results: Results, dataset: str) -> Figure:
    """What the classifier takes samples for: the share of each class, a panel per method, real images beside it."""
    figure, axes = panels(len(results.methods), height=1.6, margin=0.7, sharey=True)
    for ax, method in zip(axes, results.methods, strict=True):
        ax.set_title(paper.label(method))
        ax.set_title(results.marks(dataset, method), loc="right", fontsize=7.5, color=QUIET)
        found = [
            entries["classifier"]
            for cell, entries in results.entries.items()
            if cell[:2] == (dataset, method) and "classes" in entries.get("classifier", {})
        ]
        _classes(ax, found, colour(results, method), dataset)
    figure.supxlabel("class, by the classifier", fontsize=9, color=QUIET)
    figure.supylabel("share of images", fontsize=9, color=QUIET)
    return figure


def _classes(ax: Axes, found: Sequence[dict[str, Any]], shade: str, dataset: str) -> None:
    """Bars for the samples of all seeds, a dash for the real images."""
    if not found:
        absent(ax)
        return
    drawn, real = (np.sum([entry[name] for entry in found], axis=0) for name in ("classes", "reference_classes"))
    places = np.arange(len(drawn))
    ax.bar(places, drawn / drawn.sum(), width=0.75, color=shade, alpha=0.45)
    ax.plot(places, real / real.sum(), "_", color=INK, markersize=9, markeredgewidth=1.4)
    shown = places[:: -(-len(places) // 12)]
    names = [paper.class_name(dataset, place) for place in shown]
    ax.set_xticks(shown, names, rotation=90 if max(map(len, names)) > 2 else 0)
    ax.grid(False, axis="x")
