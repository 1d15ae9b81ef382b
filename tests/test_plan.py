"""Jobs, their settings and records: what is stale, and what prune removes."""

import json
from pathlib import Path

import pytest

from sagan_div import files
from sagan_div.errors import UserError
from sagan_div.settings import canonical, plain
from sagan_div.study import schema as config
from sagan_div.study.load import load
from sagan_div.workflow import plan
from support import FULL, ROOT

TINY = ["datasets=[digits]", "methods=[dcgan, sngan]", "seeds=[0]", "score.extractors=[classifier]"]


def study(*sets: str) -> config.Study:
    return load(ROOT / "params.yaml", sets=[*TINY, *sets])


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree in which every job of the tiny study has left its artefacts and its record."""
    monkeypatch.chdir(tmp_path)
    for phase in plan.PHASES[:-1]:
        for job in plan.jobs(study(), phase):
            for name, path in job.outputs.items():
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(f"{job.name} {name}")
            plan.record(job, {})
    return tmp_path


def remaining() -> set[str]:
    return {str(path.parent) for path in Path("results").rglob("record.json")}


def pruned(*sets: str) -> list[str]:
    return [line for phase in plan.PHASES for line in plan.prune(study(*sets), phase)]


def test_a_study_has_every_cell_once() -> None:
    main = load(ROOT / "params.yaml", [FULL])
    assert {phase: len(plan.jobs(main, phase)) for phase in plan.PHASES[:-1]} == {
        "data": 2,
        "reference": 1 + 2 + 4 + 4,
        "train": 42,
        "sample": 42,
        "score": 42,
    }


def test_every_input_is_some_jobs_output() -> None:
    main = load(ROOT / "params.yaml")
    jobs = [job for phase in plan.PHASES[:-1] for job in plan.jobs(main, phase)]
    outputs = [path for job in jobs for path in (*job.outputs.values(), job.record)]
    assert len(set(outputs)) == len(outputs)
    assert {path for job in jobs for path in job.inputs.values()} <= set(outputs)


def test_studies_share_no_file() -> None:
    main, demo = (load(ROOT / "params.yaml", overlays) for overlays in ([], [ROOT / "workflow/overlays/demo.yaml"]))
    paths = [
        {path for phase in plan.PHASES[:-1] for job in plan.jobs(each, phase) for path in (*job.outputs.values(), job.scratch)}
        for each in (main, demo)
    ]
    assert not paths[0] & paths[1]


def test_settings_survive_the_way_to_a_job_and_back() -> None:
    main = load(ROOT / "params.yaml", sets=["datasets=[mnist, {birds: some/folder}]"])
    for phase in plan.PHASES[:-1]:
        for job in plan.jobs(main, phase):
            assert plan.job(job.kind, plan.told(job.kind, canonical(job.settings)), plan.Layout()) == job


def test_other_images_in_a_folder_are_another_dataset(tmp_path: Path) -> None:
    def told() -> str:
        files.digest.cache_clear()
        return canonical(plan.settings(study(f"datasets=[{{birds: {tmp_path}}}]"), "data", "birds"))

    (tmp_path / "a.png").write_bytes(b"one")
    before = told()
    assert told() == before
    (tmp_path / "a.png").write_bytes(b"two")
    changed = told()
    (tmp_path / "b.png").write_bytes(b"three")
    assert len({before, changed, told()}) == 3


def test_nothing_is_stale_where_nothing_changed(made: Path) -> None:
    assert pruned() == []
    plan.require(study())


@pytest.mark.parametrize(
    ("edit", "phases"),
    [
        ("methods.dcgan.optimiser.lr_critic=0.5", {"train"}),
        ("sample.count=99", {"sample"}),
        ("score.reference.count=99", {"reference"}),
        ("train.images=640", {"train"}),
        ("classifier.epochs=1", {"reference"}),
    ],
)
def test_an_edit_makes_stale_what_it_touches_and_nothing_else(made: Path, edit: str, phases: set[str]) -> None:
    found = {phase for phase in plan.PHASES[:-1] if plan.stale(study(edit), phase)}
    assert found == phases
    if "dcgan" in edit:
        assert [str(path.parent) for path in plan.stale(study(edit), "train")] == ["results/train/digits/dcgan/seed0"]


def test_prune_removes_the_edited_cell_and_leaves_the_others(made: Path) -> None:
    lines = pruned("methods.dcgan.optimiser.lr_critic=0.5")
    assert len(lines) == 1
    assert "recipe.optimiser.lr_critic 0.0002 -> 0.5" in lines[0]
    assert "results/train/digits/dcgan/seed0" not in remaining()
    assert "results/train/digits/sngan/seed0" in remaining()


def test_a_cell_made_from_another_checkpoint_is_removed(made: Path) -> None:
    job = next(job for job in plan.jobs(study(), "train") if job.settings.method == "dcgan")  # type: ignore[union-attr]
    job.outputs["best"].write_text("trained again, differently")
    plan.record(job, {})
    assert [line.split(":")[0] for line in pruned()] == ["sample digits dcgan 0"]


def test_a_removed_method_leaves_no_file(made: Path) -> None:
    lines = pruned("methods=[dcgan]")
    assert all("sngan" in line for line in lines)
    assert not list(Path("results").rglob("*sngan*"))


def test_an_artefact_without_a_record_is_removed(made: Path) -> None:
    Path("results/score/digits/dcgan/seed0/record.json").write_text("{}")
    assert [line for line in pruned() if "no record" in line]
    assert not Path("results/score/digits/dcgan/seed0").exists()


def test_the_report_refuses_a_cell_that_does_not_fit(made: Path) -> None:
    with pytest.raises(UserError, match=r"results/sample/digits/dcgan/seed0: it was made with other settings: sample.count"):
        plan.require(study("sample.count=99"))


def test_a_record_tells_what_was_read_and_written(made: Path) -> None:
    record = json.loads(Path("results/sample/digits/dcgan/seed0/record.json").read_text())
    trained = json.loads(Path("results/train/digits/dcgan/seed0/record.json").read_text())
    assert record["settings"]["sample"] == plain(study().sample)
    assert record["inputs"] == {name: trained["outputs"][name] for name in ("best", "last")}


def test_unfinished_work_is_continued_by_the_same_job_alone(made: Path) -> None:
    """Other settings or other inputs start anew, from a state of their own."""

    def state(*sets: str) -> Path:
        (job,) = (job for job in plan.jobs(study(*sets), "train") if job.concerns({"method": "dcgan", "seed": 0}))
        return plan.unfinished(job)

    before = state()
    assert state("methods.sngan.n_critic=2") == before
    assert state("methods.dcgan.n_critic=2") != before
    Path("data/digits/train/images.npy").write_text("other images")
    assert state() != before
