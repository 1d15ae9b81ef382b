"""What stands last on the screen when jobs fail: which, why, and what to type next; and what is never tried again."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest
from projects import Project, environment, finished, start, wait_for

from sagan_div.workflow.progress import roughly

MISTAKE = {"STANDIN_MISTAKE": "train digits dcgan"}
CAUSE = [
    "1 job failed:",
    "train digits dcgan seed 0: train digits dcgan 0: was told to fail; tell it otherwise",
    "  log: logs/main/train/digits/dcgan/seed0.log",
]


@pytest.fixture(scope="module")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """A project in which all is done that trainings read."""
    project = start(tmp_path_factory.mktemp("causes") / "project")
    project.compute("reference")
    return project


@pytest.fixture
def project(prepared: Project, tmp_path: Path) -> Project:
    return prepared.copy(tmp_path / "project")


def last_lines(said: str, count: int = 4) -> list[str]:
    return said.rstrip("\n").split("\n")[-count:]


@pytest.mark.parametrize("words", ["", " --quiet rules", " --quiet all"])
def test_the_cause_and_the_next_command_come_last(project: Project, words: str) -> None:
    command = f"snakemake --cores 2{words}"
    failed = project.run(*command.split(), status=1, **MISTAKE)
    assert last_lines(failed.stderr) == [*CAUSE, f"When that is put right, go on with: {command}"]


def test_under_dvc_the_next_command_is_dvcs(project: Project) -> None:
    project.run("dvc", "repro", "reference")
    failed = project.run("dvc", "repro", status=255, REPRO_PROFILE="profiles/ci", **MISTAKE)
    *block, dvc = last_lines(failed.stderr, 5)
    assert block == [*CAUSE, "When that is put right, go on with: dvc repro"]
    assert dvc.startswith("ERROR: failed to reproduce 'train'")


def test_every_failed_cell_has_its_own_cause(project: Project) -> None:
    causes = {"STANDIN_FAULT": "train digits dcgan", "STANDIN_KILLED": "train digits sagan-div-d"}
    failed = project.run("snakemake", "--cores", "1", "--keep-going", "--quiet", "rules", status=1, **causes)
    lines = last_lines(failed.stderr, 6)
    assert lines[0] == "2 jobs failed:"
    assert "train digits dcgan seed 0: ArithmeticError: train digits dcgan 0 came out wrong" in lines
    assert any(line.startswith("train digits sagan-div-d seed 0: was killed (SIGKILL)") for line in lines)


def test_a_mistake_of_the_users_is_not_tried_again_and_a_fault_is(project: Project) -> None:
    words = ("snakemake", "train", "--cores", "1", "--keep-going", "--retries", "2")
    failed = project.run(*words, status=1, STANDIN_FAULT="train digits sagan-div-d", **MISTAKE)
    assert failed.stderr.count("Trying to restart") == 2
    assert failed.stderr.count("job failed") + failed.stderr.count("jobs failed") == 1
    assert "2 jobs failed:" in failed.stderr
    assert project.compute()["train_cell"] == 2


def test_a_job_that_ends_well_at_its_second_try_has_not_failed(project: Project) -> None:
    shim = project.path / "bin/sagan-div"
    shim.parent.mkdir()
    shim.write_text('#!/bin/sh\n[ -e tried ] || { touch tried; exit 3; }\nexec env PATH="${PATH#*:}" sagan-div "$@"\n')
    shim.chmod(0o755)
    rules = project.path / "workflow/rules/common.smk"
    rules.write_text(rules.read_text() + f"\nos.environ.update(PATH='{shim.parent}:' + os.environ['PATH'])\n")
    done = project.run("snakemake", "train", "--cores", "1", "--retries", "1")
    assert "Trying to restart" in done.stderr
    assert "go on with" not in done.stderr


def test_lines_of_progress_name_cells_and_the_time_left(project: Project) -> None:
    said = project.run("snakemake", "--cores", "1", "--quiet", "rules", STANDIN_SECONDS="0.2").stderr.splitlines()
    assert "Execute 1 jobs... train digits sagan-div-d seed 0" in said
    ends = [line for line in said if line.startswith("Finished jobid")]
    assert any(line.endswith("(Rule: train_cell) train digits dcgan seed 0") for line in ends)
    counts = [line for line in said if "steps (" in line]
    assert sum(" s left" in line for line in counts) > 2, counts  # wherever a rule has done some of its jobs, not all
    assert counts[-1].endswith("steps (100%) done")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_ends_in_what_to_type(project: Project, number: signal.Signals) -> None:
    """As a terminal's Ctrl-C does, the signal reaches all processes."""
    words = ["snakemake", "train", "--cores", "2", "--quiet", "rules"]
    pipe = {"stderr": subprocess.PIPE, "text": True, "start_new_session": True}
    running = subprocess.Popen(words, cwd=project.path, env=environment(STANDIN_SECONDS="30"), **pipe)  # type: ignore[call-overload]
    wait_for(lambda: len(list((project.path / "scratch/main/locks").glob("train-*"))) == 2)
    os.killpg(running.pid, number)
    _, said = running.communicate(timeout=60)
    assert running.returncode == 1
    assert last_lines(said, 1) == ["interrupted; to go on where it stopped: snakemake train --cores 2 --quiet rules"]
    assert "Traceback" not in said
    assert "failed:" not in said
    assert project.compute()["train_cell"] == 2


@pytest.mark.parametrize(
    ("words", "line"),
    [
        (["--configfile", "nope.yaml"], "nope.yaml: No such file or directory"),
        (["--configfile", "."], ".: Is a directory"),
        (["--configfile", "deep.yaml"], "deep.yaml: maximum recursion depth exceeded"),
        (["--configfile", "key.yaml"], "key.yaml: Config file is not valid JSON or YAML"),
        (["--configfile=latin.yaml"], "latin.yaml: 'utf-8' codec can't decode"),
        (["--config", "train.images=1000"], "train.images=1000: Invalid config definition"),
        (["--config", "seeds"], "seeds: Invalid config definition"),
    ],
    ids=lambda given: given[-1] if isinstance(given, list) else "",
)
def test_what_snakemake_cannot_read_is_one_line(project: Project, words: list[str], line: str) -> None:
    (project.path / "deep.yaml").write_text(f"study: deep\nmethods: {'[' * 3000}{']' * 3000}\n")
    (project.path / "key.yaml").write_text("study: key\n? [a, b]\n: 1\n")
    (project.path / "latin.yaml").write_bytes("study: é\n".encode("latin-1"))
    refused = project.run("snakemake", "-n", *words, status=2)
    profile, last = refused.stderr.splitlines()
    assert profile.startswith("Using workflow specific profile")
    assert last.startswith(f"snakemake: {line}")
    assert finished(refused) == {}


def test_a_dry_run_ends_with_how_long_what_is_missing_takes(prepared: Project, tmp_path: Path) -> None:
    project = prepared.copy(tmp_path / "project")
    record = {
        "settings": {},
        "code": {},
        "inputs": {},
        "outputs": {},
        "seconds_per_job": {"train": 600, "sample": 10, "score": 20},
    }
    (project.path / "results/report.record.json").write_text(json.dumps(record))
    said = project.run("snakemake", "-n", "score").stderr
    cells = project.planned("--", "score")["score_cell"]
    assert last_lines(said, 1) == [
        f"{3 * cells} jobs to do: about {roughly(630 * cells)} one after the other, as when the report was made"
    ]
