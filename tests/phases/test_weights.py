"""Inception's weights: a study goes on without them, tells nothing of the machine, and gets them when they can be had."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from sagan_div.errors import UserError
from sagan_div.evaluation.spaces import inception
from sagan_div.evaluation.spaces import weights as published
from sagan_div.phases import spaces
from sagan_div.phases import weights as phase
from sagan_div.phases.machine import Machine
from sagan_div.phases.run import run
from sagan_div.study.load import load
from sagan_div.workflow import records
from sagan_div.workflow.jobs import Job, planned
from sagan_div.workflow.kinds import REFERENCE, WEIGHTS
from sagan_div.workflow.prune import prune
from sagan_div.workflow.staleness import may_be_had, survey, went_without
from support import ROOT, command

CONTENT = b"weights" * 500


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    """The job of a study that measures in Inception's features; the published file is a small one."""
    known = published.WEIGHTS._replace(
        size=len(CONTENT), sha256=hashlib.sha256(CONTENT).hexdigest(), url="http://127.0.0.1:9/w.pth"
    )
    for module in (published, phase, inception):
        monkeypatch.setattr(module, "WEIGHTS", known)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SAGAN_DIV_MIRROR", raising=False)
    return planned(load(ROOT / "params.yaml", sets=["score.extractors=[classifier, inception]"]), WEIGHTS, {})


def having(folder: Path) -> str:
    (folder / "inception").mkdir(parents=True)
    (folder / "inception" / published.WEIGHTS.name).write_bytes(CONTENT)
    return str(folder)


def done(job: Job, optional: bool = True, mirror: str | None = None) -> records.Record:
    run(job, Machine(torch.device("cpu"), mirror=mirror, optional=optional))
    found = records.read(job.record)
    assert found
    return found


