"""What the stand-in's jobs leave behind: text that depends on all that the real ones depend on, and on nothing else."""

import hashlib
import json
from pathlib import Path

from sagan_div.settings import canonical
from sagan_div.study import schema as config
from sagan_div.workflow import plan


def contents(job: plan.Job, read: dict[Path, str]) -> dict[Path, str]:
    """The text of each output of a job, from its settings, its source files and the texts that it reads."""
    code = [Path(name).read_text() for name in plan.code(job.kind)]
    told = "\n".join([canonical(job.settings), *code, *(read[path] for path in job.inputs.values())])
    made = {path: hashlib.sha256(f"{name}\n{told}".encode()).hexdigest() for name, path in job.outputs.items()}
    return {path: _scores(text) if job.kind == "score" else text for path, text in made.items()}


def _scores(digest: str) -> str:
    return json.dumps({"extractors": {"classifier": {"fid": fid(digest), "count": 64}}})


def fid(digest: str) -> float:
    return int(digest[:6], 16) / 1000


def mean(study: config.Study, dataset: str, method: str, texts: dict[Path, str]) -> dict[str, float]:
    """The metrics of a dataset and method: FID's mean over the seeds."""
    found = [
        json.loads(text)["extractors"]["classifier"]["fid"]
        for path, text in sorted(texts.items())
        if path.parts[-4:-2] == (dataset, method)
    ]
    return {"fid": sum(found) / len(found), "seeds": len(found)}
