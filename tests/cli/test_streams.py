"""Where a command's words go: closed, full and broken streams, other encodings, narrow terminals, and signals."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from support import ROOT, Run, command

PATH = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


def shell(line: str, cwd: Path = ROOT, **environment: str) -> Run:
    return command("bash", "-c", line, cwd=cwd, **environment)


@pytest.mark.parametrize("words", ["describe dcgan", "describe dcgan --json", "compare results results", "--help", ""])
@pytest.mark.parametrize(("where", "said"), [("> /dev/full", "No space left on device"), (">&-", "Bad file descriptor")])
def test_a_stdout_that_takes_nothing_is_one_line(words: str, where: str, said: str) -> None:
    done = shell(f"sagan-div {words} {where}")
    assert (done.returncode, done.line) == (2, f"sagan-div: stdout: {said}")


@pytest.mark.parametrize("words", ["describe dcgan", "compare results results --all", "--help"])
def test_a_reader_that_leaves_ends_a_command_in_silence(words: str) -> None:
    done = shell(f"sagan-div {words} | true; exit ${{PIPESTATUS[0]}}")
    assert (done.returncode, done.stdout, done.stderr) == (141, "", "")


@pytest.mark.parametrize("where", ["2>&-", "2> /dev/full"])
def test_an_error_that_nobody_can_read_keeps_its_status_and_leaves_stdout_alone(where: str) -> None:
    done = shell(f"sagan-div describe gan {where}")
    assert (done.returncode, done.stdout) == (2, "")


def test_work_goes_on_where_its_progress_cannot_be_shown(tmp_path: Path) -> None:
    (tmp_path / "params.yaml").write_bytes((ROOT / "params.yaml").read_bytes())
    words = "sagan-div data --set datasets=[digits] --set score.extractors=[classifier]"
    assert shell(f"{words} 2> /dev/full", tmp_path).returncode == 0
    assert shell(f"{words} >&- 2>&- <&-", tmp_path).returncode == 0
    assert shell(words, tmp_path).stderr.endswith("data digits: up to date\n")


@pytest.mark.parametrize(("encoding", "sign"), [("ascii", "+-"), ("latin-1", "±"), ("utf-8", "±")])
def test_a_table_is_written_in_the_characters_that_there_are(encoding: str, sign: str) -> None:
    found = json.loads((ROOT / "results/metrics/mnist/dcgan.json").read_text())
    expected = f"{found['fid']:.2f} {sign} {found['fid_std']:.2g}"
    words = ["sagan-div", "compare", "results", "results"]
    environment = os.environ | {"PYTHONIOENCODING": encoding, "PATH": PATH}
    printed = subprocess.run(words, cwd=ROOT, env=environment, capture_output=True, check=True).stdout.decode(encoding)
    lines = printed.splitlines()
    assert any(expected in line for line in lines)
    assert len({line.index("%") for line in lines if line.endswith("+0.0%")}) == 1  # columns stay columns


def test_names_of_files_that_are_no_text_come_out_as_they_are(tmp_path: Path) -> None:
    checkpoint = os.fsdecode(b"gone \xff.safetensors")
    words = ["sagan-div", "generate", checkpoint, "--out", "drawn"]
    done = subprocess.run(words, cwd=tmp_path, env=os.environ | {"PATH": PATH}, capture_output=True)
    assert done.returncode == 2
    assert b"sagan-div: gone \xff.safetensors: there is no such checkpoint" in done.stderr


def answers(process: int) -> bool:
    """Whether a process has begun to answer signals: Python alone has an answer to SIGINT only."""
    caught = re.search(r"SigCgt:\s*(\w+)", Path(f"/proc/{process}/status").read_text())
    return bool(caught and int(caught[1], 16) >> (signal.SIGTERM - 1) & 1)


@pytest.mark.parametrize("words", [["describe", "dcgan"], ["compare", "results", "results", "--all"], ["--help"]])
def test_ctrl_c_at_any_moment_is_one_line(words: list[str]) -> None:
    """From the start of the interpreter's work for us; what Python does before is not ours."""
    draw = random.Random(0)
    for _ in range(8):
        process = subprocess.Popen(
            ["sagan-div", *words],
            cwd=ROOT,
            env=os.environ | {"PATH": PATH},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        while process.poll() is None and not answers(process.pid):
            time.sleep(0.001)
        time.sleep(draw.random() * 0.6)
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate()
        assert (process.returncode, stderr) in [(130, "sagan-div: interrupted\n"), (0, "")]


def test_signals_that_were_switched_off_stay_so() -> None:
    """As `nohup` and a shell's `&` do."""
    done = shell("trap '' INT; sagan-div describe dcgan & sleep 0.3; kill -INT $!; wait $!")
    assert (done.returncode, done.stderr) == (0, "")


def test_help_is_what_a_bare_command_prints() -> None:
    bare, asked = (command("sagan-div", *words, cwd=ROOT) for words in ([], ["--help"]))
    assert (bare.returncode, bare.stdout, bare.stderr) == (0, asked.stdout, "")
    headings = [line for line in bare.stdout.splitlines() if line.endswith(":") and not line.startswith(" ")]
    assert headings[1:3] == ["Phases of a study, in their order:", "What a study is, and what it found:"]
    assert "fingerprint" not in bare.stdout
    assert "--settings" not in command("sagan-div", "train", "--help", cwd=ROOT).stdout
