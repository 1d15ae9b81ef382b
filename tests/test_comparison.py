"""Results beside results: folders and git revisions give the same rows."""

import json
from pathlib import Path

import pytest

from sagan_div.errors import UserError
from sagan_div.report import comparison
from support import command


def leave(folder: Path, **methods: dict[str, float]) -> None:
    for method, numbers in methods.items():
        path = folder / f"metrics/digits/{method}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(numbers))


OLD = {"fid_classifier": 20.0, "fid_classifier_std": 1.5, "fid_classifier_floor": 1.0, "kid_classifier": 0.1, "seeds": 3}
NEW = {"fid_classifier": 15.0, "fid_classifier_std": 0.5, "fid_classifier_floor": 1.0, "kid_classifier": 0.2, "seeds": 3}


def test_rows_have_both_sides_and_their_difference(tmp_path: Path) -> None:
    leave(tmp_path / "a", dcgan=OLD, sngan=OLD)
    leave(tmp_path / "b", dcgan=NEW, wgan=NEW)
    sides = [comparison.read(str(tmp_path / name)) for name in "ab"]
    dcgan, sngan, wgan = comparison.compare(*sides)
    assert dcgan.as_dict() == {
        "dataset": "digits",
        "method": "dcgan",
        "measure": "fid_classifier",
        "a": 20.0,
        "a_std": 1.5,
        "b": 15.0,
        "b_std": 0.5,
        "difference": -5.0,
        "relative": -0.25,
    }
    assert (sngan.b, sngan.difference, wgan.a, wgan.relative) == (None, None, None, None)
    assert {row.measure for row in comparison.compare(*sides, every=True)} == {"fid_classifier", "kid_classifier"}


def test_a_revision_is_compared_with_the_working_tree(tmp_path: Path) -> None:
    leave(tmp_path / "results", dcgan=OLD)
    leave(tmp_path / "results/other", dcgan=NEW)
    command("git", "init", "-q", cwd=tmp_path)
    command("git", "add", "-A", cwd=tmp_path)
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.org")
    command("git", *identity, "commit", "-qm", "old", cwd=tmp_path)
    leave(tmp_path / "results", dcgan=NEW)
    done = command("sagan-div", "compare", "HEAD", "results", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    assert (row["a"], row["b"], row["difference"]) == (20.0, 15.0, -5.0)
    shown = command("sagan-div", "compare", "HEAD", "HEAD:results/other", cwd=tmp_path).stdout
    assert not set(shown) & set("┏│\x1b")  # plain lines
    assert " digits   DCGAN   fid_classifier  20 ± 1.5            15 ± 0.5          -5  -25.0%" in shown
    for where, expected in (
        ("nowhere", "nowhere: is no folder, and as a git revision: not a valid object name: nowhere"),
        ("HEAD:elsewhere", "HEAD:elsewhere: is no folder, and as a git revision: pathspec"),
        (str(tmp_path / ".git"), "has no metrics; name a folder"),
    ):
        wrong = command("sagan-div", "compare", "HEAD", where, cwd=tmp_path)
        assert wrong.returncode == 2
        assert expected in wrong.line


def test_damaged_metrics_are_named(tmp_path: Path) -> None:
    leave(tmp_path, dcgan=OLD)
    (tmp_path / "metrics/digits/dcgan.json").write_text("{")
    with pytest.raises(UserError, match=r"metrics/digits/dcgan\.json is damaged"):
        comparison.read(str(tmp_path))
