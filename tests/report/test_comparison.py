"""Results beside results: folders and git revisions, also those of version 0.1, give the same rows."""

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


OLD = {"fid": 20.0, "fid_std": 1.5, "floor": 1.0, "recall": 0.1, "seeds": 3, "images": 640}
NEW = {"fid": 15.0, "fid_std": 0.5, "floor": 1.0, "recall": 0.2, "seeds": 3, "images": 640}
FIRST_VERSION = {"fid_classifier": 20.0, "fid_classifier_std": 1.5, "fid_classifier_floor": 1.0, "recall_classifier": 0.1}
FIRST_VERSION |= {"fid_inception": 44.0, "fid_inception_std": 2.0, "paper_fid": 45.7734, "seeds": 3, "images": 640}


def test_rows_have_both_sides_and_their_difference(tmp_path: Path) -> None:
    leave(tmp_path / "a", dcgan=OLD, sngan=OLD)
    leave(tmp_path / "b", dcgan=NEW, wgan=NEW)
    sides = [comparison.read(str(tmp_path / name)) for name in "ab"]
    dcgan, sngan, wgan = comparison.compare(*sides)
    assert dcgan.as_dict() == {
        "dataset": "digits",
        "method": "dcgan",
        "measure": "fid",
        "a": 20.0,
        "a_std": 1.5,
        "a_marks": "",
        "b": 15.0,
        "b_std": 0.5,
        "b_marks": "",
        "difference": -5.0,
        "relative": -0.25,
    }
    assert (sngan.b, sngan.difference, wgan.a, wgan.relative) == (None, None, None, None)
    assert {row.measure for row in comparison.compare(*sides, every=True)} == {"fid", "recall"}


def test_metrics_of_the_first_version_are_read_by_their_old_names(tmp_path: Path) -> None:
    leave(tmp_path / "a", dcgan=FIRST_VERSION)
    leave(tmp_path / "b", dcgan=NEW)
    rows = comparison.compare(*(comparison.read(str(tmp_path / name)) for name in "ab"), every=True)
    found = {row.measure: (row.a, row.a_std, row.b) for row in rows}
    assert found == {"fid": (20.0, 1.5, 15.0), "recall": (0.1, None, 0.2), "fid_inception": (44.0, 2.0, None)}


def test_what_metrics_have_no_room_for_comes_from_the_table_of_measures(tmp_path: Path) -> None:
    for name, kid in (("a", 0.25), ("b", 0.5)):
        leave(tmp_path / name, dcgan=OLD)
        table = tmp_path / name / "tables/measures.csv"
        table.parent.mkdir()
        lines = ["dataset,method,extractor,n,kid,kid_std,is,is_std", f"digits,dcgan,classifier,3,{kid},0.01,,"]
        table.write_text("\n".join([*lines, f"digits,dcgan,inception,1,{2 * kid},,9.0,"]))
    sides = [comparison.read(str(tmp_path / name)) for name in "ab"]
    found = {row.measure: (row.a, row.a_std, row.b) for row in comparison.compare(*sides, every=True)}
    assert found["kid"] == (0.25, 0.01, 0.5)
    assert found["kid_inception"] == (0.5, None, 1.0)
    assert found["is_inception"] == (9.0, None, 9.0)
    assert "is" not in found
    assert [row.measure for row in comparison.compare(*sides)] == ["fid"]


