"""The function of each table of `catalogue.TABLES`."""

from collections.abc import Callable

from sagan_div.report import catalogue
from sagan_div.report.architecture import Networks
from sagan_div.report.gather import Results
from sagan_div.report.tables import cells, measures, networks, real_vs_real, scores, selection
from sagan_div.report.tables.table import Table

MAKERS: dict[str, Callable[[Results], Table]] = {
    "table2": scores.state_of_the_art,
    "table3": scores.placements,
    "measures": measures.table,
    "real-vs-real": real_vs_real.table,
    "selection": selection.table,
    "cells": cells.table,
}


def every(results: Results, built: Networks) -> dict[str, Table]:
    """The tables that the study has; Table 1 is of the networks themselves."""
    first = {"table1": networks.table(results, built)}
    return first | {name: MAKERS[name](results) for name in catalogue.tables(results.study) if name not in first}
