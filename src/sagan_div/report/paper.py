"""The paper's side of every comparison: paper.yaml as typed values."""

from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import yaml

Measure = Literal["fid", "cost", "unrest"]


@dataclass(frozen=True, kw_only=True)
class Test:
    """One statement about one or two methods, on one dataset or (`only` None) on each of the paper's."""

    relation: Literal["lower", "close", "steady"]
    method: str
    than: str | None = None
    measure: Measure = "fid"
    only: str | None = None


@dataclass(frozen=True, kw_only=True)
class Claim:
    """What the paper says, in our words, and the tests that it comes down to."""

    number: int
    text: str
    where: str
    tests: tuple[Test, ...]
    order: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class PaperTable:
    """A table of FIDs by method and dataset."""

    name: str
    number: int
    title: str
    rows: dict[str, dict[str, float]]


@cache
def facts() -> dict[str, Any]:
    """paper.yaml as plain data."""
    text = files("sagan_div.report").joinpath("paper.yaml").read_text(encoding="utf-8")
    data: dict[str, Any] = yaml.safe_load(text)
    return data


def tables() -> tuple[PaperTable, ...]:
    return tuple(PaperTable(name=name, **entry) for name, entry in facts()["tables"].items())


def claims() -> tuple[Claim, ...]:
    """The paper's seven claims."""
    return tuple(
        Claim(**entry | {"tests": tuple(_test(**test) for test in entry["tests"]), "order": tuple(entry.get("order", ()))})
        for entry in facts()["claims"]
    )


def _test(measure: Measure = "fid", only: str | None = None, **statement: str) -> Test:
    relation = next(name for name in ("lower", "close", "steady") if name in statement)
    than = statement.get("than") or statement.get("to")
    return Test(relation=relation, method=statement[relation], than=than, measure=measure, only=only)


def fid(dataset: str, method: str) -> float | None:
    """The FID that the paper prints for a cell (Inception, its own protocol), or None where it prints none."""
    for table in tables():
        if dataset in table.rows.get(method, {}):
            return table.rows[method][dataset]
    return None


def label(method: str) -> str:
    """A method's name as the paper's tables print it."""
    return str(facts()["labels"].get(method, method))


def dataset_label(dataset: str) -> str:
    return str(facts()["datasets"].get(dataset, dataset))


def classes(dataset: str) -> list[str]:
    """The classes of a dataset by the names that its authors gave them; none where those are their numbers."""
    return list(facts()["classes"].get(dataset, ()))


def covers(dataset: str) -> bool:
    """Whether the paper has results on this dataset."""
    return dataset in facts()["datasets"]
