"""A tiny study of two methods on digits, and a tree in which each of its jobs has left its artefacts and its record."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sagan_div.study.load import load
from sagan_div.study.schema import Study
from sagan_div.workflow import records
from sagan_div.workflow.jobs import Job, jobs
from support import ROOT

TINY = ["datasets=[digits]", "methods=[dcgan, sngan]", "seeds=[0]", "score.extractors=[classifier]"]


def study(*sets: str) -> Study:
    return load(ROOT / "params.yaml", sets=[*TINY, *sets])


def the_job(kind: str, *sets: str, **about: object) -> Job:
    """The job of a kind about these wildcards."""
    (found,) = (each for each in jobs(study(*sets)) if each.kind.name == kind and about.items() <= each.about.items())
    return found


def do(job: Job, words: str = "") -> None:
    """Stand-in for a job's work: text files as outputs, and the real record."""
    before = records.used(job)
    for name, path in job.outputs.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{job.name} {name} {words}")
    records.write(job, before, {})


def make_all() -> None:
    for job in jobs(study()):
        do(job)


def remaining() -> set[str]:
    return {str(path.parent) for path in Path("results").rglob("record.json")}


@contextmanager
def holding(lock: Path) -> Iterator[None]:
    """Another process that holds a lock until the block ends."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    script = "import sys, filelock; held = filelock.FileLock(sys.argv[1]); held.acquire(); print(flush=True); sys.stdin.read()"
    words = [sys.executable, "-c", script, str(lock)]
    other = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert other.stdout
    other.stdout.readline()
    yield
    other.kill()
    other.wait()
