"""The report: what the runs of a study left behind -> metrics, tables, figures, claims and one page that people read."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sagan_div.report import catalogue
from sagan_div.study.schema import Study
from sagan_div.terminal import Table
from sagan_div.workflow.layout import Layout

__all__ = ["outputs", "scores", "summary", "write"]

# Snakemake asks for `outputs` in each of its processes, so what draws and computes is imported only where it is used.
# A summary needs the frames alone: neither torch nor SciPy nor matplotlib.


def outputs(study: Study, layout: Layout) -> dict[str, Path]:
    """Every file that `write` makes for a study: `page`, and the others by their path inside the results."""
    return {"page": layout.results / catalogue.PAGE} | {name: layout.results / name for name in catalogue.names(study)}


def write(study: Study, layout: Layout, note: Callable[[str], None]) -> Path:
    """Make every file of `outputs` from what is there, and return the page's path; `note` gets a line for whatever is missing.

    A cell that has not been run is shown as such. Raises UserError where no cell of the study has left anything.
    """
    from sagan_div.report import writing

    return writing.write(study, layout, outputs(study, layout), note)


def summary(study: Study, layout: Layout) -> Table:
    """The study for a terminal: a row per method, our FID (mean ± standard deviation over seeds) and the paper's beside it."""
    from sagan_div.report import gather
    from sagan_div.report import summary as at_a_glance

    return at_a_glance.table(gather.read(study, layout))


def scores(study: Study, layout: Layout) -> list[dict[str, Any]]:
    """The same numbers as plain data: a row per dataset, method and extractor, None where there is none."""
    from sagan_div.report import gather
    from sagan_div.report import summary as at_a_glance

    return at_a_glance.rows(gather.read(study, layout))