def test_the_mirror_of_the_environment_has_them(job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGAN_DIV_MIRROR", having(tmp_path / "mirror"))
    record = done(job)
    assert job.outputs["weights"].read_bytes() == CONTENT
    assert not went_without(record)
    assert not may_be_had(job, record)


def test_a_failure_names_no_place_of_this_machine_and_is_tried_again_elsewhere(
    job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, serve: Callable[[Path], str], capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "nothing").mkdir()
    url = serve(tmp_path / "nothing").replace("://", "://me:secret@")
    monkeypatch.setenv("SAGAN_DIV_MIRROR", url)
    record = done(job)
    kept = job.record.read_text()
    assert record.about["why"] == "Inception's weights could not be fetched"
    assert job.outputs["weights"].read_bytes() == b""
    assert "unset SAGAN_DIV_MIRROR" in capsys.readouterr().err.replace("\n", " ")
    assert not [word for word in ("secret", "127.0.0.1", str(tmp_path), "nothing") if word in kept]

    assert went_without(record)  # asked for by name
    assert not may_be_had(job, record)  # by a plan that is to stay quiet: the same place again
    monkeypatch.setenv("SAGAN_DIV_MIRROR", url.replace("secret", "another"))
    assert not may_be_had(job, record)
    monkeypatch.setenv("SAGAN_DIV_MIRROR", "ftp://nowhere")
    assert not may_be_had(job, record)
    monkeypatch.setenv("SAGAN_DIV_MIRROR", str(tmp_path / "nothing"))
    assert not may_be_had(job, record)
    monkeypatch.setenv("SAGAN_DIV_MIRROR", serve(tmp_path))
    assert may_be_had(job, record)
    monkeypatch.setenv("SAGAN_DIV_MIRROR", having(tmp_path / "mirror"))
    assert may_be_had(job, record)
    assert "why" not in done(job).about


def test_weights_that_a_user_puts_in_their_place_are_taken(job: Job) -> None:
    record = done(job)
    assert not may_be_had(job, record)
    own = job.record.parent / published.WEIGHTS.name
    own.write_bytes(CONTENT)
    assert may_be_had(job, record)
    assert not went_without(done(job))
    assert job.outputs["weights"].read_bytes() == own.read_bytes() == CONTENT


@pytest.mark.parametrize("damage", ["lost", "cut"])
def test_weights_that_are_lost_or_cut_are_due(job: Job, tmp_path: Path, damage: str) -> None:
    done(job, mirror=having(tmp_path / "mirror"))
    measuring = load(ROOT / "params.yaml", sets=["score.extractors=[inception]"])
    state = next(state for state in survey(measuring, "reference") if state.job.kind is WEIGHTS)
    assert not state.due
    job.outputs["weights"].unlink() if damage == "lost" else job.outputs["weights"].write_bytes(CONTENT[:9])
    state = next(state for state in survey(measuring, "reference") if state.job.kind is WEIGHTS)
    assert state.due


def test_a_try_that_fails_changes_nothing(job: Job) -> None:
    """Else all that is made from it would be made again, for nothing."""
    done(job)
    before = job.record.read_bytes()
    with pytest.raises(UserError, match=r"connect, or name a folder or URL by --mirror or SAGAN_DIV_MIRROR"):
        done(job, optional=False)
    assert job.record.read_bytes() == before
    job.outputs["weights"].write_bytes(b"half-done")
    with pytest.raises(UserError):
        done(job, optional=False)
    assert not job.record.exists()


def test_what_needs_weights_goes_on_without_them_and_names_damaged_ones(job: Job) -> None:
    done(job)
    reading = planned(
        load(ROOT / "params.yaml", sets=["score.extractors=[inception]"]),
        REFERENCE,
        {"dataset": "mnist", "extractor": "inception"},
    )
    assert spaces.extractor("inception", reading, Machine(torch.device("cpu"))) == "Inception's weights could not be fetched"
    job.outputs["weights"].write_bytes(CONTENT)
    with pytest.raises(UserError, match=r"weights\.pth: is damaged, or holds more than weights"):
        spaces.extractor("inception", reading, Machine(torch.device("cpu")))


def test_prune_spares_weights_that_only_a_user_can_have_asked_for(job: Job, tmp_path: Path) -> None:
    done(job, mirror=having(tmp_path / "mirror"))
    study = load(ROOT / "params.yaml", sets=["score.extractors=[classifier]"])
    assert not [state for state in survey(study, "reference") if state.job.kind is WEIGHTS]
    assert prune(study, "reference") == []
    assert job.outputs["weights"].read_bytes() == CONTENT


def test_the_command_and_the_plan(project: Path, tmp_path: Path) -> None:
    """`sagan-div weights` asks whether the study needs them or not; Snakemake plans them anew for another mirror alone."""
    (tmp_path / "empty").mkdir()
    mirror = tmp_path / "mirror"
    (mirror / "inception").mkdir(parents=True)
    (mirror / "inception" / published.WEIGHTS.name).write_bytes(b"other")
    words = ("sagan-div", "weights", "--overlay", "tiny.yaml")
    refused = command(*words, "--mirror", tmp_path / "empty", cwd=project, SAGAN_DIV_MIRROR=str(mirror))
    assert refused.returncode == 2
    assert refused.stderr.count("\n") == 3  # two places, and the cause
    mend = "put the whole file into the mirror, or leave out --mirror"
    assert refused.stderr.endswith(f"{mend}; SAGAN_DIV_WEIGHTS_OPTIONAL=1 goes on without its scores\n")

    overlay = (project / "tiny.yaml").read_text().replace("extractors: [classifier]", "extractors: [classifier, inception]")
    (project / "tiny.yaml").write_text(overlay)
    target = "results/tiny/reference/_inception/weights.pth"
    make = ("snakemake", target, "--configfile", "tiny.yaml", "--cores", "1", "--quiet", "all")
    stopped = command(*make, cwd=project, SAGAN_DIV_MIRROR=str(tmp_path / "empty"))
    assert stopped.returncode == 1
    assert "SAGAN_DIV_WEIGHTS_OPTIONAL=1 goes on without its scores" in stopped.stderr.splitlines()[-3]
    told = {"SAGAN_DIV_MIRROR": str(tmp_path / "empty"), "SAGAN_DIV_WEIGHTS_OPTIONAL": "1"}
    assert command(*make, cwd=project, **told).returncode == 0
    plan = ("snakemake", "--configfile", "tiny.yaml", "--dry-run", "--cores", "1", target)
    for where, expected in ((tmp_path / "empty", "Nothing to be done"), (mirror, "fetch Inception's weights")):
        planned = command(*plan, cwd=project, SAGAN_DIV_MIRROR=str(where))
        assert expected in planned.stdout + planned.stderr
