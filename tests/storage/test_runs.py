"""The everyday situations of tests/interplay, with a bucket in the place of a disk and two working folders.

Numbers must be those of params.yaml, which are those of a local run, whoever made what.
"""

import hashlib
from pathlib import Path

import pytest
from buckets import FOLDER, Objects, WorkingFolder
from projects import ALL, CELL_JOBS, EDITED, Project, start

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def computed(s3: str, tmp_path_factory: pytest.TempPathFactory) -> WorkingFolder:
    """The small study, computed with Snakemake into an empty bucket."""
    first = WorkingFolder.first(tmp_path_factory.mktemp("runs") / "project", Objects.new(s3))
    assert first.compute() == ALL
    return first


@pytest.fixture
def one(computed: WorkingFolder, tmp_path: Path) -> WorkingFolder:
    """A working folder of a bucket of its own."""
    return computed.checkout(tmp_path / "one", computed.objects.copied())


@pytest.fixture
def other(one: WorkingFolder, tmp_path: Path) -> WorkingFolder:
    """Another one of the same bucket."""
    return one.checkout(tmp_path / "other")


def test_a_bucket_has_what_a_local_run_leaves_and_nothing_lies_beside(computed: WorkingFolder, tmp_path: Path) -> None:
    computed.idle()
    local = start(tmp_path / "local")
    assert local.compute() == ALL
    artefacts = [path for name in ("data", "results") for path in (local.path / name).rglob("*") if path.is_file()]
    expected = {
        str(path.relative_to(local.path)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in artefacts
        if "record.json" not in path.name and path.name != ".gitignore"
    }
    assert computed.objects.digests() == expected
    assert not [name for name in ("data", "results", "logs") if (computed.path / name).exists()]
    assert {"logs/main/train/digits/dcgan/seed0.log", "logs/main/report.log"} <= set(computed.objects.names("logs/"))


def test_rows_1_and_5_an_edit_runs_what_it_touches_here_and_is_known_there(one: WorkingFolder, other: WorkingFolder) -> None:
    one.faster()
    assert one.compute() == EDITED
    other.faster()
    other.idle()
    one.idle()


def test_rows_2_and_3_results_of_another_setting_are_never_taken_for_ones_own(one: WorkingFolder, other: WorkingFolder) -> None:
    other.faster()
    assert other.compute("--keep-storage-local-copies") == EDITED
    assert one.compute() == EDITED
    one.idle()
    assert other.compute("--keep-storage-local-copies") == EDITED
    other.idle()


def test_row_4_a_fresh_checkout_is_idle(other: WorkingFolder) -> None:
    other.idle()
    assert other.compute() == {}


def test_rows_9_and_10_cells_join_and_leave(one: WorkingFolder, other: WorkingFolder) -> None:
    one.study(lambda values: values.update(seeds=[0, 1]))
    assert one.compute() == dict.fromkeys(CELL_JOBS, 2) | {"report": 1}
    one.idle()
    other.study(lambda values: (values.update(seeds=[0, 1]), values["methods"].pop("sagan-div-d")))
    assert other.compute() == {"report": 1}


def test_row_11_an_edited_module_runs_the_jobs_that_use_it(one: WorkingFolder, other: WorkingFolder) -> None:
    for folder in (one, other):
        folder.edit("training/loop.py")
    assert one.compute() == dict.fromkeys(CELL_JOBS, 2) | {"report": 1}
    other.idle()


def test_row_12_a_lost_object_is_made_again(one: WorkingFolder, other: WorkingFolder) -> None:
    before = one.objects.digests()
    one.objects.delete("results/train/digits/dcgan/seed0/best.safetensors")
    assert other.compute() == EDITED
    assert one.objects.digests() == before
    one.idle()


def test_a_copy_that_a_killed_run_has_left_is_not_read(one: WorkingFolder) -> None:
    """Newer than the object, it would be taken for it."""
    copies = one.path / ".snakemake/storage/s3" / one.objects.bucket / FOLDER
    copy = copies / "results/train/digits/dcgan/seed0/best.safetensors"
    copy.parent.mkdir(parents=True)
    copy.write_text("of other settings")
    one.study(lambda values: values["sample"].update(count=99))
    assert one.compute() == {"sample_cell": 2, "score_cell": 2, "report": 1}
    one.idle()


def test_a_failed_job_is_named_with_its_cause_and_the_rest_is_kept(one: WorkingFolder) -> None:
    one.faster()
    failed = one.run("snakemake", "--cores", "1", status=1, STANDIN_MISTAKE="sample digits dcgan")
    assert "sample digits dcgan seed 0: sample digits dcgan 0: was told to fail; tell it otherwise" in failed.stderr
    assert one.compute() == {"sample_cell": 1, "score_cell": 1, "report": 1}
    one.idle()


def test_a_study_of_another_name_lies_beside(one: WorkingFolder, other: WorkingFolder) -> None:
    for folder in (one, other):
        (folder.path / "other.yaml").write_text("study: other\nseeds: [1]\n")
    assert one.compute("--configfile", "other.yaml")["train_cell"] == 2
    assert other.planned("--configfile", "other.yaml") == {}
    other.idle()


def test_what_a_disk_has_and_what_a_bucket_has_are_two_things(one: WorkingFolder) -> None:
    """Without the profile the same folder is a local study."""
    assert Project(one.path).planned() == ALL
