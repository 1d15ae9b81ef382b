"""The stand-in for the computing: jobs read, write and record as the real ones do, and compute nothing."""

import os
import time
from typing import Any, NamedTuple

from sagan_div import arithmetic, files
from sagan_div.workflow import plan


class Machine(NamedTuple):
    device: Any
    mirror: str | None = None
    optional: bool = False
    live: Any = None


def run(job: plan.Job, machine: Machine) -> None:
    files.remove(job.record)
    time.sleep(float(os.getenv("STANDIN_SECONDS", "0")))
    padding = " " * int(os.getenv("STANDIN_PADDING", "0"))
    for path, text in arithmetic.contents(job, {path: path.read_text().rstrip() for path in job.inputs.values()}).items():
        files.write_text(path, text + padding)
    plan.record(job, {"started": time.time()})
