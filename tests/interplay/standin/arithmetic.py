"""What the stand-in's jobs leave behind: text that depends on all that the real ones depend on, and on nothing else."""

import hashlib
import json
from pathlib import Path

from sagan_div.settings import canonical
from sagan_div.study.schema import Study
from sagan_div.workflow import fingerprint
from sagan_div.workflow.jobs import Job, jobs

TABLE = "dataset,method,seed,extractor,fid,images,loss_critic\ndigits,dcgan,0,classifier,1,64,1\n"


def contents(job: Job, read: dict[Path, str]) -> dict[Path, str]:
    """The text of each output of a job, from its settings, its code and the texts that it reads."""
    code = json.dumps(fingerprint.of_job(job.kind, job.settings))
    given = "\n".join([canonical(job.settings), code, *(read[path] for path in job.inputs.values())])
    made = {path: hashlib.sha256(f"{name}\n{given}".encode()).hexdigest() for name, path in job.outputs.items()}
    return {path: _scores(text) if job.kind.name == "score" else text for path, text in made.items()}


def _scores(digest: str) -> str:
    return json.dumps({"extractors": {"classifier": {"fid": fid(digest), "count": 64}}})


def fid(digest: str) -> float:
    return int(digest[:6], 16) / 1000


def mean(study: Study, dataset: str, method: str, texts: dict[Path, str]) -> dict[str, float]:
    """The metrics of a dataset and method: FID's mean over the seeds."""
    found = [
        json.loads(text)["extractors"]["classifier"]["fid"]
        for path, text in sorted(texts.items())
        if path.parts[-4:-2] == (dataset, method)
    ]
    return {"fid": sum(found) / len(found), "seeds": len(found)}


def report(job: Job) -> dict[Path, str]:
    """The real report's files, with the metrics in them and nothing to look at."""
    study = job.settings
    assert isinstance(study, Study)
    scored = jobs(study, "score", root=job.layout.root)
    texts = {path: path.read_text() for each in scored for path in each.outputs.values()}
    made = {}
    there = {path for pattern in ("metrics/*/*.json", "models/*/*") for path in job.layout.results.glob(pattern)}
    for path in there - set(job.outputs.values()):
        path.unlink()  # as the real one does
    for path in job.outputs.values():
        parts = path.relative_to(job.layout.results).with_suffix("").parts
        made[path] = json.dumps(mean(study, *parts[1:], texts)) if parts[0] == "metrics" else TABLE
    return made
