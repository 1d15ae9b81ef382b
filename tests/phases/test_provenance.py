"""The commit in a record: a `+` says that sources differ from it, not that a run has left its results."""

import subprocess
from pathlib import Path

import pytest

from sagan_div.phases import provenance


def git(*words: str) -> str:
    author = ("-c", "user.name=A", "-c", "user.email=a@b.c")
    return subprocess.run(["git", *author, *words], capture_output=True, text=True, check=True).stdout.strip()


@pytest.mark.parametrize(("changed", "mark"), [("params.yaml", "+"), ("results/page.html", ""), ("dvc.lock", ""), (None, "")])
def test_a_commit_is_marked_where_sources_have_changed(
    changed: str | None, mark: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("params.yaml", "results/page.html", "dvc.lock"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("1")
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "--message", "All")
    if changed:
        (tmp_path / changed).write_text("2")
    (tmp_path / "new").write_text("3")
    assert provenance.commit() == git("rev-parse", "HEAD") + mark


def test_outside_git_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert provenance.commit() is None
