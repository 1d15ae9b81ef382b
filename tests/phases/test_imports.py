"""What the jobs of training and sampling load: nothing heavy beside torch."""

import subprocess
import sys

import pytest

from support import ROOT

HEAVY = {"matplotlib", "pandas", "scipy.stats", "sklearn", "snakemake", "tensorboard", "dvclive", "torchvision"}


@pytest.mark.parametrize("phase", ["train", "sample"])
def test_a_job_loads_nothing_heavy_beside_torch(phase: str) -> None:
    code = f"import sys, sagan_div.phases.{phase}; print(*sorted(sys.modules))"
    words = [sys.executable, "-c", code]
    done = subprocess.run(words, env={"PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stdout.split())


@pytest.mark.parametrize("wing", ["models", "training"])
def test_networks_and_training_know_nothing_of_jobs(wing: str) -> None:
    for path in (ROOT / "src" / "sagan_div" / wing).rglob("*.py"):
        assert "sagan_div.workflow" not in path.read_text(encoding="utf-8"), path.name
