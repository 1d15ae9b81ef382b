"""One job, from taking stock of what it uses to the record of what it did."""

import shutil
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from sagan_div import files, terminal
from sagan_div.phases import provenance
from sagan_div.phases.machine import About, Machine
from sagan_div.workflow import locks, records
from sagan_div.workflow.jobs import Job
from sagan_div.workflow.staleness import intact, require_inputs


def run(job: Job, machine: Machine) -> None:
    """Do a job. Its record is removed first and written last, so that a half-done job can't pass for a done one. One that fails
    before it has written anything leaves the earlier record in its place.

    Raises UserError for missing inputs, for a job that another process does already, and for code or inputs that change
    meanwhile.
    """
    require_inputs(job)
    with locks.held(job):
        with _state_kept(job, machine):
            before, surroundings = records.used(job), _surroundings(machine)
            clock = time.monotonic()
            with _without_record(job):
                about: About = import_module(job.kind.work).work(job, machine)
            earlier = about.pop("earlier_seconds", 0.0)  # of sessions that were interrupted
            spent = {"seconds": round(time.monotonic() - clock + earlier, 3)}
            records.write(job, before, surroundings | spent | about)
        shutil.rmtree(job.scratch, ignore_errors=True)


def _state_kept(job: Job, machine: Machine) -> AbstractContextManager[None]:
    """Keep the job's state where the machine says, until its record is written."""
    if not machine.state:
        return nullcontext()
    from sagan_div.phases.saved_state import kept

    return kept(records.state_path(job), machine.state, terminal.note)


@contextmanager
def _without_record(job: Job) -> Iterator[None]:
    """Remove a job's record; after a failure put it back where it still describes all that is there."""
    earlier = job.record.read_bytes() if job.record.is_file() else None
    files.remove(job.record)
    try:
        yield
    except BaseException:
        if earlier is not None:
            files.write_bytes(job.record, earlier)
            if not intact(job):
                files.remove(job.record)
        raise


def _surroundings(machine: Machine) -> dict[str, Any]:
    """What the job runs on and when it began, as it is then."""
    return {
        "versions": provenance.versions(),
        "hardware": provenance.hardware(machine.device),
        "commit": provenance.commit(),
        "started": datetime.now(UTC).isoformat(timespec="seconds"),
    }
