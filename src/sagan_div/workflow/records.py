"""Records: what each artefact was made with and from, in a JSON file beside it."""

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sagan_div import files
from sagan_div.errors import UserError
from sagan_div.settings import canonical, plain
from sagan_div.workflow import fingerprint
from sagan_div.workflow.fingerprint import Fingerprint
from sagan_div.workflow.jobs import Job
from sagan_div.workflow.store import HERE, Store

PARTS = ("settings", "code", "inputs", "outputs")
FACTS: dict[str, type | tuple[type, ...]] = {  # beside them, that others look into
    **dict.fromkeys(("hardware", "versions", "sizes", "found"), dict),
    **dict.fromkeys(("seconds", "images_per_second"), (int, float)),
    "images": (int, dict),
    "best": (dict, type(None)),
}


@dataclass(frozen=True)
class Record:
    """What a job was given, the meaning of its code, and the SHA-256 of what it read and wrote, by name."""

    settings: dict[str, Any]
    code: Fingerprint
    inputs: dict[str, str]
    outputs: dict[str, str]
    about: dict[str, Any]  # all else: versions, hardware, commit, time, what the work says of itself

    def size(self, name: str) -> int | None:
        """The bytes of an output, where the record tells."""
        size = self.about.get("sizes", {}).get(name)
        return size if isinstance(size, int) else None


def recorded(path: Path, store: Store = HERE) -> dict[str, Any] | None:
    """A record as plain data, or None where there is none that can be read."""
    return _parsed(store.read([path]).get(path))


def _parsed(content: bytes | None) -> dict[str, Any] | None:
    try:
        record = json.loads(content or b"")
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) and _is_whole(record) else None


def _is_whole(record: Mapping[str, Any]) -> bool:
    """Whether a record has its parts, and its parts and facts are of the kind that those who read them expect."""
    shapes = record.get("images")
    return (
        all(isinstance(record.get(part), dict) for part in PARTS)
        and all(isinstance(value, str) for part in PARTS[1:] for value in record[part].values())
        and (not isinstance(shapes, dict) or all(isinstance(shape, list) and len(shape) > 1 for shape in shapes.values()))
        and all(isinstance(record[name], kind) for name, kind in FACTS.items() if name in record)
    )


def read(path: Path, store: Store = HERE) -> Record | None:
    """A record, or None where there is none that can be read."""
    return _record(store.read([path]).get(path))


def read_all(jobs: Iterable[Job], store: Store = HERE) -> list[tuple[Job, Record | None]]:
    """Jobs with their records."""
    wanted = list(jobs)
    found = store.read(job.record for job in wanted)
    return [(job, _record(found.get(job.record))) for job in wanted]


def _record(content: bytes | None) -> Record | None:
    found = _parsed(content)
    if found is None:
        return None
    about = {name: value for name, value in found.items() if name not in PARTS}
    return Record(found["settings"], found["code"], found["inputs"], found["outputs"], about)


@dataclass(frozen=True)
class Used:
    """What a job works with, taken before it begins."""

    code: Fingerprint
    inputs: dict[str, str]


def used(job: Job) -> Used:
    """Take stock before the work. Raises UserError for an input that is missing."""
    return Used(fingerprint.of_job(job.kind, job.settings), {name: files.sha256(path) for name, path in job.inputs.items()})


def write(job: Job, before: Used, about: Mapping[str, Any]) -> None:
    """Write the record of a finished job. Raises UserError where its code or inputs changed while it ran."""
    changed = fingerprint.moved(before.code)
    if changed:
        raise UserError(f"{job.name}: src/sagan_div/{changed} changed while it ran; run it again with the code as it is now")
    for name, path in job.inputs.items():
        if files.sha256(path) != before.inputs[name]:
            raise UserError(f"{path}: changed while {job.name} ran; run it again with the files as they are now")
    content = {
        "job": job.name,
        "settings": plain(job.settings),
        "code": before.code,
        "inputs": before.inputs,
        "outputs": {name: files.sha256(path) for name, path in job.outputs.items()},
        "sizes": {name: path.stat().st_size for name, path in job.outputs.items()},
    }
    files.write_text(job.record, json.dumps(content | dict(about), indent=1, sort_keys=True) + "\n")


def state_path(job: Job) -> Path:
    """Where a job keeps its state until it is done: a place for these settings, code and inputs alone, so that no other
    job continues it."""
    code = fingerprint.of_job(job.kind, job.settings)
    shape = [canonical(job.settings), json.dumps(code), *(files.sha256(path) for path in job.inputs.values())]
    return job.scratch / hashlib.sha256("".join(shape).encode()).hexdigest()[:12] / "state.safetensors"
