"""What the classifier takes samples for."""

import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font

from sagan_div.report import paper
from sagan_div.report.figures.axes import absent, panels
from sagan_div.report.figures.style import INK, QUIET, colour
from sagan_div.report.gather import Results
from sagan_div.settings import short

LONGEST = 16  # letters of a class's name


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
        _classes(ax, found, colour(results, method), lambda number: results.class_name(dataset, number))
    figure.supxlabel("class, by the classifier", fontsize=9, color=QUIET)
    figure.supylabel("share of images", fontsize=9, color=QUIET)
    return figure


def _classes(ax: Axes, found: Sequence[dict[str, Any]], shade: str, name: Callable[[int], str]) -> None:
    """Bars for the samples of all seeds, a dash for the real images."""
    if not found:
        absent(ax)
        return
    drawn, real = (np.sum([entry[name] for entry in found], axis=0) for name in ("classes", "reference_classes"))
    places = np.arange(len(drawn))
    ax.bar(places, drawn / drawn.sum(), width=0.75, color=shade, alpha=0.45)
    ax.plot(places, real / real.sum(), "_", color=INK, markersize=9, markeredgewidth=1.4)
    shown = places[:: -(-len(places) // 12)]
    names = [_label(name(place), place) for place in shown]
    ax.set_xticks(shown, names, rotation=90 if max(map(len, names)) > 2 else 0, parse_math=False)
    ax.grid(False, axis="x")


def _label(name: str, number: int) -> str:
    """The beginning of a class's name, or its number where the figures' font lacks a letter or would set it the wrong way."""
    known = get_font(findfont(FontProperties()))
    can_be_set = all(known.get_char_index(ord(each)) and unicodedata.bidirectional(each) not in ("R", "AL") for each in name)
    return short(name, LONGEST) if can_be_set else str(number)
