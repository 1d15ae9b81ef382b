"""What a terminal, a pipe, another program and a shell's completion are given."""

import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.shell_completion import BashComplete
from click.testing import CliRunner

from sagan_div import terminal
from sagan_div.cli import app as cli
from sagan_div.cli import tables
from sagan_div.study.metrics import METRICS
from sagan_div.training.estimate import Estimate
from support import FULL, ROOT, command

COLOUR = re.compile(r"\x1b\[[\d;]*(3\d|4\d|9\d|10\d)m")
BAR = """\
from sagan_div import terminal
with terminal.bar("train", 2) as advance:
    advance(1, "critic 0.5")
terminal.note("done")
"""
TABLE = """\
from sagan_div import terminal
table = terminal.Table("generator", ("layer", "output"))
table.add("deconv", "512 x 4 x 4" * WIDE)
terminal.show(table)
"""


def in_terminal(*words: str, **environment: str) -> str:
    """What a command prints where stdout and stderr are a terminal."""
    ours, theirs = pty.openpty()
    variables = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "FORCE_COLOR", "TERM")}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    surroundings = variables | {"TERM": "xterm-256color", "COLUMNS": "100", "PATH": path} | environment
    process = subprocess.Popen(words, stdout=theirs, stderr=theirs, cwd=ROOT, env=surroundings)
    os.close(theirs)
    printed = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # Linux's way of saying that the other end is closed
            part = b""
        if not part:
            break
        printed += part
    os.close(ours)
    assert process.wait() == 0, printed.decode()
    return printed.decode()


def test_a_table_is_framed_in_a_terminal_and_plain_in_a_pipe() -> None:
    assert "┏━" in in_terminal(sys.executable, "-c", TABLE.replace("WIDE", "1"))
    piped = command(sys.executable, "-c", TABLE.replace("WIDE", "20"), cwd=ROOT).stdout
    assert [line.split() for line in piped.splitlines()][1] == ["layer", "output"]
    assert "512 x 4 x 4" * 20 in piped  # in one line, however long
    assert not re.search(r"[\x1b━│┃]", piped)
    assert all(line == line.rstrip() for line in piped.splitlines())


NUMBER = re.compile(r"[-+]?\d[\d,.]*%?(?: ± \d[\d.]*)?")


@pytest.mark.parametrize("columns", [40, 80, 120])
@pytest.mark.parametrize(
    "words",
    [
        ("describe", "sagan-div-d"),
        ("compare", "results", "results"),
        ("compare", "results", "results", "--all"),
    ],
)
def test_no_terminal_is_too_narrow_for_a_number(words: tuple[str, ...], columns: int) -> None:
    narrow = re.sub(r"\x1b\[[\d;]*m", "", in_terminal("sagan-div", *words, COLUMNS=str(columns)))
    assert max(map(len, narrow.splitlines())) <= columns
    assert "…" not in narrow
    piped = command("sagan-div", *words, cwd=ROOT).stdout
    assert set(NUMBER.findall(piped)) <= set(NUMBER.findall(narrow.replace("│", "\n")))
    assert ("┏━" in narrow) == (columns == 120 or (columns == 80 and words[0] == "describe"))


def evaluation() -> terminal.Table:
    numbers = {key.key: 12.345678 for metric in METRICS.values() for key in metric.keys}
    about = {"space": "random-net", "mode": "fast", "a": "drawn/by-a-generator", "b": "photos", "count": 120}
    why = {"why_kid": "it is measured on images, and photos/real.npz holds statistics alone, which give FID"}
    return tables.evaluation(numbers | about | why | {"reference_count": None, "classes": list(range(100, 120))})


def estimates() -> terminal.Table:
    return tables.estimates("main: training on cpu", [Estimate("sagan-div-a", 20, 0.1234, 42, 1234.56, 0.123)] * 2)


