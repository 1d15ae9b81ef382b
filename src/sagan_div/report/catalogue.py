"""The names of everything that a report consists of, known from the study alone."""

from sagan_div.report import paper
from sagan_div.study.schema import Study

PAGE, CLAIMS, DIGESTS = "report.html", "claims.json", "digests.sha256"
TABLE_ENDINGS = ("csv", "md", "tex")
FIGURE_ENDINGS = ("png", "pdf")
ALBUMS = ("samples", "neighbours", "interpolations")
CURVES = ("progress", "losses", "floor")
CLASSIFIED = ("classes",)


def names(study: Study) -> list[str]:
    """Every file but the page, by its path inside the results."""
    cells = [(dataset.name, method) for dataset in study.datasets for method in study.methods]
    return [
        CLAIMS,
        DIGESTS,
        *(f"metrics/{dataset}/{method}.json" for dataset, method in cells),
        *(f"tables/{table}.{ending}" for table in tables(study) for ending in TABLE_ENDINGS),
        *(f"figures/{figure}.{ending}" for figure in figures(study) for ending in FIGURE_ENDINGS),
        "plots/fid.csv",
        "plots/curves.csv",
    ]


def tables(study: Study) -> list[str]:
    """The tables by file name without ending; the one of further measures where the study takes any."""
    measures = ["measures"] if set(study.score.metrics) - {"fid"} else []
    return ["table1", "table2", "table3", *measures, "floor", "selection", "cells"]


def figures(study: Study) -> list[str]:
    """The figures by file name without ending: about the claims where the study has a dataset of the paper's, about precision
    and recall where it measures them, about classes where it has the classifier."""
    datasets = [dataset.name for dataset in study.datasets]
    claims = ["differences"] if any(paper.covers(dataset) for dataset in datasets) else []
    manifold = ["manifold"] if {"prdc"} & set(study.score.metrics) else []
    kinds = (*ALBUMS, *CURVES, *(CLASSIFIED if "classifier" in study.score.extractors else ()))
    return ["fid", *claims, *manifold, *(f"{kind}-{dataset}" for kind in kinds for dataset in datasets)]
