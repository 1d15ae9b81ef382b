"""What comparing real images with real ones left behind."""

import json
from pathlib import Path
from typing import Any

import pandas as pd

from sagan_div.errors import UserError
from sagan_div.study.schema import Study
from sagan_div.workflow.kinds import REAL_VS_REAL
from sagan_div.workflow.layout import Layout
from sagan_div.workflow.records import recorded

SOURCE = "real-vs-real"  # in place of a method, where the page says what a number comes from


def distances(study: Study, layout: Layout) -> pd.DataFrame:
    """A row for every pair of sets of real images that were compared."""
    rows = [
        {"dataset": dataset, "extractor": extractor} | entry | {"fid": fid}
        for dataset, extractor in _spaces(study)
        for entry in _pairs(Path(str(layout.real_vs_real).format(dataset=dataset, extractor=extractor)))
        for fid in entry["fids"]
    ]
    return pd.DataFrame(rows, columns=["dataset", "extractor", "pair", "sampler", "images", "fid"])


def records(study: Study, layout: Layout) -> dict[tuple[str, str], dict[str, Any]]:
    """(dataset, extractor) -> the record of a comparison."""
    place = str(REAL_VS_REAL.record(layout))
    found = {space: recorded(Path(place.format(dataset=space[0], extractor=space[1]))) for space in _spaces(study)}
    return {space: record for space, record in found.items() if record}


def _spaces(study: Study) -> list[tuple[str, str]]:
    """Every dataset x feature space."""
    return [(dataset.name, extractor) for dataset in study.datasets for extractor in study.score.spaces]


def _pairs(path: Path) -> list[dict[str, Any]]:
    try:
        entries: list[dict[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else []
    except ValueError:
        raise UserError(f"{path}: is damaged; delete it and compare the images again") from None
    return entries
