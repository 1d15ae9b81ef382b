"""Who is at work: one process per job, and nothing is deleted while Snakemake runs."""

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from sagan_div.errors import UserError
from sagan_div.workflow import snakemake_internals as internals
from sagan_div.workflow.jobs import Job

PATIENCE = 5.0  # seconds that a process has to end after it was asked to stop


@contextmanager
def held(job: Job) -> Iterator[None]:
    """Hold a job's lock. Raises UserError where another process does the same job."""
    job.lock.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(job.lock)
    try:
        lock.acquire(timeout=PATIENCE)
    except Timeout:
        raise UserError(f"{job.name}: another process is at work on it; wait until it has ended, then run this again") from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def if_free(job: Job) -> Iterator[bool]:
    """Hold a job's lock where no other process does; whether it is held now."""
    job.lock.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(job.lock)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def refuse_beside_snakemake() -> None:
    """Raises UserError while Snakemake is at work in this folder."""
    if internals.is_at_work():
        raise UserError(
            "snakemake is at work in this folder; wait until it has ended, "
            "or, where it was killed, run `snakemake --unlock` first"
        )
