"""The stand-in for the computing: jobs read, write and record as the real ones do, and compute nothing."""

import os
import signal
import time
from pathlib import Path

from sagan_div import arithmetic, files
from sagan_div.errors import UserError
from sagan_div.phases.machine import Machine
from sagan_div.study.schema import Study
from sagan_div.workflow import locks, records
from sagan_div.workflow.jobs import Job
from sagan_div.workflow.staleness import require, require_inputs
from sagan_div.workflow.store import copies


def run(job: Job, machine: Machine) -> None:
    require_inputs(job)
    with locks.held(job):
        before = records.used(job)
        files.remove(job.record)
        time.sleep(float(os.getenv("STANDIN_SECONDS", "0")))
        _fail_where_told(job.name)
        for path, text in _made(job).items():
            files.write_text(path, text)
        records.write(job, before, {"started": time.time()})


def _made(job: Job) -> dict[Path, str]:
    if isinstance(job.settings, Study):
        require(job.settings, store=copies(job.layout.root))
        return arithmetic.report(job)
    padding = " " * int(os.getenv("STANDIN_PADDING", "0"))
    texts = {path: path.read_text().rstrip() for path in job.inputs.values()}
    return {path: text + padding for path, text in arithmetic.contents(job, texts).items()}


def _fail_where_told(name: str) -> None:
    """Jobs whose name holds these words end as a user's mistake, as a fault of the code, or without a word."""
    if os.getenv("STANDIN_MISTAKE", "no job") in name:
        raise UserError(f"{name}: was told to fail; tell it otherwise")
    if os.getenv("STANDIN_FAULT", "no job") in name:
        raise ArithmeticError(f"{name} came out wrong")
    if os.getenv("STANDIN_KILLED", "no job") in name:
        os.kill(os.getpid(), signal.SIGKILL)
