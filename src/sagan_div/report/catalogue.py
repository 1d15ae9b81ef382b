"""What a report consists of: every table and figure by name, and when a study has it. Known from the study alone.

`tables.registry` and `figures.registry` hold the functions of the same names; they import what draws and computes, this
module does not: Snakemake reads it in each of its processes.
"""

from collections.abc import Callable
from dataclasses import dataclass

from sagan_div.report import paper
from sagan_div.study.schema import Study

PAGE, CLAIMS, DIGESTS = "report.html", "claims.json", "digests.sha256"
TABLE_ENDINGS = ("csv", "md", "tex")
FIGURE_ENDINGS = ("png", "pdf")
PLACES = ("metrics/*/*.json", "tables/*", "figures/*", "plots/*", "models/*/*")  # in the results, where only a report writes

Wanted = Callable[[Study], bool]


def _always(study: Study) -> bool:
    return True


def _has_claims(study: Study) -> bool:
    """Whether a dataset is one of the paper's, which its claims are about."""
    return any(paper.covers(dataset.name) for dataset in study.datasets)


def _has_manifold(study: Study) -> bool:
    return "prdc" in study.score.metrics


def _has_classes(study: Study) -> bool:
    return "classifier" in study.score.spaces


@dataclass(frozen=True)
class Entry:
    """When a study has a figure, and whether it has one for each dataset, named `<figure>-<dataset>`."""

    wanted: Wanted = _always
    each_dataset: bool = True


TABLES: dict[str, Wanted] = {
    "table1": _always,
    "table2": _always,
    "table3": _always,
    "measures": _always,
    "real-vs-real": _always,
    "selection": _always,
    "cells": _always,
}
FIGURES: dict[str, Entry] = {
    "fid": Entry(each_dataset=False),
    "differences": Entry(_has_claims, each_dataset=False),
    "manifold": Entry(_has_manifold, each_dataset=False),
    "real-vs-real": Entry(each_dataset=False),
    "samples": Entry(),
    "neighbours": Entry(),
    "interpolations": Entry(),
    "progress": Entry(),
    "losses": Entry(),
    "classes": Entry(_has_classes),
}


@dataclass(frozen=True)
class Figure:
    """A figure of a study: its entry's name, and the dataset that it is of where there is one for each."""

    kind: str
    dataset: str = ""

    @property
    def name(self) -> str:
        """The file's name without ending."""
        return f"{self.kind}-{self.dataset}" if self.dataset else self.kind


def names(study: Study) -> list[str]:
    """Every file but the page, by its path inside the results."""
    cells = [(dataset.name, method) for dataset in study.datasets for method in study.methods]
    return [
        CLAIMS,
        DIGESTS,
        *(f"metrics/{dataset}/{method}.json" for dataset, method in cells),
        *(f"tables/{table}.{ending}" for table in tables(study) for ending in TABLE_ENDINGS),
        *(f"figures/{figure.name}.{ending}" for figure in figures(study) for ending in FIGURE_ENDINGS),
        "plots/fid.csv",
        "plots/curves.csv",
        *models(study),
    ]


def models(study: Study) -> list[str]:
    """The networks that the study publishes, with their cards and what they are compared with."""
    judged = _has_classes(study)
    return [
        name
        for dataset in (dataset.name for dataset in study.datasets)
        for name in (
            *(place(dataset, method) for method in study.methods for place in (generator, card)),
            *((classifier(dataset), moments(dataset)) if judged else ()),
        )
    ]


def generator(dataset: str, method: str) -> str:
    return f"models/{dataset}/{method}.safetensors"


def card(dataset: str, method: str) -> str:
    return f"models/{dataset}/{method}.md"


def classifier(dataset: str) -> str:
    return f"models/{dataset}/domain-classifier.safetensors"


def moments(dataset: str) -> str:
    return f"models/{dataset}/reference.npz"


def tables(study: Study) -> list[str]:
    """The study's tables by file name without ending."""
    return [name for name, wanted in TABLES.items() if wanted(study)]


def figures(study: Study) -> list[Figure]:
    """The study's figures, those of each dataset last."""
    has = {kind: entry for kind, entry in FIGURES.items() if entry.wanted(study)}
    return [
        Figure(kind, dataset)
        for kind, entry in has.items()
        for dataset in ([dataset.name for dataset in study.datasets] if entry.each_dataset else [""])
    ]
