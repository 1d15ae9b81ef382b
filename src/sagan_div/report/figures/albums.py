"""Pictures side by side."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sagan_div.report.figures.axes import absent, panels
from sagan_div.report.figures.style import WIDTH
from sagan_div.report.pictures import Panel


def draw(album: Sequence[Panel]) -> Figure:
    """Pictures side by side, four across."""
    tallest = max((panel.picture.height / panel.picture.width for panel in album if panel.picture), default=1.0)
    figure, axes = panels(len(album), height=WIDTH / min(4, len(album)) * tallest + 0.25, margin=0.0)
    for ax, panel in zip(axes, album, strict=True):
        _panel(ax, panel)
    return figure


def _panel(ax: Axes, panel: Panel) -> None:
    ax.set_title(panel.title.replace(": ", "\n"))  # a mark below the name
    if panel.picture is None:
        absent(ax)
    else:
        ax.axis("off")
        ax.imshow(np.asarray(panel.picture), vmin=0, vmax=255)
