"""A command for each kind of job, made from its declaration."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from sagan_div.cli import options
from sagan_div.cli.machine import find_device, use_threads
from sagan_div.errors import UserError
from sagan_div.settings import read, short
from sagan_div.study.datasets import NAME
from sagan_div.study.load import load, under_its_name
from sagan_div.study.schema import Study
from sagan_div.terminal import note
from sagan_div.workflow import fingerprint
from sagan_div.workflow.jobs import Job, is_part, job, planned, refused_report, report_job
from sagan_div.workflow.kinds import KINDS, REPORT, Kind
from sagan_div.workflow.layout import RECORD_STUDY, Layout
from sagan_div.workflow.staleness import require_upstream, survey, went_without
from sagan_div.workflow.store import HERE, Store, copies


def command(kind: Kind) -> click.Command:
    """The command that does jobs of a kind: the one that a rule hands over, or those of the study that its options leave."""
    wildcards = [options.WILDCARDS[name] for name in kind.wildcards]
    of_its_own = [options.OF_A_KIND[name] for name in kind.options]

    @options.together(*wildcards, *of_its_own, options.study_and_results, options.job)
    def do(settings: str | None, name: str | None, root: Path, again: bool, **given: Any) -> None:
        chosen = {key: given.pop(key) for key in ("params", "overlays", "sets")}
        if settings is not None:
            todo = [_handed_over(kind, settings, Layout(name or RECORD_STUDY, root))]
        elif name is not None:
            raise UserError(f"--study {name}: belongs to --settings; a study is named by its overlay, --overlay FILE")
        else:
            wanted = {key: given[key] for key in kind.wildcards if given[key] is not None}
            study = load(**chosen)
            if kind is REPORT and is_part(study, under_its_name(chosen["params"], chosen["overlays"])):
                raise refused_report(study)
            todo = _to_do(kind, study, wanted, again)
        _work(todo, **{key: value for key, value in given.items() if key in kind.options})

    return click.command(kind.command, help=kind.about)(do)


def _handed_over(kind: Kind, text: str, layout: Layout) -> Job:
    if not re.fullmatch(NAME, layout.study):
        raise UserError(
            f"--study: '{short(layout.study)}' cannot be a name; use lower-case letters, digits and hyphens, 64 at most"
        )
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise UserError(f"--settings: not valid JSON: {text[:60]}") from None
    settings = read(kind.settings, value, "--settings")
    return report_of(settings, copies(layout.root)) if isinstance(settings, Study) else job(kind, settings, layout)


def report_of(study: Study, store: Store = HERE) -> Job:
    """The job that writes a study's report."""
    from sagan_div.report.report import outputs

    return report_job(study, outputs(study, Layout(study.study, store.root)), store)


def _to_do(kind: Kind, study: Study, wanted: Mapping[str, Any], again: bool) -> list[Job]:
    """The jobs of a kind that the wanted wildcards leave and that are not up to date."""
    if kind is REPORT:
        return [report_of(study)]
    if not kind.needs(study):  # it is asked for all the same
        return [planned(study, kind, {})]
    _refuse_unknown(study, wanted)
    states = [
        state for state in survey(study, kind.phase) if state.job.kind is kind and wanted.items() <= state.job.about.items()
    ]
    require_upstream(study, [state.job for state in states])
    todo = []
    for state in states:
        if again or state.due or (state.record and went_without(state.record)):
            todo.append(state.job)
        else:
            note(f"{state.job.name}: up to date")
    return todo


def _refuse_unknown(study: Study, wanted: Mapping[str, Any]) -> None:
    known: dict[str, list[Any]] = {
        "dataset": [dataset.name for dataset in study.datasets],
        "method": list(study.methods),
        "seed": list(study.seeds),
        "extractor": list(study.score.spaces),
    }
    for key, name in wanted.items():
        if name not in known[key]:
            raise UserError(f"--{key}: {name} is not in the study; it has {', '.join(map(str, known[key]))}")


def _work(todo: Sequence[Job], device: str = "cpu", threads: int | None = None, **given: Any) -> None:
    if not todo:
        return
    runner = prepared(device, threads, **given)
    for each in todo:
        runner(each)


def prepared(device: str = "cpu", threads: int | None = None, **given: Any) -> Callable[[Job], None]:
    """What does a job on this machine. The code is read before it is imported, so that records tell what ran."""
    from sagan_div.phases import gpu_slots

    fingerprint.snapshot()
    gpu_slots.take(device, note)
    from sagan_div.phases.machine import Machine
    from sagan_div.phases.run import run

    use_threads(threads)
    machine = Machine(find_device(device), **given)
    return lambda each: run(each, machine)


COMMANDS = [command(kind) for kind in KINDS.values()]
