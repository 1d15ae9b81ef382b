"""A study's results come from a bucket, or another folder, as they are there, or not at all."""

import shutil
import socket
from contextlib import chdir
from pathlib import Path

import pytest
from made import do, make_all, study, the_job

from sagan_div import remote
from sagan_div.errors import UserError
from sagan_div.remote import Remote
from sagan_div.report.report import outputs
from sagan_div.workflow.download import download
from sagan_div.workflow.jobs import jobs
from sagan_div.workflow.layout import Layout
from sagan_div.workflow.staleness import survey


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which every job of the tiny study has left its artefacts and its record."""
    folder = tmp_path_factory.mktemp("elsewhere")
    with chdir(folder):
        make_all()
    (folder / "results/train/stranger.txt").write_text("of no job")
    return folder


@pytest.fixture
def there(request: pytest.FixtureRequest, elsewhere: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Remote:
    """The same in another folder, or in a bucket; here is nothing."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    if getattr(request, "param", "folder") == "folder":
        return remote.at(str(shutil.copytree(elsewhere, tmp_path / "elsewhere")))
    found = remote.at(f"{request.getfixturevalue('bucket')}/folder")
    for path in contents(elsewhere):
        found.put(elsewhere / path, path)
    return found


either = pytest.mark.parametrize("there", ["bucket", "folder"], indirect=True)


def contents(folder: Path) -> dict[Path, bytes]:
    found = (path for path in folder.rglob("*") if path.is_file() and "scratch" not in path.parts)
    return {path.relative_to(folder): path.read_bytes() for path in found}


def bring(there: Remote, *sets: str) -> str:
    lines: list[str] = []
    chosen = study(*sets)
    download(chosen, outputs(chosen, Layout(chosen.study)), there, lines.append)
    return "\n".join(lines)


def overwrite(there: Remote, path: Path, content: bytes) -> None:
    Path("other").write_bytes(content)
    there.put(Path("other"), path)
    Path("other").unlink()


@either
def test_all_files_of_the_studys_jobs_come_and_nothing_else(there: Remote, elsewhere: Path) -> None:
    said = bring(there)
    assert contents(Path()) | {Path("results/train/stranger.txt"): b"of no job"} == contents(elsewhere)
    assert not Path("results/train/stranger.txt").exists()
    assert not any(state.due for state in survey(study()))
    assert "1 of 11 jobs are not made there yet" in said  # the report
    assert not Path("scratch/main/download").exists()


def test_what_is_here_is_not_fetched_again(there: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    bring(there)
    lost = the_job("score", method="sngan").outputs["metrics"]
    lost.unlink()
    dates = {path: path.stat().st_mtime_ns for path in contents(Path()) if path.parent != lost.parent}
    fetched, get = [], Remote.get
    monkeypatch.setattr(Remote, "get", lambda self, name, to: fetched.append(name) or get(self, name, to))
    assert "1 of " in bring(there)
    assert [path for path in fetched if "record" not in path.name] == [lost]
    assert lost.is_file()
    assert {path: path.stat().st_mtime_ns for path in dates} == dates


@either
def test_a_damaged_object_is_named_and_nothing_is_replaced(there: Remote) -> None:
    for job in jobs(study()):
        do(job, "as it was made here")
    before = contents(Path())
    damaged = the_job("score", method="sngan").outputs["metrics"]
    overwrite(there, damaged, b"{}")
    with pytest.raises(UserError, match="is not what its record describes; nothing here is changed") as refused:
        bring(there)
    assert str(refused.value).startswith(there.url(damaged))
    assert contents(Path()) == before


@pytest.mark.parametrize("content", [b"", b"[1]", b'{"settings": {}}'], ids=["empty", "list", "part"])
def test_a_damaged_record_is_named(there: Remote, content: bytes) -> None:
    record = the_job("train", method="dcgan").record
    overwrite(there, record, content)
    with pytest.raises(UserError, match="is no record of what its job leaves"):
        bring(there)
    assert contents(Path()) == {}


@either
def test_an_object_that_is_gone_is_named(there: Remote) -> None:
    gone = the_job("sample", method="dcgan").outputs["grid"]
    there.remove(gone)
    with pytest.raises(UserError, match=r"grid.png: is missing, and its record names it"):
        bring(there)


def test_results_of_other_settings_stay_there(there: Remote) -> None:
    make_all()
    said = bring(there, "train.images=640")
    assert "train digits dcgan 0: stays there, made with other settings: train.images" in said
    assert "0 of " in said


def test_where_nothing_of_the_study_is_the_place_is_named(there: Remote) -> None:
    with pytest.raises(UserError, match="has no results of the study 'another'"):
        bring(there, "study=another")
    with pytest.raises(UserError, match="is this working folder"):
        bring(remote.at("."))


def test_a_bucket_that_cannot_be_used_is_named(bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="there is no bucket no-such-bucket"):
        bring(remote.at("s3://no-such-bucket/folder"))
    with socket.create_server(("127.0.0.1", 0)) as free:
        monkeypatch.setenv("SNAKEMAKE_STORAGE_S3_ENDPOINT_URL", f"http://127.0.0.1:{free.getsockname()[1]}")
    with pytest.raises(UserError, match=r"s3://study: cannot be read \(.*connect.*\); put that right"):
        bring(remote.at(bucket))


def test_what_has_arrived_is_not_fetched_again_after_a_fault(there: Remote, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = the_job("score", method="sngan").outputs["metrics"]
    get, fetched = Remote.get, []

    def cut(self: Remote, name: Path, to: Path) -> bool:
        fetched.append(name)
        if name == gone and fetched.count(gone) == 1:
            raise remote.Unreachable("the cable is cut")
        return get(self, name, to)

    monkeypatch.setattr(Remote, "get", cut)
    with pytest.raises(UserError, match=r"the cable is cut.*and run the same command again"):
        bring(there)
    assert contents(Path()) == {}
    bring(there)
    once = [name for name in fetched if name.name == "images.npy"]  # which were fetched before the fault
    assert len(once) == len(set(once)) == 2
    assert not any(state.due for state in survey(study()))
