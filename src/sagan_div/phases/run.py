"""What one job of each kind does: read its inputs, call the room that computes, write its outputs and its record."""

import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime

from sagan_div import files
from sagan_div.errors import UserError
from sagan_div.phases import classifier, data, provenance, real_vs_real, reference, sample, score, train, weights
from sagan_div.phases.machine import About, Machine
from sagan_div.workflow import plan
from sagan_div.workflow.plan import Job

__all__ = ["WORK", "Machine", "run"]

WORK: dict[str, Callable[[Job, Machine], About]] = {
    "data": data.work,
    "weights": weights.work,
    "classifier": classifier.work,
    "reference": reference.work,
    "real_vs_real": real_vs_real.work,
    "train": train.work,
    "sample": sample.work,
    "score": score.work,
}


def run(job: Job, machine: Machine) -> None:
    """Do a job. Its record is removed first and written last, so that a half-done job can't pass for a done one."""
    lacking = plan.missing(job)
    if lacking:
        raise UserError(lacking)
    files.remove(job.record)
    started, clock = datetime.now(UTC), time.monotonic()
    about = WORK[job.kind](job, machine)
    earlier = about.pop("earlier_seconds", 0.0)  # of sessions that were interrupted
    surroundings = {
        "versions": provenance.versions(),
        "hardware": provenance.hardware(machine.device),
        "commit": provenance.commit(),
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - clock + earlier, 3),
    }
    plan.record(job, surroundings | about)
    shutil.rmtree(job.scratch, ignore_errors=True)
