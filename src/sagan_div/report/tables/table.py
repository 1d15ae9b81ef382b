"""What a table is, and how a number becomes an entry of it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from sagan_div.report import words
from sagan_div.report.gather import Results


@dataclass(frozen=True)
class Value:
    """An entry of a table: what it says, what it sorts by, whether it is its column's best, and what it comes from: a dataset's
    method, or its comparison of real images in a feature space."""

    text: str
    sort: float | None = None
    best: bool = False
    source: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Column:
    """A column: its group (a dataset), its head, and whether the paper printed it."""

    group: str
    head: str
    paper: bool = False


@dataclass(frozen=True)
class Table:
    """A table for readers, and the same numbers as a tidy frame for programs.

    `rows` by method (of the cells by path), `foot` by what it says. `caution`: what the table must not be read as.
    """

    name: str
    title: str
    notes: tuple[str, ...]
    caution: str
    columns: tuple[Column, ...]
    rows: dict[str, tuple[Value, ...]]
    foot: dict[str, tuple[Value, ...]]
    tidy: pd.DataFrame

    @property
    def grouped(self) -> bool:
        """Whether columns are grouped by dataset and rows named after methods; else rows say themselves what they are of."""
        return any(column.group for column in self.columns)


def columns(heads: Sequence[str]) -> tuple[Column, ...]:
    """Columns that belong to no group."""
    return tuple(Column("", head) for head in heads)


def numeric(value: float, decimals: int = 0) -> Value:
    return Value(words.number(value, decimals), sort(value))


def sort(value: float | None) -> float | None:
    return None if value is None or np.isnan(value) else float(value)


def spread(values: pd.Series, planned: int) -> str:
    """`mean ± standard deviation`, the one value there is, or a dash; with n where it is not the study's number of seeds."""
    mean, several = words.number(float(values.mean())), len(values) > 1
    text = f"{mean} ± {words.number(float(values.std()))}" if several else mean
    return text if len(values) in (0, planned) else f"{text} (n = {len(values)})"


def over_seeds(results: Results) -> str:
    seeds = len(results.study.seeds)
    several = f"mean ± standard deviation over n = {seeds} training seeds where no other n is given"
    return several if seeds > 1 else "one training run each, so without spread"
