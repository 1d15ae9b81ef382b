"""What rules ask of the machine that does their jobs, under the names of Snakemake and of its executors.

Time and memory follow from what such jobs took: their records say how long, over all sessions and on which device; Snakemake's
benchmark files how much memory; for training, `sagan-div estimate --save` how long where no record does.
"""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from sagan_div import files
from sagan_div.workflow import snakemake_internals as internals
from sagan_div.workflow.kinds import TRAIN, Kind
from sagan_div.workflow.layout import Layout, filled
from sagan_div.workflow.records import recorded

DEVICE = "device"  # of a profile's default-resources: what jobs compute on, as `--device` names it
GPUS = ("gpu", "nvidia_gpu", "_gpus")  # that executors read: Slurm's and Kubernetes', Google Batch's, AWS Batch's
MARGIN = {"mem_mb": 1.5, "runtime": 2.0}  # over the most that was seen: other nodes are slower, and share memory otherwise
LEAST = {"mem_mb": 2048, "runtime": 10}  # MB, minutes
UNKNOWN = {"mem_mb": 8192, "runtime": 240}  # where such a job has never run
LONGEST = 24 * 60  # minutes, the limit of many partitions: training goes on in the next try
STEP = 1024  # MB: AWS Batch takes whole GiB alone
AMOUNTS: dict[str, Callable[[int, int], int | str]] = {  # by the names that executors read, from MB and minutes
    "mem_mb": lambda memory, minutes: memory,
    "runtime": lambda memory, minutes: minutes,
    "googlebatch_memory": lambda memory, minutes: memory,
    "googlebatch_max_run_duration": lambda memory, minutes: f"{60 * minutes}s",
}


def asks(workflow: Any, kind: Kind, layout: Layout, runtimes: Path) -> dict[str, Any]:
    """The resources of the rule that does a kind of job, whose benchmark files are `runtimes` with wildcards in braces.

    Memory and time grow with every try; amounts that a profile names are left to it. A rule that computes asks for the GPUs
    that the profile names, for one where it names none, and for none where its device is the CPU; others ask for none.
    """
    named = internals.default_resources(workflow)
    chosen = str(internals.set_resources(workflow, kind.rule).get(DEVICE, named.get(DEVICE))).strip("'\"")
    on_cpu = DEVICE not in kind.options or chosen == "cpu"
    gpus = dict.fromkeys(GPUS & named.keys()) if on_cpu else {} if GPUS[0] in named else {GPUS[0]: 1}  # None: left out
    took = cache(lambda **alike: _most(kind, layout, runtimes, "cuda" if chosen.startswith("cuda") else "cpu", alike))

    def amount(name: str) -> Callable[[Any, int], int | str | None]:
        def asked(wildcards: Any, attempt: int) -> int | str | None:
            if name.startswith("googlebatch_") and internals.executor(workflow) != "googlebatch":
                return None
            alike = {key: value for key, value in wildcards.items() if key in ("method", "extractor")}
            return AMOUNTS[name](*_amounts(took(**alike), attempt))

        return asked

    return {name: amount(name) for name in AMOUNTS.keys() - named.keys()} | gpus


def device(resources: Mapping[str, Any], remote: bool) -> str:
    """What a job computes on: what its profile names, else any device that is there.

    An executor that was asked for a GPU has set one aside: the CPU in its place would take weeks for hours.
    """
    return str(resources.get(DEVICE) or ("cuda" if remote and resources.get(GPUS[0]) else "auto"))


def _amounts(seen: Mapping[str, float], attempt: int) -> tuple[int, int]:
    """MB and minutes to ask for in a try: twice as much each time, since the one before may have ended for want of it."""
    first = {name: max(LEAST[name], MARGIN[name] * seen[name]) if name in seen else UNKNOWN[name] for name in UNKNOWN}
    memory, minutes = (first[name] * 2 ** (attempt - 1) for name in UNKNOWN)
    return STEP * math.ceil(memory / STEP), min(LONGEST, math.ceil(minutes))


def _most(kind: Kind, layout: Layout, runtimes: Path, device: str, alike: Mapping[str, str]) -> dict[str, float]:
    """The most MB, and minutes on a device, that jobs alike took, as far as it is known here."""
    seen = {
        "mem_mb": [line.get("max_rss") for path in _alike(runtimes, alike) for line in _lines(path)],
        "runtime": [_minutes(path, device) for path in _alike(kind.record(layout), alike)],
    }
    found = {name: max(known) for name, values in seen.items() if (known := [v for v in values if isinstance(v, int | float)])}
    estimated = load_estimate(layout).get(device, {}).get(alike.get("method", "")) if kind is TRAIN else None
    return {"runtime": estimated} | found if estimated else found


def _alike(pattern: Path, alike: Mapping[str, str]) -> Iterator[Path]:
    """Files of jobs that share what makes them alike, of whatever dataset and seed."""
    return Path().glob(str(filled(pattern, **{"dataset": "*", "seed": "*", **alike})))


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """The entries of a benchmark file; none of one that is damaged, which no job should fail for."""
    try:
        entries = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError):
        return
    yield from (entry for entry in entries if isinstance(entry, dict))


def _minutes(path: Path, device: str) -> float | None:
    record = recorded(path) or {}
    seconds = record.get("seconds")
    return seconds / 60 if seconds and record.get("hardware", {}).get("device") == device else None


def estimate_path(layout: Layout) -> Path:
    """Where `sagan-div estimate --save` keeps what training takes: minutes of a cell by device and method."""
    return layout.logs / "estimate.json"


def load_estimate(layout: Layout) -> dict[str, dict[str, float]]:
    """What was kept, or nothing."""
    try:
        found = json.loads(estimate_path(layout).read_text(encoding="utf-8"))
        return {device: {method: float(minutes) for method, minutes in cells.items()} for device, cells in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def save_estimate(layout: Layout, device: str, minutes: Mapping[str, float]) -> Path:
    """Keep what a cell of each method takes on a device, beside what is kept of other devices."""
    kept = load_estimate(layout) | {device: dict(minutes)}
    files.write_text(estimate_path(layout), json.dumps(kept, indent=1, sort_keys=True) + "\n")
    return estimate_path(layout)
