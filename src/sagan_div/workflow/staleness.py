"""What no longer fits: a result is fresh if and only if its record fits the study, the code, its inputs and itself.

No date and no memory of any tool has a part in it: dates and inodes tell only which files need not be read again.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from sagan_div import files, mirror
from sagan_div.errors import UserError
from sagan_div.settings import difference, plain
from sagan_div.study.schema import Study
from sagan_div.workflow import fingerprint, records
from sagan_div.workflow.jobs import Job, jobs, report_job
from sagan_div.workflow.kinds import KINDS, Paths
from sagan_div.workflow.records import Record
from sagan_div.workflow.store import HERE, IsOther, Store

Forced = Callable[[Job, Record | None], bool]
Digests = dict[Path, str | None]  # of artefacts, as their own records have them; None for what is to be made again


@dataclass(frozen=True)
class State:
    """A job and what is there of it: why that no longer fits, and whether the job has to run."""

    job: Job
    record: Record | None
    reason: str | None  # why what is there does not fit, None where it fits or where nothing is there
    due: bool  # stale, missing, or made from what is due


def survey(
    study: Study, *phases: str, forced: Forced = lambda job, record: False, code: bool = True, store: Store = HERE
) -> list[State]:
    """The state of the jobs of these phases (of all without any), in the order in which they can run.

    `forced` jobs are due whatever their state; without `code` it does not matter which code made an artefact. Their files lie
    in `store`.

    What was made from a due artefact of the same survey is due as well; with `phases` the artefacts of other phases count as
    their records describe them, since the next phase compares with what comes in their place.
    """
    planned = records.read_all(jobs(study, root=store.root), store)
    digests = recorded_digests(planned)
    states = []
    wanted = [(each, record) for each, record in planned if not phases or each.kind.phase in phases]
    with store.comparing(path for each, record in wanted if record for path in each.outputs.values()) as is_other:
        for each, record in wanted:
            there = {name: path for name, path in each.outputs.items() if store.exists(path)}
            state = _state(each, record, there, digests, is_other, code)
            if not state.due and forced(each, record):
                state = replace(state, due=True)
            if state.due:
                digests |= dict.fromkeys(each.outputs.values())
            states.append(state)
    return states


def survey_report(study: Study, outputs: dict[str, Path], upstream_due: bool = False, store: Store = HERE) -> State:
    """The state of the report, whose inputs are the records of all other jobs."""
    job = report_job(study, outputs, store)
    digests: Digests = {path: hashlib.sha256(content).hexdigest() for path, content in store.read(job.inputs.values()).items()}
    there = {name: path for name, path in job.outputs.items() if store.exists(path)}
    with store.comparing(job.outputs.values()) as is_other:
        state = _state(job, records.read(job.record, store), there, digests, is_other)
    return replace(state, due=state.due or upstream_due)


def stale(study: Study, *phases: str) -> dict[Path, str]:
    """The records of these phases (of all without any) whose artefacts do not fit, with the reason.

    A missing artefact is not stale: it will be made.
    """
    return {state.job.record: state.reason for state in survey(study, *phases) if state.reason}


def require(study: Study, page: dict[str, Path] | None = None, store: Store = HERE) -> None:
    """Refuse a study of which something is there that does not fit; with `page`, the report's outputs, the report as well.

    Raises UserError naming the first and what makes it again.
    """
    states = survey(study, store=store) + ([survey_report(study, page, store=store)] if page else [])
    for state in states:
        if state.reason:
            raise _refusal(state, store)


def require_upstream(study: Study, wanted: Iterable[Job]) -> None:
    """Refuse what the wanted jobs are made from, however far up, where it does not fit. Raises UserError as `require` does.

    The first in the order of work is named: what is made from it follows.
    """
    read = {path for each in wanted for path in each.inputs.values()}
    unfit = None
    for state in reversed(survey(study)):
        if read & set(state.job.outputs.values()):
            read |= set(state.job.inputs.values())
            unfit = state if state.reason else unfit
    if unfit:
        raise _refusal(unfit, HERE)


def went_without(record: Record) -> bool:
    """Whether a job had to go without something: it is up to date all the same, and worth another try where it is asked for."""
    return "why" in record.about


def may_be_had(job: Job, record: Record | None) -> bool:
    """Whether what a job had to go without may be had now: the user has put its file beside, or there is another mirror."""
    lacks = record.about.get("lacks") if record else None
    if not record or not isinstance(lacks, list):
        return False
    names = [str(name) for name in lacks]
    try:
        place = mirror.chosen(None)
    except UserError:
        place = None
    beside = any((job.record.parent / name).is_file() for name in names)
    return beside or (place is not None and place.may_have(*names, asked=record.about.get("asked")))


def intact(job: Job) -> bool:
    """Whether all outputs are those that the job's record describes."""
    record = records.read(job.record)
    return record is not None and all(
        path.is_file() and files.sha256(path) == record.outputs.get(name) for name, path in job.outputs.items()
    )


