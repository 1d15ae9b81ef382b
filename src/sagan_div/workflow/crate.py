"""A study's runs as a Workflow Run RO-Crate: JSON-LD that says which job made which file, of what, when and with what.

The folder of the study is the crate; `ro-crate-metadata.json` in it describes the workflow, and the jobs that have a record.
Sources: RO-Crate 1.1, Workflow RO-Crate 1.0, and the profiles Process Run, Workflow Run and Provenance Run Crate 0.5.
"""

import json
import mimetypes
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sagan_div import __version__, files
from sagan_div.errors import UserError
from sagan_div.settings import canonical
from sagan_div.study.schema import Study
from sagan_div.workflow.jobs import Job
from sagan_div.workflow.kinds import Kind
from sagan_div.workflow.records import Record
from sagan_div.workflow.staleness import State

METADATA = Path("ro-crate-metadata.json")
CONTEXT = [
    "https://w3id.org/ro/crate/1.1/context",
    "https://w3id.org/ro/terms/workflow-run/context",
    {"sha256": "https://schema.org/sha256"},
]
PROFILES = {
    "https://w3id.org/ro/wfrun/process/0.5": "Process Run Crate",
    "https://w3id.org/ro/wfrun/workflow/0.5": "Workflow Run Crate",
    "https://w3id.org/ro/wfrun/provenance/0.5": "Provenance Run Crate",
    "https://w3id.org/workflowhub/workflow-ro-crate/1.0": "Workflow RO-Crate",
}
WORKFLOW, PARAMS, RUN, SNAKEMAKE = "workflow/Snakefile", "params.yaml", "#run", "https://snakemake.github.io"
LICENCE, DEVELOPERS = "https://spdx.org/licenses/MIT", "#developers"
Entity = dict[str, Any]
Done = Sequence[tuple[Job, Record]]


def text(study: Study, states: Iterable[State]) -> str:
    """The metadata of the study's jobs that are up to date.

    Raises UserError where there is none, or no workflow in this folder.
    """
    if not Path(WORKFLOW).is_file():
        raise UserError(f"{WORKFLOW}: is missing; run this in the folder of the workflow, which becomes the crate")
    done = [(state.job, state.record) for state in states if state.record and not state.due]
    if not done:
        raise UserError(f"study '{study.study}': no job is done; `snakemake` runs the study")
    paths = _files(done)
    kinds = list({job.kind.name: job.kind for job, _ in done}.values())
    actions = [entity for job, record in done for entity in _action(job, record)]
    graph = [*_crate(study, paths, done), *_workflow(kinds), *_run(study, done), *actions]
    graph += [_file(path, digest) for path, digest in paths.items()]
    return json.dumps({"@context": CONTEXT, "@graph": graph}, indent=1, ensure_ascii=False) + "\n"


def _crate(study: Study, paths: Iterable[str], done: Done) -> list[Entity]:
    """The metadata file, the folder that it describes, and the profiles that both follow."""
    crate = {
        "@id": "./",
        "@type": "Dataset",
        "name": f"sagan-div, study {study.study}",
        "description": "Runs of a reproduction of SAGAN-div: what was made, of what, when, and with which settings.",
        "license": {"@id": LICENCE},
        "author": {"@id": DEVELOPERS},
        "datePublished": max(_ended(record) for _, record in done),
        "conformsTo": _references(PROFILES),
        "mainEntity": {"@id": WORKFLOW},
        "hasPart": _references([WORKFLOW, *paths]),
        "mentions": _references([RUN, *(_id(job) for job, _ in done)]),
    }
    about = {
        "@id": str(METADATA),
        "@type": "CreativeWork",
        "about": {"@id": "./"},
        "conformsTo": _references(["https://w3id.org/ro/crate/1.1", "https://w3id.org/workflowhub/workflow-ro-crate/1.0"]),
    }
    licence = {"@id": LICENCE, "@type": "CreativeWork", "name": "MIT License"}
    developers = {"@id": DEVELOPERS, "@type": "Organization", "name": "The sagan-div developers"}
    return [
        about,
        crate,
        licence,
        developers,
        *({"@id": link, "@type": "CreativeWork", "name": name} for link, name in PROFILES.items()),
    ]


