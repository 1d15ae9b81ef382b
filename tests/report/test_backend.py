"""Figures need no window: which backend the caller's notebook or shell names has no effect on them."""

import sys

import pytest

from support import ROOT, command

DRAW = """\
import os
from sagan_div.report.figures import style
import matplotlib
from matplotlib.figure import Figure
with style.applied():
    assert style.encode(Figure(), "png").startswith(b"\\x89PNG")
print(os.environ["MPLBACKEND"], matplotlib.get_backend(auto_select=False))
"""


@pytest.mark.parametrize(
    ("named", "kept"),
    [("module://matplotlib_inline.backend_inline", None), ("no such backend", None), ("svg", "svg")],
)
def test_figures_are_drawn_whatever_backend_is_named(named: str, kept: str | None) -> None:
    done = command(sys.executable, "-c", DRAW, cwd=ROOT, MPLBACKEND=named)
    assert done.stdout.strip() == f"{named} {kept}", done.stderr