def _refusal(state: State, store: Store) -> UserError:
    place = state.job.layout.name(state.job.record.parent)
    return UserError(f"{place}: {state.reason}; {store.mend.format(phase=state.job.kind.phase)}")


def require_inputs(job: Job) -> None:
    """Raises UserError for the first input of a job that is not there, with the command that makes it."""
    for path in job.inputs.values():
        if not path.exists():
            raise UserError(f"{path}: is missing; run `sagan-div {_maker(job, path)}` first")


def _maker(job: Job, path: Path) -> str:
    """The command that makes a file, and nothing else."""
    for kind in KINDS.values():
        for pattern in kind.outputs(job.layout).values():
            found = re.fullmatch(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(str(pattern))), str(path))
            if found:
                return " ".join([kind.command, *(f"--{name} {value}" for name, value in found.groupdict().items())])
    return job.kind.command


def digests(study: Study, store: Store = HERE) -> dict[Path, str]:
    """The SHA-256 of what the study's jobs have left, as recorded, in the order in which they can run."""
    recorded = recorded_digests(records.read_all(jobs(study, root=store.root), store))
    return {path: digest for path, digest in recorded.items() if digest}


def recorded_digests(planned: Iterable[tuple[Job, Record | None]]) -> Digests:
    """The SHA-256 of what these jobs have left, as their records have it."""
    return {
        each.outputs[name]: digest
        for each, record in planned
        if record
        for name, digest in record.outputs.items()
        if name in each.outputs
    }


def _state(
    job: Job, record: Record | None, there: Paths, digests: Mapping[Path, str | None], is_other: IsOther, code: bool = True
) -> State:
    """What is to be said of a job, of whose outputs these are there."""
    if record is None:
        reason = "it has no record" if there else None
    else:
        reason = _unfit(job, record, digests, code) or _altered(record, there, is_other)
    missing = record is None or there.keys() != job.outputs.keys()
    return State(job, record, reason, due=bool(reason) or missing)


def _unfit(job: Job, record: Record, digests: Mapping[Path, str | None], code: bool) -> str | None:
    """Why a record is not that of the job as the study, the code and the other records have it."""
    if record.settings != plain(job.settings):
        return f"it was made with other settings: {difference(record.settings, plain(job.settings))}"
    other = _other_code(record.code, fingerprint.of_job(job.kind, job.settings)) if code else None
    return other or _other_inputs(job, record, digests)


def _other_code(recorded: Mapping[str, Any], now: Mapping[str, str]) -> str | None:
    if recorded == now:
        return None
    changed = [name for name in sorted(recorded.keys() | now.keys()) if recorded.get(name) != now.get(name)]
    return f"it was made by other code: {', '.join(changed[:3])}{' and more' if len(changed) > 3 else ''}"


def _other_inputs(job: Job, record: Record, digests: Mapping[Path, str | None]) -> str | None:
    for name, path in job.inputs.items():
        if path in digests and record.inputs.get(name) != digests[path]:
            return f"it was made from another {path}"
    if job.kind.wildcards == () and record.inputs.keys() != job.inputs.keys():  # the report, or what reads nothing
        return "it was made from other cells"
    return None


def _altered(record: Record, there: Paths, is_other: IsOther) -> str | None:
    """What is no longer the file that its record describes: replaced or cut short. What is lost is missing, not altered."""
    for name, path in there.items():
        if is_other(path, record.outputs.get(name), record.size(name)):
            return f"{path.name} is not what it was when it was made"
    return None
