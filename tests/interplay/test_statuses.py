"""Exit statuses are those of the table in docs/howto/failures.md, each brought about for real."""

import os
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from projects import Project, environment, start, wait_for

from support import ROOT

pytestmark = pytest.mark.slow
TABLE = re.findall(r"^\| `([\w -]+)` \| ([\d, ]+) \|", (ROOT / "docs/howto/failures.md").read_text(), re.M)
DOCUMENTED = {(command, int(status)) for command, statuses in TABLE for status in statuses.split(",")}
COMMANDS = [
    ("sagan-div", 0, "sagan-div prune", {}),
    ("sagan-div", 1, "sagan-div data", {"STANDIN_FAULT": "data"}),
    ("sagan-div", 2, "sagan-div check", {}),
    ("sagan-div", 2, "sagan-div data", {"STANDIN_MISTAKE": "data"}),
    ("snakemake", 0, "snakemake data --cores 1", {}),
    ("snakemake", 1, "snakemake --cores 1", {"STANDIN_MISTAKE": "data"}),
    ("snakemake", 2, "snakemake -n --configfile nope.yaml", {}),
    ("snakemake", 2, "snakemake -n --config seeds=x", {}),
    ("dvc repro", 0, "dvc repro data", {}),
    ("dvc repro", 255, "dvc repro data", {"STANDIN_KILLED": "data"}),
    ("make", 2, "make failing", {}),
]
STOPPED = [
    ("sagan-div", "sagan-div data", signal.SIGINT, 130),
    ("sagan-div", "sagan-div train", signal.SIGTERM, 143),
    ("snakemake", "snakemake --cores 1", signal.SIGINT, 1),
]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Project:
    project = start(tmp_path_factory.mktemp("statuses") / "project")
    (project.path / "Makefile").write_text("failing:\n\tsnakemake -n --config seeds=x\n")
    return project


@pytest.fixture
def project(fresh: Project, tmp_path: Path) -> Project:
    return fresh.copy(tmp_path / "project")


@pytest.mark.parametrize(("command", "status", "words", "variables"), COMMANDS)
def test_a_status_means_what_the_table_says(
    project: Project, command: str, status: int, words: str, variables: dict[str, str]
) -> None:
    done = project.run(*words.split(), status=None, **{"PYTHONPATH": "src"} | variables)
    assert done.returncode == status, done.stderr
    assert (command, status) in DOCUMENTED
    if status == 2 and command != "make":
        said = [line for line in done.stderr.splitlines() if not line.startswith("Using ")]
        assert said[-1].startswith(f"{command}: ")


@pytest.mark.parametrize(("command", "words", "number", "status"), STOPPED)
def test_a_signal_ends_a_command_with_the_status_of_the_table(
    project: Project, command: str, words: str, number: signal.Signals, status: int
) -> None:
    if words.endswith("train"):
        project.compute("reference")
    stopped = stop(project, words, number, lambda: any((project.path / "scratch/main/locks").glob("*")))
    assert stopped == status
    assert (command, status) in DOCUMENTED


def test_snakemake_may_be_stopped_before_anything_runs(project: Project) -> None:
    rules = project.path / "workflow/rules/common.smk"
    rules.write_text(rules.read_text().replace("\nHOME =", "\nPath('reading').touch()\nimport time\n\ntime.sleep(30)\nHOME ="))
    assert stop(project, "snakemake -n", signal.SIGINT, (project.path / "reading").exists) == 130
    assert ("snakemake", 130) in DOCUMENTED


def stop(project: Project, words: str, number: signal.Signals, when: Callable[[], bool]) -> int:
    """Send a signal to a command and all that it started, as a terminal does; the status that a shell would see."""
    before = environment(STANDIN_SECONDS="30", PYTHONPATH="src")
    running = subprocess.Popen(words.split(), cwd=project.path, env=before, start_new_session=True, stderr=subprocess.PIPE)
    wait_for(when)
    os.killpg(running.pid, number)
    _, said = running.communicate(timeout=60)
    assert b"Traceback" not in said
    return running.returncode if running.returncode >= 0 else 128 - running.returncode


def test_every_status_of_the_table_was_brought_about() -> None:
    tried = {(command, status) for command, status, _, _ in COMMANDS} | {(command, status) for command, *_, status in STOPPED}
    elsewhere = {("snakemake", 130), ("sagan-div", 141)}  # above, and in tests/cli
    assert tried | elsewhere == DOCUMENTED
