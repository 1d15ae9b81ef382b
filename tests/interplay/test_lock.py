"""dvc.lock, as it is committed: a clone that has git's files alone lacks artefacts, and nothing else has changed."""

import json
import subprocess
from pathlib import Path

import pytest

from support import ROOT, command


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The committed project. Skips where the sources are no clone, or no study is recorded."""
    if not (ROOT / ".git").exists():
        pytest.skip("these sources are no git clone")
    if not (ROOT / "dvc.lock").exists():
        pytest.skip("there is no dvc.lock: no study of this version is recorded yet")
    folder = tmp_path_factory.mktemp("fresh") / "clone"
    subprocess.run(["git", "clone", "--quiet", str(ROOT), str(folder)], check=True)
    return folder


def test_dvc_finds_artefacts_missing_and_nothing_changed(clone: Path) -> None:
    done = command("dvc", "status", "--json", cwd=clone)
    assert done.returncode == 0, done.stderr
    told: dict[str, list[dict[str, dict[str, str]] | str]] = json.loads(done.stdout)
    changes = {
        f"{stage}: {path}": state
        for stage, entries in told.items()
        for entry in entries
        for about in ([entry] if isinstance(entry, str) else entry.values())
        for path, state in ([(about, "changed")] if isinstance(about, str) else about.items())
    }
    missing = {"deleted", "not in cache"}
    assert set(changes.values()) <= missing, f"{changes}: run `sagan-div revalidate` and `dvc commit`, or `dvc repro`"


def test_the_committed_report_is_that_of_this_code_and_these_settings(clone: Path) -> None:
    """It is the one artefact that a fresh clone has whole; its inputs are records that are not there."""
    done = command("sagan-div", "check", cwd=clone, PYTHONPATH=str(clone / "src"))
    said = done.stdout + done.stderr
    assert "other code" not in said, said
    assert "other settings" not in said, said
