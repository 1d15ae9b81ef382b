"""What is stale, and why: settings, code, inputs and the artefacts themselves, never dates."""

import json
import os
from pathlib import Path

import pytest
from made import do, make_all, study, the_job

from sagan_div.errors import UserError
from sagan_div.settings import plain
from sagan_div.workflow import fingerprint, records
from sagan_div.workflow.jobs import jobs, report_job
from sagan_div.workflow.kinds import PHASES
from sagan_div.workflow.staleness import (
    may_be_had,
    require,
    require_inputs,
    require_upstream,
    stale,
    survey,
    survey_report,
)

CELL = Path("results/train/digits/dcgan/seed0")


def due(*sets: str) -> list[str]:
    return [state.job.name for state in survey(study(*sets)) if state.due]


def reasons() -> list[str]:
    return [state.reason for state in survey(study()) if state.reason]


def test_nothing_is_stale_where_nothing_changed(made: Path) -> None:
    assert due() == []
    require(study())


def test_dates_decide_nothing(made: Path) -> None:
    for age, path in enumerate(sorted(path for path in made.rglob("*") if path.is_file())):
        os.utime(path, (age * 1e6, age * 1e6))
    assert due() == []


@pytest.mark.parametrize(
    ("edit", "phases"),
    [
        ("methods.dcgan.optimiser.lr_critic=0.5", {"train"}),
        ("sample.count=99", {"sample"}),
        ("score.reference.count=99", {"reference"}),
        ("train.images=640", {"train"}),
        ("classifier.epochs=1", {"reference"}),
        ("protocol=code", set()),
    ],
)
def test_an_edit_makes_stale_what_it_touches_and_nothing_else(made: Path, edit: str, phases: set[str]) -> None:
    found = {phase for phase in PHASES[:-1] if stale(study(edit), phase)}
    assert found == phases
    if "dcgan" in edit:
        assert [str(path.parent) for path in stale(study(edit), "train")] == [str(CELL)]


def test_what_is_made_from_a_stale_artefact_is_due(made: Path) -> None:
    cell = ["train digits dcgan 0", "sample digits dcgan 0", "score digits dcgan 0"]
    ours = {"data", "reference", "train", "sample", "score"}  # what a further phase makes of samples is due as well
    assert [name for name in due("methods.dcgan.optimiser.lr_critic=0.5") if name.split()[0] in ours] == cell
    (CELL / "best.safetensors").unlink()
    assert [name for name in due() if name.split()[0] in ours] == cell
    assert stale(study(), "train") == {}  # what is missing is made, not removed


def test_a_cell_made_from_another_checkpoint_is_stale(made: Path) -> None:
    do(the_job("train", method="dcgan"), "trained again, differently")
    assert list(stale(study(), "sample").values()) == [f"it was made from another {CELL}/best.safetensors"]


@pytest.mark.parametrize("damage", ["altered", "swapped", "cut"])
def test_artefacts_that_are_not_what_their_record_says_are_stale(made: Path, damage: str) -> None:
    """With their old sizes and dates kept where that is possible."""
    ours, other = (the_job("score", method=method).outputs["metrics"] for method in ("dcgan", "sngan"))
    dates = {path: path.stat() for path in (ours, other)}
    if damage == "altered":
        ours.write_text(ours.read_text()[::-1])
    elif damage == "swapped":
        first, second = ours.read_text(), other.read_text()
        ours.write_text(second)
        other.write_text(first)
    else:
        ours.write_text("")
    for path, before in dates.items():
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    wanted = {"score digits dcgan 0"} | ({"score digits sngan 0"} if damage == "swapped" else set())
    assert set(due()) == wanted
    assert f"{ours.name} is not what it was when it was made" in reasons()


def test_advice_names_the_phase_that_makes_the_altered_file(made: Path) -> None:
    (CELL / "best.safetensors").write_text("altered")
    with pytest.raises(UserError, match=rf"{CELL}: best.safetensors is not what it was.*`sagan-div prune train`"):
        require_upstream(study(), [the_job("sample", method="dcgan")])
    require_upstream(study(), [the_job("sample", method="sngan")])


