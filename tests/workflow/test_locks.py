"""One process per job, on file systems with locks and on those without."""

import errno
import fcntl
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from made import the_job

from sagan_div.errors import UserError
from sagan_div.workflow import locks

NO_LOCKS = """\
import errno, fcntl, os
def refuse(*_):
    raise OSError(errno.{name}, os.strerror(errno.{name}))
fcntl.flock = refuse
"""
HOLD = """\
import sys
from made import the_job
from sagan_div.workflow import locks
with locks.held(the_job("score", method="dcgan")):
    print(flush=True)
    sys.stdin.read()
"""
TAKEN = "score digits dcgan 0: another process is at work on it; wait until it has ended, then run this again"


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(locks, "PATIENCE", 0.1)


@pytest.fixture(params=["ENOLCK", "ENOSYS", "EOPNOTSUPP"])
def without_locks(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file system that locks no files: the name of what the kernel answers."""

    def refuse(*_: object) -> None:
        number = getattr(errno, request.param)
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", refuse)
    return str(request.param)


@contextmanager
def another(script: str) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the job's lock until it is killed."""
    path = os.pathsep.join([*sys.path, str(Path(__file__).parent)])
    environment = os.environ | {"PYTHONPATH": path}
    with subprocess.Popen(
        [sys.executable, "-c", script], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        process.stdout.readline()
        try:
            yield process
        finally:
            process.kill()


def test_a_job_is_done_by_one_process() -> None:
    job = the_job("score", method="dcgan")
    with another(HOLD), pytest.raises(UserError, match=f"{TAKEN}$"), locks.held(job):
        pytest.fail("both hold the lock")
    with locks.held(job), locks.if_free(the_job("score", method="sngan")) as free:
        assert free


def test_without_locks_a_job_is_done_by_one_process_too(without_locks: str) -> None:
    job = the_job("score", method="dcgan")
    with another(NO_LOCKS.format(name=without_locks) + HOLD):
        hint = r"; if it was killed on another machine, delete scratch/main/locks/score-digits-dcgan-0.taken$"
        with pytest.raises(UserError, match=TAKEN + hint), locks.held(job):
            pytest.fail("both hold the lock")
    for _ in range(2):  # what was killed on this machine holds nothing, and who ends well leaves nothing behind
        with locks.held(job):
            assert job.lock.with_suffix(".taken").exists()
        assert not job.lock.with_suffix(".taken").exists()


def test_a_lock_that_cannot_be_made_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(fcntl, "flock", fail)
    line = r"score-digits-dcgan-0.lock: cannot be locked \(Input/output error\)"
    with pytest.raises(UserError, match=line), locks.held(the_job("score", method="dcgan")):
        pytest.fail("the lock is held")