def _workflow(kinds: Sequence[Kind]) -> list[Entity]:
    """The workflow, its steps, and the command that each of them runs."""
    workflow = {
        "@id": WORKFLOW,
        "@type": ["File", "SoftwareSourceCode", "ComputationalWorkflow", "HowTo"],
        "name": "sagan-div",
        "version": __version__,
        "license": {"@id": LICENCE},
        "encodingFormat": "text/plain",
        "conformsTo": {"@id": "https://bioschemas.org/profiles/ComputationalWorkflow/1.0-RELEASE"},
        "programmingLanguage": {"@id": SNAKEMAKE},
        "hasPart": _references(map(_tool, kinds)),
        "step": _references(map(_step, kinds)),
    }
    snakemake = {
        "@id": SNAKEMAKE,
        "@type": "ComputerLanguage",
        "name": "Snakemake",
        "identifier": {"@id": SNAKEMAKE},
        "url": {"@id": SNAKEMAKE},
    }
    parts = [entity for position, kind in enumerate(kinds) for entity in _part(kind, position)]
    return [workflow, snakemake, *parts]


def _part(kind: Kind, position: int) -> list[Entity]:
    """A step of the workflow, and the command that it runs."""
    step = {
        "@id": _step(kind),
        "@type": "HowToStep",
        "name": kind.rule,
        "position": str(position),
        "workExample": {"@id": _tool(kind)},
    }
    tool = {
        "@id": _tool(kind),
        "@type": "SoftwareApplication",
        "name": f"sagan-div {kind.command}",
        "description": kind.about,
        "softwareVersion": __version__,
    }
    return [step, tool]


def _run(study: Study, done: Done) -> list[Entity]:
    """The run of the whole workflow."""
    run = {
        "@id": RUN,
        "@type": "CreateAction",
        "name": f"study {study.study}",
        "description": f"{len(done)} jobs of the study {study.study}",
        "instrument": {"@id": WORKFLOW},
        "object": _references([PARAMS, f"{RUN}/settings"]),
        "result": _references(str(path) for job, _ in done for path in job.outputs.values()),
        "startTime": min(str(record.about["started"]) for _, record in done),
        "endTime": max(_ended(record) for _, record in done),
    }
    return [run, _settings(RUN, canonical(study))]


def _action(job: Job, record: Record) -> list[Entity]:
    """A job, and its settings."""
    action = {
        "@id": _id(job),
        "@type": "CreateAction",
        "name": job.name,
        "description": f"commit {record.about.get('commit')}; {json.dumps(record.about.get('hardware'))}",
        "instrument": {"@id": _tool(job.kind)},
        "object": _references([*map(str, job.inputs.values()), f"{_id(job)}/settings"]),
        "result": _references(map(str, job.files)),
        "startTime": record.about["started"],
        "endTime": _ended(record),
        "actionStatus": "http://schema.org/CompletedActionStatus",
    }
    return [action, _settings(_id(job), json.dumps(record.settings, sort_keys=True))]


def _settings(action: str, value: str) -> Entity:
    return {"@id": f"{action}/settings", "@type": "PropertyValue", "name": "settings", "value": value}


def _files(done: Done) -> dict[str, str]:
    """Every file that jobs have read or written, with its SHA-256."""
    found = {PARAMS: files.sha256(Path(PARAMS))}
    for job, record in done:
        found |= {str(path): record.inputs[name] for name, path in job.inputs.items() if name in record.inputs}
        found |= {str(path): record.outputs[name] for name, path in job.outputs.items()}
        found[str(job.record)] = files.sha256(job.record)
    return found


def _file(path: str, digest: str) -> Entity:
    form = mimetypes.guess_type(path)[0] or "application/octet-stream"
    return {"@id": path, "@type": "File", "name": path, "encodingFormat": form, "sha256": digest}


def _ended(record: Record) -> str:
    """When a job had worked for its seconds; one that was interrupted has ended earlier than this says."""
    started = datetime.fromisoformat(str(record.about["started"]))
    return (started + timedelta(seconds=float(record.about["seconds"]))).isoformat(timespec="seconds")


def _id(job: Job) -> str:
    return f"#{'/'.join(job.words)}"


def _step(kind: Kind) -> str:
    return f"{WORKFLOW}#{kind.rule}"


def _tool(kind: Kind) -> str:
    return f"#sagan-div-{kind.command}"


def _references(names: Iterable[str]) -> Entity | list[Entity]:
    """What a property refers to: RO-Crate writes a single value without a list."""
    first, *rest = found = [{"@id": name} for name in names]
    return found if rest else first
