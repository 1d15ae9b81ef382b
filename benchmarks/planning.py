"""What a plan of a large study costs, and how much of it is Snakemake's.

python benchmarks/planning.py [--seeds 134] [--size 0] [--out planning.json]

Lays out the study of params.yaml with so many seeds in a temporary folder, with files of --size bytes and records that fit
them, and runs each step in a process of its own. A sample is taken every 2 ms of processor time: it counts for the project
where one of its functions is at work, or what that has called.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from sagan_div import files
from sagan_div.report.report import outputs
from sagan_div.settings import plain
from sagan_div.study.load import load
from sagan_div.workflow import fingerprint
from sagan_div.workflow.jobs import Job, jobs, report_job
from sagan_div.workflow.layout import Layout

ROOT = Path(__file__).resolve().parent.parent
EVERY = 0.002  # seconds of processor time between two samples
PARTS = (  # the first whose file, or function in it, is on a sample's stack; looked for from the top of the stack down
    ("snakemake_internals.py:_Followed.format", "Snakemake: what it prints"),  # our filter, around its own formatter
    ("sagan_div/workflow/fingerprint.py", "project: fingerprints of the code"),
    ("sagan_div/workflow/records.py", "project: records"),
    ("sagan_div/workflow/store.py", "project: records"),
    ("sagan_div/remembered.py", "project: digests of artefacts"),
    ("sagan_div/workflow/jobs.py", "project: jobs and their paths"),
    ("sagan_div/workflow/staleness.py", "project: comparisons"),
    ("sagan_div/workflow/rules.py", "project: what rules ask"),
    ("sagan_div/", "project: all else"),
    ("workflow/rules/", "project: all else"),
    ("snakemake/dag.py:DAG.update_conda_envs", "Snakemake: params, resources, environments"),
    ("snakemake/dag.py:DAG.update_needrun", "Snakemake: what has to run"),
    ("snakemake/dag.py:DAG.postprocess", "Snakemake: the finished graph"),
    ("snakemake/dag.py:DAG.file2jobs", "Snakemake: a job for each file"),
    ("snakemake/dag.py", "Snakemake: the graph, all else"),
    ("snakemake/executors/dryrun.py", "Snakemake: what it prints"),
    ("snakemake/", "Snakemake: start and all else"),
)


class Row(NamedTuple):
    step: str
    jobs: int
    wall: float  # seconds
    processor: float  # seconds, of the user and the system
    gigabytes: float
    parts: dict[str, float]  # seconds of the processor


def lay_out(seeds: str, size: int) -> int:
    """Leave in the working folder what every job of the study leaves; returns the number of jobs."""
    study, digests = load(ROOT / "params.yaml", sets=[f"seeds={seeds}"]), dict[Path, str]()
    every = jobs(study)
    for job in every:
        _leave(job, size, digests)
    _leave(report_job(study, outputs(study, Layout(study.study))), 0, digests)
    return len(every) + 1


def _leave(job: Job, size: int, digests: dict[Path, str]) -> None:
    """Stand-in for a job's work: bytes of its own in each file, and a record that fits."""
    for name, path in job.outputs.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(f"{job.name} {name}".encode() + bytes(size))
    for path in (*job.inputs.values(), *job.outputs.values()):
        digests[path] = digests.get(path) or files.sha256(path)
    content = {
        "job": job.name,
        "settings": plain(job.settings),
        "code": fingerprint.of_job(job.kind, job.settings),
        "inputs": {name: digests[path] for name, path in job.inputs.items()},
        "outputs": {name: digests[path] for name, path in job.outputs.items()},
        "sizes": {name: path.stat().st_size for name, path in job.outputs.items()},
    }
    job.record.write_text(json.dumps(content, indent=1, sort_keys=True))


# Measuring


def measured(step: str, count: int, *words: str) -> Row:
    """One run of a command of the project in the working folder."""
    sampled, started = Path("samples.json"), time.perf_counter()
    process = subprocess.Popen([sys.executable, __file__, "--run", *words], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = process.stderr.read() if process.stderr else b""
    _, status, usage = os.wait4(process.pid, 0)
    wall, processor = time.perf_counter() - started, usage.ru_utime + usage.ru_stime
    if status:
        sys.exit(f"{' '.join(words)}: {said.decode()}")
    counts: dict[str, int] = json.loads(sampled.read_text())
    share = processor / sum(counts.values())
    parts = {name: round(number * share, 2) for name, number in sorted(counts.items())}
    return _shown(Row(step, count, wall, processor, usage.ru_maxrss / 2**20, parts))


def run(words: list[str]) -> None:
    """Be a command, and write how many samples fell on each part."""
    counts: Counter[str] = Counter()
    signal.signal(signal.SIGPROF, lambda _, frame: counts.update([part(frame)]))
    signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)
    sys.argv = words
    try:
        if words[0] == "snakemake":
            from snakemake.cli import main as command
        else:
            from sagan_div.cli.main import main as command
        command()
    except SystemExit as end:
        if end.code:
            raise
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        files.write_text(Path("samples.json"), json.dumps(counts))


def part(frame: FrameType | None) -> str:
    """The part that a sample counts for: the project's where a frame of it is on the stack, else Snakemake's."""
    stack = [f"{each.f_code.co_filename}:{each.f_code.co_qualname}" for each in _frames(frame)]
    return next((name for place, name in PARTS if any(place in each for each in stack)), "Python: start")


def _frames(frame: FrameType | None) -> Iterator[FrameType]:
    while frame:
        yield frame
        frame = frame.f_back


def _shown(row: Row) -> Row:
    ours = sum(seconds for name, seconds in row.parts.items() if name.startswith("project"))
    print(f"{row.step:<44}{row.jobs:>6} jobs{row.wall:>8.1f} s wall{row.processor:>7.1f} s processor{row.gigabytes:>6.2f} GiB")
    for name, seconds in row.parts.items():
        print(f"    {name:<44}{seconds:>7.2f} s {seconds / row.processor:>6.1%}")
    print(f"    {'the project in all':<44}{ours:>7.2f} s {ours / row.processor:>6.1%}", flush=True)
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=134)
    parser.add_argument("--size", type=int, default=0, help="bytes of each artefact")
    parser.add_argument("--out", type=Path, default=Path("planning.json"))
    parser.add_argument("--run", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    words = parser.parse_args()
    if words.run:
        run(words.run)
        return
    seeds, out = str(list(range(words.seeds))).replace(" ", ""), words.out.absolute()
    plan = ("snakemake", "-n", "--snakefile", str(ROOT / "Snakefile"), "--config", f"seeds={seeds}")
    prune = ("sagan-div", "prune", "train", "--params", str(ROOT / "params.yaml"), "--set", f"seeds={seeds}")
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        count = len(jobs(load(ROOT / "params.yaml", sets=[f"seeds={seeds}"]))) + 1
        rows = [measured("snakemake -n, nothing there yet", count, *plan)]
        lay_out(seeds, words.size)
        time.sleep(6)  # what changed less than five seconds ago is not remembered
        for what, step in (("sagan-div prune train", prune), ("snakemake -n", plan)):
            rows += [measured(f"{what}, all files there, {which}", count, *step) for which in ("first", "again")]
        os.chdir(ROOT)
    files.write_text(out, json.dumps([row._asdict() for row in rows], indent=1) + "\n")


if __name__ == "__main__":
    main()
