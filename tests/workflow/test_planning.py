"""What a plan costs, in work done and not in seconds: docs/scaling.md has those."""

import pstats
import sys
from pathlib import Path

import pytest

from sagan_div.study.load import load
from sagan_div.workflow.jobs import jobs
from support import command

Calls = dict[tuple[str, str], int]


@pytest.fixture
def plan(project: Path) -> Calls:
    """How often each function, by file and name, is called in a dry run of the tiny study, of which nothing is there yet."""
    profile = project / "profile"
    words = ("-m", "snakemake", "-n", "--quiet", "all", "--configfile", "tiny.yaml")
    done = command(sys.executable, "-m", "cProfile", "-o", profile, *words, cwd=project)
    assert done.returncode == 0, done.stderr
    found: Calls = {}
    for (file, _, name), (_, count, *_) in pstats.Stats(str(profile)).stats.items():  # type: ignore[attr-defined]
        key = (Path(file).name, name)
        found[key] = found.get(key, 0) + count
    return found


def test_every_job_is_made_once(project: Path, plan: Calls) -> None:
    """However often rules, staleness and the report ask for the jobs."""
    study = load(project / "params.yaml", [project / "tiny.yaml"])
    assert plan["given.py", "score"] == len(jobs(study, "score"))
    assert plan["given.py", "train"] == len(jobs(study, "train"))
