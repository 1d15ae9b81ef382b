"""Who is at work: one process per job, and nothing is deleted while Snakemake runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from errno import ENOLCK, ENOSYS, EOPNOTSUPP
from pathlib import Path

from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

from sagan_div.errors import UserError
from sagan_div.workflow import snakemake_internals as internals
from sagan_div.workflow.jobs import Job

PATIENCE = 5.0  # seconds that a process has to end after it was asked to stop
NO_LOCKS = {ENOLCK, ENOSYS, EOPNOTSUPP}  # NFS without its lock service, Lustre mounted without `flock`


@contextmanager
def held(job: Job) -> Iterator[None]:
    """Hold a job's lock. Raises UserError where another process does the same job."""
    with if_free(job, PATIENCE) as free:
        if not free:
            killed = f"; if it was killed on another machine, delete {_marker(job)}" if _marker(job).exists() else ""
            raise UserError(
                f"{job.name}: another process is at work on it; wait until it has ended, then run this again{killed}"
            )
        yield


@contextmanager
def if_free(job: Job, patience: float = 0) -> Iterator[bool]:
    """Hold a job's lock where no other process does, or lets go of it in time; whether it is held now."""
    try:
        lock = _acquired(job, patience)
    except Timeout:
        yield False
        return
    except OSError as error:
        raise UserError(f"{job.lock}: cannot be locked ({error.strerror}); free or choose another place") from None
    try:
        yield True
    finally:
        lock.release()


def _acquired(job: Job, patience: float) -> BaseFileLock:
    """A lock that the kernel frees when its holder is gone; where files cannot be locked, one by a file being there.

    Raises Timeout where another process has it, and OSError where neither can be made.
    """
    job.lock.parent.mkdir(parents=True, exist_ok=True)
    lock: BaseFileLock = FileLock(job.lock, fallback_to_soft=False)
    try:
        lock.acquire(patience)
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
        lock = SoftFileLock(_marker(job))
        lock.acquire(patience)
    return lock


def _marker(job: Job) -> Path:
    return job.lock.with_suffix(".taken")


def refuse_beside_snakemake() -> None:
    """Raises UserError while Snakemake is at work in this folder."""
    if internals.is_at_work():
        raise UserError(
            "snakemake is at work in this folder; wait until it has ended, "
            "or, where it was killed, run `snakemake --unlock` first"
        )