def test_a_revision_is_compared_with_the_working_tree(tmp_path: Path) -> None:
    leave(tmp_path / "results", dcgan=OLD)
    leave(tmp_path / "results/other", dcgan=NEW)
    (tmp_path / "results/tables").mkdir()
    (tmp_path / "results/tables/measures.csv").write_text(
        "dataset,method,extractor,n,is,is_std\ndigits,dcgan,classifier,3,8.5,0.5\n"
    )
    command("git", "init", "-q", cwd=tmp_path)
    command("git", "add", "-A", cwd=tmp_path)
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.org")
    command("git", *identity, "commit", "-qm", "old", cwd=tmp_path)
    leave(tmp_path / "results", dcgan=NEW)
    done = command("sagan-div", "compare", "HEAD", "results", "--json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    assert (row["a"], row["b"], row["difference"]) == (20.0, 15.0, -5.0)
    every = json.loads(command("sagan-div", "compare", "HEAD", "HEAD:results/other", "--all", "--json", cwd=tmp_path).stdout)
    assert {row["measure"]: row["a"] for row in every} == {"fid": 20.0, "recall": 0.1, "is": 8.5}
    shown = command("sagan-div", "compare", "HEAD", "HEAD:results/other", cwd=tmp_path).stdout
    assert not set(shown) & set("┏│\x1b")  # plain lines
    assert " digits   DCGAN   fid      20 ± 1.5            15 ± 0.5          -5    -25.0%" in shown
    for where, expected in (
        ("nowhere", "nowhere: is no folder, and as a git revision: not a valid object name: nowhere"),
        ("HEAD:elsewhere", "HEAD:elsewhere: is no folder, and as a git revision: pathspec"),
        (str(tmp_path / ".git"), "has no metrics; name a folder"),
    ):
        wrong = command("sagan-div", "compare", "HEAD", where, cwd=tmp_path)
        assert wrong.returncode == 2
        assert expected in wrong.line


@pytest.mark.parametrize("name", ["metrics/digits/dcgan.json", "tables/measures.csv"])
def test_damaged_files_are_named(tmp_path: Path, name: str) -> None:
    leave(tmp_path, dcgan=OLD)
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("{")
    with pytest.raises(UserError, match=rf"{name} is damaged"):
        comparison.read(str(tmp_path))


def test_marks_stand_beside_the_numbers_that_they_concern(tmp_path: Path) -> None:
    """In words where the table of measures has them, by count where there are metrics alone."""
    leave(tmp_path / "a", dcgan=OLD | {"marked": 2}, sngan=OLD | {"marked": 3})
    leave(tmp_path / "b", dcgan=NEW | {"marked": 1}, sngan=NEW)
    (tmp_path / "b/tables").mkdir()
    (tmp_path / "b/tables/measures.csv").write_text(
        "dataset,method,extractor,n,marks,kid,kid_std\ndigits,dcgan,classifier,3,1 of 3 collapsed,0.5,0.1\n"
    )
    rows = comparison.compare(*(comparison.read(str(tmp_path / name)) for name in "ab"))
    assert [(row.method, row.a_marks, row.b_marks) for row in rows] == [
        ("dcgan", "2 of 3 marked", "1 of 3 collapsed"),
        ("sngan", "marked", ""),
    ]
    first, second = comparison.table(rows, "a", "b").rows
    assert first.cells[3:5] == ("20 ± 1.5 (2 of 3 marked)", "15 ± 0.5 (1 of 3 collapsed)")
    assert second.cells[3:5] == ("20 ± 1.5 (marked)", "15 ± 0.5")


@pytest.mark.parametrize("where", ["--output=README.md", "-o", "--output=README.md:results", "HEAD\0", "\0"])
def test_nothing_is_passed_on_to_git_as_an_option(tmp_path: Path, where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    leave(tmp_path / "results", dcgan=OLD)
    (tmp_path / "README.md").write_text("mine")
    command("git", "init", "-q", cwd=tmp_path)
    command("git", "add", "-A", cwd=tmp_path)
    command("git", "-c", "user.name=test", "-c", "user.email=test@example.org", "commit", "-qm", "one", cwd=tmp_path)
    with pytest.raises(UserError, match="is no folder, and as a git revision: "):
        comparison.read(where)
    assert (tmp_path / "README.md").read_text() == "mine"


@pytest.mark.parametrize("content", [b"\xff", b'{"fid": NaN}', b'{"fid": [1]}', b"[" * 100_000])
def test_files_that_hold_no_numbers_are_named(tmp_path: Path, content: bytes) -> None:
    leave(tmp_path, dcgan=OLD)
    (tmp_path / "metrics/digits/dcgan.json").write_bytes(content)
    with pytest.raises(UserError, match=r"dcgan.json is damaged"):
        comparison.read(str(tmp_path))


@pytest.mark.parametrize("name", ["run [old]", "run [/old]", "a{1}", 'it\'s "quoted"', "ü:x", ":key:"])
def test_folders_are_named_as_they_are(tmp_path: Path, name: str) -> None:
    leave(tmp_path / name, dcgan=OLD)
    done = command("sagan-div", "compare", name, name, cwd=tmp_path)
    assert done.stdout.startswith(f"{name} beside {name}: ")
    assert f" {name} " in done.stdout.splitlines()[1]
