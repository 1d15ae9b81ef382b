"""GPU slots, with devices that exist in name only: nobody shares what is not to be shared, and no death leaves a slot taken."""

import errno
import fcntl
import os
import platform
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sagan_div.errors import UserError
from sagan_div.phases import gpu_slots

HOLD = (
    "import os, sys; from sagan_div.phases import gpu_slots;"
    "print(gpu_slots.take('auto', lambda text: print(text, flush=True)), flush=True); {then}"
)
WAITS = "all {} GPU slots of this machine are taken; waiting for one"
PIPES: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
Hold = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def hold(tmp_path: Path) -> Iterator[Hold]:
    """A function that starts a process which takes a slot, says of which device, or that it waits, and keeps it."""
    started: list[subprocess.Popen[str]] = []

    def start(then: str = "sys.stdin.read()", named: str = "a,b", share: int = 1, **environment: str) -> subprocess.Popen[str]:
        variables = {"CUDA_VISIBLE_DEVICES": named, gpu_slots.SHARE: str(share), "TMPDIR": str(tmp_path)} | environment
        words = [sys.executable, "-c", HOLD.format(then=then)]
        started.append(subprocess.Popen(words, env=os.environ | variables, **PIPES, text=True))
        return started[-1]

    yield start
    for process in started:
        process.kill()
        process.wait()


def device(process: subprocess.Popen[str]) -> str:
    """What the process says that it holds, or that it waits."""
    assert process.stdout
    return process.stdout.readline().strip()


def test_jobs_spread_over_the_devices_and_the_next_one_waits(hold: Hold) -> None:
    first, second = hold(), hold()
    freed = device(first)
    assert {freed, device(second)} == {"a", "b"}
    third = hold()
    assert device(third) == WAITS.format(2)
    first.kill()
    assert device(third) == freed


def test_a_share_of_two_puts_two_jobs_on_each_device(hold: Hold) -> None:
    assert Counter(device(hold(share=2)) for _ in range(4)) == {"a": 2, "b": 2}
    assert device(hold(share=2)) == WAITS.format(4)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_dead_process_holds_no_slot(hold: Hold, number: int) -> None:
    first = hold(named="a")
    assert device(first) == "a"
    first.send_signal(number)
    assert device(hold(named="a")) == "a"


def test_an_orphan_keeps_its_parents_slot(hold: Hold) -> None:
    parent = hold("import subprocess; print(subprocess.Popen(['sleep', '4'], close_fds=False).pid, flush=True)", named="a")
    assert device(parent) == "a"
    parent.wait()
    after = hold(named="a")
    assert device(after) == WAITS.format(1)
    assert device(after) == "a"


def test_a_process_sees_its_own_device_alone(hold: Hold) -> None:
    process = hold("print(os.environ['CUDA_VISIBLE_DEVICES'])", named="7,8")
    assert device(process) == device(process) == "7"


def test_inside_slurm_and_without_a_gpu_nothing_happens(hold: Hold, tmp_path: Path) -> None:
    assert device(hold(SLURM_JOB_ID="1")) == "None"
    assert device(hold(named="")) == "None"
    assert not list(tmp_path.iterdir())


def test_machines_that_share_the_folder_of_temporary_files_share_no_device(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, hold: Hold
) -> None:
    assert device(hold(named="0")) == "0"
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(platform, "node", lambda: "another-node")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    assert gpu_slots.take("auto", pytest.fail) == "0"


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP])
def test_a_folder_that_cannot_hold_locks_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, number: int) -> None:
    """NFS without its lock service, and file systems without locks."""

    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    with pytest.raises(UserError, match=rf"{tmp_path}/gpu-slots-.*/0-0: cannot be locked .*; set TMPDIR"):
        gpu_slots.take("auto", print)


def test_a_device_chosen_by_name_is_left_to_its_chooser(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0,1")
    assert gpu_slots.take("cuda:1", print) is gpu_slots.take("cpu", print) is None


def test_a_senseless_share_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "0")
    monkeypatch.setenv(gpu_slots.SHARE, "half")
    with pytest.raises(UserError, match="SAGAN_DIV_GPU_SHARE: 'half' is no number of jobs per GPU"):
        gpu_slots.take("auto", print)
