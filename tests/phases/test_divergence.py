"""A study in which one cell diverges: the rest is computed, the report says so, and nothing has failed."""

import json
from pathlib import Path

import pytest

from support import TINY, command

WRECKED = "methods: {wgan-div: {loss: {k: 1.0e+38, multiplier: 1.0e+38}}}"


@pytest.mark.slow
def test_a_study_goes_on_past_a_cell_that_diverges(project: Path) -> None:
    (project / "tiny.yaml").write_text(TINY.replace("sagan-div-d", "wgan-div"))
    (project / "wrecked.yaml").write_text(WRECKED)
    words = ("--cores", "1", "--configfile", "tiny.yaml", "wrecked.yaml")
    done = command("snakemake", *words, cwd=project)
    assert done.returncode == 0, done.stderr
    results = project / "results" / "tiny"
    records = {
        method: json.loads((results / f"train/digits/{method}/seed0/record.json").read_text())
        for method in ("dcgan", "wgan-div")
    }
    assert "diverged" not in records["dcgan"]
    image = records["wgan-div"]["diverged"]
    scores = {method: json.loads((results / f"score/digits/{method}/seed0/metrics.json").read_text()) for method in records}
    assert scores["dcgan"]["extractors"]["classifier"]["fid"] > 0
    why = f"training diverged at image {image:,} and had rated no generator"
    assert scores["wgan-div"]["extractors"]["classifier"] == {"fid": None, "why": why}
    assert why in (results / "report.html").read_text(encoding="utf-8")
