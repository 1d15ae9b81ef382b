"""What prune deletes, and what it leaves alone."""

import os
from pathlib import Path

import pytest
from made import do, holding, remaining, study, the_job

from sagan_div import files, remembered
from sagan_div.errors import UserError
from sagan_div.study import given
from sagan_div.workflow import fingerprint, records
from sagan_div.workflow.jobs import jobs
from sagan_div.workflow.kinds import PHASES, TRAIN
from sagan_div.workflow.prune import prune
from sagan_div.workflow.staleness import survey


def remaining_data() -> set[Path]:
    return {path for path in Path("data").rglob("*") if path.is_file()}


def pruned(*sets: str) -> list[str]:
    return [line for phase in PHASES for line in prune(study(*sets), phase)]


def test_nothing_is_removed_where_nothing_changed(made: Path) -> None:
    before = remaining()
    assert pruned() == []
    assert remaining() == before


def test_the_edited_cell_is_removed_and_the_others_stay(made: Path) -> None:
    (line,) = pruned("methods.dcgan.optimiser.lr_critic=0.5")
    assert "recipe.optimiser.lr_critic 0.0002 -> 0.5" in line
    assert "results/train/digits/dcgan/seed0" not in remaining()
    assert "results/train/digits/sngan/seed0" in remaining()


def test_a_removed_method_leaves_no_file(made: Path) -> None:
    lines = pruned("methods=[dcgan]")
    assert all("sngan" in line for line in lines)
    assert not list(Path("results").rglob("*sngan*"))


def test_an_artefact_without_a_record_is_removed(made: Path) -> None:
    Path("results/score/digits/dcgan/seed0/record.json").write_text("{}")
    assert [line for line in pruned() if "no record" in line]
    assert not Path("results/score/digits/dcgan/seed0").exists()


def test_an_altered_artefact_is_removed_in_its_own_phase_alone(made: Path) -> None:
    Path("results/train/digits/dcgan/seed0/best.safetensors").write_text("altered")
    assert prune(study(), "sample") == []
    assert [line.split(":")[0] for line in prune(study(), "train")] == ["train digits dcgan 0"]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files whose bytes are read for their digest, as they are; what is remembered counts at once."""
    found: list[Path] = []
    sha256 = files.sha256

    def noted(path: Path) -> str:
        found.append(path)
        return sha256(path)

    monkeypatch.setattr(files, "sha256", noted)
    monkeypatch.setattr(remembered, "SETTLED", 0)
    return found


def test_bytes_are_read_once(made: Path, read: list[Path]) -> None:
    assert prune(study(), "train") == []
    assert set(read) == {path for job in jobs(study(), "train") for path in job.outputs.values()}
    read.clear()
    assert prune(study(), "train") == []
    assert read == []


def test_records_and_sizes_are_compared_before_bytes(made: Path, read: list[Path]) -> None:
    best = the_job("train", method="dcgan").outputs["best"]
    best.write_text("of another size")
    lines = prune(study("methods.sngan.n_critic=3"), "train")
    assert [line.partition(":")[0] for line in lines] == ["train digits dcgan 0", "train digits sngan 0"]
    assert best not in read
    assert not any("sngan" in path.parts for path in read)


def test_other_bytes_of_the_same_size_and_date_are_noticed(made: Path, read: list[Path]) -> None:
    best = the_job("train", method="dcgan").outputs["best"]
    assert prune(study(), "train") == []
    dated = best.stat()
    with best.open("r+b") as file:
        file.write(b"x")
    os.utime(best, ns=(dated.st_atime_ns, dated.st_mtime_ns))
    (line,) = prune(study(), "train")
    assert line == "train digits dcgan 0: removed, best.safetensors is not what it was when it was made"


def test_what_a_process_is_at_work_on_is_left_alone(made: Path) -> None:
    """Between its outputs and its record a job's artefacts look like those of a killed one."""
    job = the_job("score", method="dcgan")
    job.record.unlink()
    with holding(job.lock):
        assert pruned() == ["score digits dcgan 0: left alone, a process is at work on it"]
        assert job.outputs["metrics"].exists()
    assert "removed" in pruned()[0]


def test_what_has_ended_since_the_survey_is_left_alone(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job that writes its record between the look at it and the deletion has lost nothing."""
    job = the_job("score", method="dcgan")
    job.record.unlink()

    def survey_and_end(*words: object) -> object:
        found = survey(*words)  # type: ignore[arg-type]
        do(job)
        return found

    monkeypatch.setattr("sagan_div.workflow.prune.survey", survey_and_end)
    assert prune(study(), "score") == ["score digits dcgan 0: left alone, a process is at work on it"]
    assert job.record.exists()
    assert job.outputs["metrics"].exists()


def test_nothing_is_removed_beside_a_running_snakemake(made: Path) -> None:
    lock = Path(".snakemake/locks/0.input.lock")
    lock.parent.mkdir(parents=True)
    lock.touch()
    with pytest.raises(UserError, match=r"snakemake is at work in this folder; .*`snakemake --unlock`"):
        pruned("methods=[dcgan]")
    lock.unlink()
    assert pruned("methods=[dcgan]")


@pytest.mark.parametrize("link", ["hard", "symbolic"])
def test_links_are_refused(made: Path, link: str) -> None:
    path = the_job("train", method="dcgan").outputs["best"]
    path.rename("elsewhere")
    if link == "hard":
        os.link("elsewhere", path)
    else:
        path.symlink_to(Path("elsewhere").absolute())
    with pytest.raises(UserError, match=r"best.safetensors: is a link into a cache"):
        prune(study(), "train")


def test_a_folder_in_the_place_of_an_artefact_is_named(made: Path) -> None:
    path = the_job("score", method="dcgan").outputs["metrics"]
    path.unlink()
    path.mkdir()
    with pytest.raises(UserError, match=r"metrics.json: is a folder where a file belongs; move it elsewhere"):
        prune(study(), "score")


def test_data_is_kept_while_the_images_that_it_was_made_from_are_away(made: Path) -> None:
    birds = "datasets=[digits, {birds: images}]"
    Path("images").mkdir()
    for number in range(2):
        Path("images", f"{number}.png").write_bytes(bytes([number]))
    do(the_job("data", birds, dataset="birds"))
    before = remaining_data()
    Path("images").rename("elsewhere")
    given.contents.cache_clear()
    with pytest.raises(UserError, match="images: there is no such folder of images; bring it back, or correct the path"):
        prune(study(birds), "data")
    assert remaining_data() == before


def test_unfinished_work_is_continued_by_the_same_job_alone(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Other settings, other inputs or other code start anew, from a state of their own."""

    def state(*sets: str) -> Path:
        return records.state_path(the_job("train", *sets, method="dcgan"))

    before = state()
    assert state("methods.sngan.n_critic=2") == before
    assert state("methods.dcgan.n_critic=2") != before
    edited = fingerprint.of_job(TRAIN, the_job("train", method="dcgan").settings) | {"training/loop.py": "edited"}
    with monkeypatch.context() as patch:
        patch.setattr(fingerprint, "of_job", lambda *about: edited)
        assert state() != before
    assert state() == before
    Path("data/digits/train/images.npy").write_text("other images")
    assert state() != before
