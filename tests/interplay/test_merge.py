"""Two branches that both ran are merged as docs/howto/merge.md says, and no cell that either side had is made again."""

import re
from pathlib import Path

import pytest
from projects import Project, finished, start

from support import ROOT

pytestmark = pytest.mark.slow
(SCRIPT,) = re.findall(r"```sh\n(.*?)```", (ROOT / "docs/howto/merge.md").read_text(encoding="utf-8"), re.DOTALL)


@pytest.fixture
def branches(tmp_path: Path) -> Project:
    """Two branches, on each of which another method was edited, computed and committed."""
    project = start(tmp_path / "project")
    project.repro()
    project.commit("Compute")
    project.run("git", "branch", "other")
    for branch, method in (("-", "sagan-div-d"), ("other", "dcgan")):
        if branch == "other":
            project.run("git", "checkout", "-q", "other")
            project.run("dvc", "checkout", "-q")
        project.faster(method)
        project.repro()
        project.commit(f"Edit {method}")
    project.run("git", "checkout", "-q", "-")
    project.run("dvc", "checkout", "-q")
    return project


def test_the_documented_way_joins_both_sides_cells(branches: Project) -> None:
    merged = branches.run("git", "merge", "other", status=1).stdout
    assert {"dvc.lock", "results/report.record.json"} <= set(re.findall(r"CONFLICT .* in (\S+)", merged))
    branches.run("git", "merge", "--abort")
    script = SCRIPT.replace("../theirs", str(branches.path.with_name("theirs")))
    done = branches.run("bash", "-euo", "pipefail", "-c", script, PYTHONPATH="src", REPRO_PROFILE="profiles/ci")
    assert finished(done) == {"report": 1}
    assert len(branches.run("git", "show", "--no-patch", "--format=%P").stdout.split()) == 2
    assert branches.run("git", "status", "--porcelain").stdout == ""
    branches.idle()
    study = (branches.path / "params.yaml").read_text()
    assert study.count("lr_critic: 0.5") == 2
