"""Accept an edit of the code that changes no number: run some jobs again, compare bits, stamp the records anew."""

import json
import random
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

from sagan_div import files
from sagan_div.errors import UserError
from sagan_div.study.schema import Study
from sagan_div.workflow import fingerprint, locks, records
from sagan_div.workflow.jobs import Job
from sagan_div.workflow.layout import Layout
from sagan_div.workflow.staleness import State, survey

Run = Callable[[Job], None]  # does a job and writes its record


class Differs(Exception):  # noqa: N818 (an outcome, not a fault of the input)
    """An artefact that came out otherwise: the edit changes numbers. The exit status is 1."""


def outdated(study: Study) -> list[State]:
    """The jobs whose artefacts are whole and fit but for the code that made them.

    Raises UserError where something else does not fit: other settings or inputs are no matter of revalidation.
    """
    found = []
    for state in survey(study, code=False):
        if state.reason:
            raise UserError(f"{state.job.record.parent}: {state.reason}; revalidate accepts other code alone, so run it again")
        if state.record and not state.due and state.record.code != fingerprint.of_job(state.job.kind, state.job.settings):
            found.append(state)
    return found


def revalidate(study: Study, run: Run, count: int, about: Mapping[str, Any], note: Callable[[str], None]) -> list[State]:
    """Try `count` jobs of each kind whose code has changed, then stamp all of those kinds; returns what was stamped.

    The jobs are drawn by the code's own fingerprint, so that no person chooses them. Raises Differs, having changed nothing,
    where an artefact has other bits.
    """
    locks.refuse_beside_snakemake()
    found = outdated(study)
    tried = _drawn(found, count)
    for state in tried:
        _compare(state, run, note)
    stamp = dict(about) | {"tried": [state.job.name for state in tried]}
    for state in found:
        _stamp(state, stamp)
    return found


def _drawn(found: Sequence[State], count: int) -> list[State]:
    """So many states of each kind, at random but for a given code always the same."""
    drawn: list[State] = []
    for kind, group in groupby(found, key=lambda state: state.job.kind.name):
        states = list(group)
        code = fingerprint.of_job(states[0].job.kind, states[0].job.settings)
        drawn += random.Random(json.dumps([kind, code])).sample(states, min(count, len(states)))
    return drawn


def _compare(state: State, run: Run, note: Callable[[str], None]) -> None:
    """Do a job in a folder aside and compare its artefacts with the recorded ones. Raises Differs."""
    assert state.record
    aside = _aside(state.job)
    note(f"{state.job.name}: running it again")
    trial = replace(
        state.job,
        outputs={name: aside / path.name for name, path in _distinct(state.job.outputs).items()},
        record=aside / "record.json",
    )
    try:
        run(trial)
        for name, path in trial.outputs.items():
            if files.sha256(path) != state.record.outputs[name]:
                raise Differs(f"{state.job.outputs[name]}: comes out with other bits; nothing is changed, run these jobs again")
    finally:
        shutil.rmtree(aside, ignore_errors=True)


def _aside(job: Job) -> Path:
    return Layout(job.layout.study).scratch.joinpath("revalidate", *job.words)


def _distinct(outputs: Mapping[str, Path]) -> dict[str, Path]:
    """File names of their own: a dataset's splits share one."""
    return {name: path.with_name(f"{name}{path.suffix}") for name, path in outputs.items()}


def _stamp(state: State, stamp: Mapping[str, Any]) -> None:
    """Give a record the code as it is now, and a note of what was tried."""
    record = records.recorded(state.job.record)
    assert record
    code = fingerprint.of_job(state.job.kind, state.job.settings)
    content = record | {"code": code, "revalidated": [*record.get("revalidated", []), dict(stamp)]}
    files.write_text(state.job.record, json.dumps(content, indent=1, sort_keys=True) + "\n")
