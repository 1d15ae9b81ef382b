"""The stand-in for the computing: jobs read, write and record as the real ones do, and compute nothing."""

import os
import time
from pathlib import Path

from sagan_div import arithmetic, files
from sagan_div.phases.machine import Machine
from sagan_div.study.schema import Study
from sagan_div.workflow import locks, records
from sagan_div.workflow.jobs import Job
from sagan_div.workflow.staleness import require, require_inputs


def run(job: Job, machine: Machine) -> None:
    require_inputs(job)
    with locks.held(job):
        before = records.used(job)
        files.remove(job.record)
        time.sleep(float(os.getenv("STANDIN_SECONDS", "0")))
        for path, text in _made(job).items():
            files.write_text(path, text)
        records.write(job, before, {"started": time.time()})


def _made(job: Job) -> dict[Path, str]:
    if isinstance(job.settings, Study):
        require(job.settings)
        return arithmetic.report(job)
    padding = " " * int(os.getenv("STANDIN_PADDING", "0"))
    texts = {path: path.read_text().rstrip() for path in job.inputs.values()}
    return {path: text + padding for path, text in arithmetic.contents(job, texts).items()}