@pytest.mark.parametrize("columns", [40, 80, 120])
@pytest.mark.parametrize("made", [evaluation, estimates])
def test_what_is_computed_is_shown_whole_as_well(
    made: Callable[[], terminal.Table], columns: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal.show(made())
    piped = capsys.readouterr().out
    for name, value in {"COLUMNS": str(columns), "FORCE_COLOR": "1", "TERM": "xterm-256color"}.items():
        monkeypatch.setenv(name, value)
    terminal.show(made())
    narrow = re.sub(r"\x1b\[[\d;]*m", "", capsys.readouterr().out)
    assert max(map(len, narrow.splitlines())) <= columns
    assert set(NUMBER.findall(piped)) <= set(NUMBER.findall(narrow))
    words = re.compile(r"[\w-]{4,}")
    assert set(words.findall(piped)) - set(words.findall(narrow)) <= {"method", "measure", "value"}  # heads of names


def test_lines_of_progress_wrap_between_words() -> None:
    script = BAR.replace('"done"', '"digits: 1,438 training and 359 test images, grey, 8x8 pixels, in 123456789 files"')
    shown = in_terminal(sys.executable, "-c", script, COLUMNS="40")
    assert {"1,438", "8x8", "123456789"} <= set(shown.split())
    lines = [line for line in shown.splitlines() if line.endswith((" 359", " test", "images,", "grey,", "8x8"))]
    assert lines
    assert all(len(re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", line)) <= 40 for line in lines)


@pytest.mark.parametrize("name", ["a{1}", "a{b}", "a[/b]", "a[old]", "{task.total}", ":key:"])
def test_a_bar_shows_a_name_as_it_is(name: str) -> None:
    script = BAR.replace('"train"', repr(name)).replace("critic 0.5", name)
    shown = in_terminal(sys.executable, "-c", script)
    assert shown.count(name) >= 2
    assert name in in_terminal(sys.executable, "-c", script, COLUMNS="40")


def test_no_color_is_obeyed() -> None:
    assert COLOUR.search(in_terminal(sys.executable, "-c", BAR))
    plain = in_terminal(sys.executable, "-c", BAR, NO_COLOR="1")
    assert "train" in plain
    assert not COLOUR.search(plain)


def test_in_a_pipe_progress_is_lines() -> None:
    done = command(sys.executable, "-c", BAR, cwd=ROOT)
    assert (done.stdout, done.stderr.strip()) == ("", "done")


def test_describe_and_fid_speak_json(tmp_path: Path) -> None:
    words = ["describe", "dcgan", "--json", "--params", str(ROOT / "params.yaml"), "--overlay", str(FULL)]
    layers = json.loads(CliRunner().invoke(cli.app, words).output)
    assert sum(layer["parameters"] for layer in layers["generator"]) == 3_574_656
    assert layers["critic"][0]["output"] == [64, 32, 32]
    np.savez(tmp_path / "a.npz", mu=np.zeros(3), sigma=np.eye(3))
    np.savez(tmp_path / "b.npz", mu=np.ones(3), sigma=np.eye(3))
    words = ["fid", str(tmp_path / "a.npz"), str(tmp_path / "b.npz"), "--json"]
    found = json.loads(CliRunner().invoke(cli.app, words).output)
    assert found["fid"] == pytest.approx(3)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("describe sagan", [f"sagan-div-{letter}" for letter in "abcd"]),
        ("train --method wg", ["wgan-div"]),
        ("train --seed ", ["0", "1", "2"]),
        ("train --overlay workflow/overlays/demo.yaml --dataset d", ["digits"]),
        ("train --params none.yaml --dataset d", []),
        ("export mnist/sngan/", [f"mnist/sngan/seed{seed}" for seed in range(3)]),
        ("export x --format o", ["onnx"]),
    ],
)
def test_a_shell_completes_names_of_the_study(words: str, expected: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    *before, begun = words.split(" ")
    shell = BashComplete(cli.app, {}, "sagan-div", "_SAGAN_DIV_COMPLETE")
    assert [item.value for item in shell.get_completions(before, begun)] == expected


def test_the_documented_line_completes_in_bash() -> None:
    """As bash asks once `eval "$(_SAGAN_DIV_COMPLETE=bash_source sagan-div)"` stands in its start file."""
    line = re.search(r'`(eval ".*?bash_source.*?)`', (ROOT / "docs/howto/completion.md").read_text(encoding="utf-8"))
    assert line
    asked = "COMP_WORDS=(sagan-div des); COMP_CWORD=1; _sagan_div_completion sagan-div; echo ${COMPREPLY[@]}"
    done = command("bash", "-c", f"{line[1]}; {asked}", cwd=ROOT)
    assert done.stdout.split() == ["describe"], done.stderr
