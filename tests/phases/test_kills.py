"""`sagan-div train` killed without warning, again and again: the cell ends with the bytes of an undisturbed one."""

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from support import command, params_alone

OUTPUTS = ("last.safetensors", "best.safetensors", "history.csv", "growth.png")
CELL = ("--params", "params.yaml", "--overlay", "small.yaml", "--dataset", "digits", "--method", "sagan-div-a", "--seed", "0")
SMALL = """\
study: small
datasets: [digits]
image_size: 32
width: 8
methods: [sagan-div-a]
classifier: {epochs: 1}
train: {images: IMAGES, batch_size: 8, log_rows: 20, checkpoints: 4, rating_count: 64}
"""
EAGER_TO_SAVE = "from sagan_div.cli import main; from sagan_div.training import loop; loop.SAVE_EVERY = 0.1; main.main()"


def prepared(folder: Path, images: int) -> Path:
    """A folder with the study and all that the cell reads."""
    folder.mkdir()
    params_alone(folder)
    (folder / "small.yaml").write_text(SMALL.replace("IMAGES", str(images)), encoding="utf-8")
    for phase in ("data", "classifier"):
        words = CELL[:6] + (("--threads", "1") if phase == "classifier" else ())
        done = command("sagan-div", phase, *words, cwd=folder)
        assert done.returncode == 0, done.stderr
    return folder


def started(folder: Path) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-c", EAGER_TO_SAVE, "train", *CELL, "--threads", "1", "--device", "cpu"]
    return subprocess.Popen(words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def results(folder: Path) -> dict[str, bytes]:
    cell = folder / "results" / "small" / "train" / "digits" / "sagan-div-a" / "seed0"
    return {name: (cell / name).read_bytes() for name in OUTPUTS}


def state(folder: Path) -> float:
    """When the cell's state was last saved; 0 before."""
    return max((path.stat().st_mtime for path in folder.glob("scratch/**/state.safetensors")), default=0.0)


def wait(until: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    while process.poll() is None and not until():
        time.sleep(0.01)


def killed(folder: Path, chance: random.Random) -> bool:
    """Kill a run at a random moment: mostly after it has saved, else while it starts. Whether it was still alive."""
    before, process = state(folder), started(folder)
    if chance.random() < 0.9:
        wait(lambda: state(folder) > before, process)
    time.sleep(chance.uniform(0, 0.6))
    alive = process.poll() is None
    process.kill()
    process.wait()
    return alive


def assert_kills_leave_no_trace(tmp_path: Path, rounds: int, images: int) -> None:
    undisturbed, disturbed = prepared(tmp_path / "undisturbed", images), prepared(tmp_path / "disturbed", images)
    assert started(undisturbed).wait() == 0
    chance = random.Random(0)
    kills = sum(killed(disturbed, chance) for _ in range(rounds))
    assert kills > rounds / 2
    assert started(disturbed).wait() == 0
    assert results(disturbed) == results(undisturbed)
    assert not list(disturbed.glob("scratch/**/*.safetensors"))


def test_a_few_kills_leave_no_trace(tmp_path: Path) -> None:
    assert_kills_leave_no_trace(tmp_path, rounds=3, images=6_000)


@pytest.mark.slow
def test_thirty_kills_leave_no_trace(tmp_path: Path) -> None:
    assert_kills_leave_no_trace(tmp_path, rounds=30, images=50_000)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_run_within_ten_seconds_with_its_state_saved(tmp_path: Path, number: signal.Signals) -> None:
    folder = prepared(tmp_path / "cell", 100_000)
    process = started(folder)
    wait(lambda: state(folder) > 0, process)
    clock, before = time.monotonic(), state(folder)
    os.kill(process.pid, number)
    assert process.wait(timeout=10) == 128 + number
    assert time.monotonic() - clock < 10
    assert state(folder) >= before