def test_a_record_of_other_code_is_stale_and_names_it(made: Path) -> None:
    path = CELL / "record.json"
    record = json.loads(path.read_text())
    record["code"]["training/loop.py"] = "0" * 16
    path.write_text(json.dumps(record))
    assert reasons()[0] == "it was made by other code: training/loop.py"
    assert [state for state in survey(study(), code=False) if state.due] == []


@pytest.mark.parametrize("content", ["", "null", "[]", "{}", '{"settings": null}', '{"settings": [], "code": {}}', "[" * 5000])
def test_a_record_that_is_none_makes_its_job_due(made: Path, content: str) -> None:
    (CELL / "record.json").write_text(content)
    assert "train digits dcgan 0" in due()


def test_the_report_is_due_where_a_record_changed_or_a_cell_joined(made: Path) -> None:
    page = {"page": Path("results/report.html")}

    def state() -> str | None:
        return survey_report(study(), page).reason

    do(report_job(study(), page))
    assert state() is None
    assert not survey_report(study(), page).due
    assert survey_report(study(), page, upstream_due=True).due
    page["page"].write_text("altered")
    assert state() == "report.html is not what it was when it was made"
    do(report_job(study(), page))
    do(the_job("score", method="dcgan"), "other numbers")
    assert state() == "it was made from another results/score/digits/dcgan/seed0/record.json"
    do(report_job(study(), page))
    the_job("score", method="dcgan").record.unlink()
    assert state() == "it was made from other cells"


def test_the_report_refuses_a_cell_that_does_not_fit(made: Path) -> None:
    with pytest.raises(UserError, match=r"results/sample/digits/dcgan/seed0: .* other settings: .*count"):
        require(study("sample.count=99"))


def test_a_missing_input_is_named_with_the_command_that_makes_it(made: Path) -> None:
    for path, command in (
        (CELL / "best.safetensors", "train --dataset digits --method dcgan --seed 0"),
        (Path("results/reference/digits/classifier.npz"), "reference --dataset digits --extractor classifier"),
        (Path("data/digits/train/images.npy"), "data --dataset digits"),
        (Path("results/reference/digits/domain-classifier.safetensors"), "classifier --dataset digits"),
    ):
        path.unlink()
        job = next(each for each in jobs(study()) if path in each.inputs.values())
        with pytest.raises(UserError, match=rf"{path}: is missing; run `sagan-div {command}` first"):
            require_inputs(job)
        make_all()


def test_a_record_tells_what_was_read_and_written(made: Path) -> None:
    record = json.loads(Path("results/sample/digits/dcgan/seed0/record.json").read_text())
    trained = json.loads((CELL / "record.json").read_text())
    assert record["settings"]["sample"] == plain(study().sample)
    assert record["inputs"] == {name: trained["outputs"][name] for name in ("best", "last")}
    drawn = the_job("sample", method="dcgan")
    assert record["code"] == fingerprint.of_job(drawn.kind, drawn.settings)


def test_weights_that_can_be_had_now_take_along_what_is_made_from_them_and_no_training(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_inception = study("score.extractors=[classifier, inception]")
    for job in jobs(with_inception):
        do(job)
    weights = the_job("weights", "score.extractors=[classifier, inception]")
    records.write(weights, records.used(weights), {"why": "no network", "lacks": ["w.pth", "inception/w.pth"], "asked": None})
    monkeypatch.delenv("SAGAN_DIV_MIRROR", raising=False)

    def found() -> set[str]:
        return {state.job.name for state in survey(with_inception, forced=may_be_had) if state.due}

    assert found() == set()
    (made / "mirror" / "inception").mkdir(parents=True)
    monkeypatch.setenv("SAGAN_DIV_MIRROR", str(made / "mirror"))
    assert found() == set()
    (made / "mirror" / "inception" / "w.pth").write_text("weights")
    of_inception = {"weights", "reference digits inception", "real_vs_real digits inception"}
    assert found() == of_inception | {"score digits dcgan 0", "score digits sngan 0"}
