"""The cause that the last words of a run name: from a job's log, from its exit status, or from what an executor said."""

import sys
from pathlib import Path

import pytest

from sagan_div.cli.main import SIGNALS
from sagan_div.workflow.failures import OURS, STOPPED, again, block, failure

NAME = "train mnist dcgan seed 0"
TRACEBACK = """\
Traceback (most recent call last):
  File "loop.py", line 3, in <module>
torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB.
  GPU 0 has 1 GiB free
"""


@pytest.mark.parametrize(
    ("log", "status", "said", "cause", "mistake"),
    [
        (
            "read 3 images\nsagan-div: data: is missing; run it first\n",
            "exit status 2",
            "",
            "data: is missing; run it first",
            True,
        ),
        ("sagan-div: interrupted: stopped at 64 images\n", "exit status 143", "", "interrupted: stopped at 64 images", False),
        ("sagan-div: interrupted\n", "exit status 130", "", "interrupted", False),
        (TRACEBACK, "exit status 1", "", "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2 GiB.", False),
        ("a warning\nAssertionError\n", "exit status 1", "", "AssertionError", False),
        (
            "64 of 640\n",
            "exit status 137",
            "",
            "was killed (SIGKILL); where nobody did, the machine",
            False,
        ),
        ("", "<Signals.SIGKILL: 9>", "", "was killed (SIGKILL)", False),
        ("", "", "Slurm job 7 failed: TIMEOUT\nmore", "Slurm job 7 failed: TIMEOUT", False),
        ("half a word", "exit status 3", "", "half a word", False),
        ("", "exit status 127", "", "a command was not found", False),
        ("", "exit status 3", "", "ended with exit status 3", False),
        ("\xff\x00\n", "", "", "\xff\x00", False),
    ],
)
def test_the_cause_is_one_line(tmp_path: Path, log: str, status: str, said: str, cause: str, mistake: bool) -> None:
    path = tmp_path / "log"
    path.write_text(log, encoding="utf-8")
    found = failure(NAME, path, status, said)
    assert found.cause.startswith(cause)
    assert len(found.cause.splitlines()) == 1
    assert found.mistake == mistake


def test_every_line_of_a_signal_is_known() -> None:
    assert all(f"{OURS}{text}".startswith(STOPPED) for text in SIGNALS.values())


def test_a_log_that_is_not_there_or_endless_costs_nothing(tmp_path: Path) -> None:
    assert failure(NAME, tmp_path / "none", "exit status 3").cause == "ended with exit status 3"
    assert failure(NAME, None).cause == "ended with a fault"
    with (tmp_path / "long").open("wb") as file:
        file.truncate(10**9)
        file.seek(0, 2)
        file.write(b"\nsagan-div: " + b"x" * 10_000)
    assert len(failure(NAME, tmp_path / "long").cause) <= 1000


def test_the_block_names_each_job_and_the_next_command() -> None:
    failures = [failure(f"score mnist dcgan seed {seed}", Path(f"logs/{seed}.log"), "exit status 3") for seed in range(30)]
    lines = block(failures, "dvc repro").splitlines()
    assert lines[0] == "30 jobs failed:"
    assert lines[1:3] == ["score mnist dcgan seed 0: ended with exit status 3", "  log: logs/0.log"]
    assert lines[-2:] == ["and 22 more", "When that is put right, go on with: dvc repro"]
    assert block(failures[:1], "x").startswith("1 job failed:")


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (["/somewhere/bin/snakemake", "--cores", "2"], "/somewhere/bin/snakemake --cores 2"),
        (["{here}/.venv/bin/snakemake", "--config", "train={images: 1}"], ".venv/bin/snakemake --config 'train={images: 1}'"),
        ([str(Path(sys.executable).with_name("snakemake")), "-c2"], "snakemake -c2"),
        (["/lib/snakemake/__main__.py", "-c2"], "python -m snakemake -c2"),
    ],
)
def test_the_next_command_can_be_pasted(words: list[str], shown: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    monkeypatch.setattr(sys, "argv", [word.replace("{here}", str(tmp_path)) for word in words])
    assert again() == shown


def test_the_next_command_is_dvcs_in_a_stage_of_dvcs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_STAGE", "train")
    assert again() == "dvc repro"
    monkeypatch.setenv("DVC_EXP_NAME", "faster")
    assert again().startswith("dvc exp run")
