"""What the rules ask: inputs, outputs, settings and staleness of jobs, in Snakemake's own terms."""

import gc
import json
import os
import shlex
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, NoReturn

from sagan_div.errors import UserError
from sagan_div.losses.loss import Loss
from sagan_div.settings import canonical
from sagan_div.study.load import load, under_its_name, whole
from sagan_div.study.schema import Study
from sagan_div.workflow import advice, cost, fingerprint, prune, resources
from sagan_div.workflow import snakemake_internals as internals
from sagan_div.workflow import snakemake_storage as storing
from sagan_div.workflow.bucket import Bucket
from sagan_div.workflow.jobs import Job, is_part, jobs, planned, refused_report
from sagan_div.workflow.kinds import KINDS, REPORT
from sagan_div.workflow.layout import Layout, filled
from sagan_div.workflow.records import Record
from sagan_div.workflow.resources import device
from sagan_div.workflow.staleness import State, may_be_had, recorded_digests, require, survey, survey_report
from sagan_div.workflow.store import HERE, Store
from sagan_div.workflow.watch import Watch

STATE = "SAGAN_DIV_STATE"  # in the environment: where trainings keep their saved state as well
ALLOCATIONS = 200_000  # between two looks for garbage, which take a quarter of a plan that keeps all it makes
ReportOutputs = Callable[[Study, Layout], dict[str, Path]]


class Rules:
    """The rules of one study: params.yaml of the working folder, or the workflow's own, and what is laid over it."""

    def __init__(self, workflow: Any, config: Mapping[str, Any], home: Path, report_outputs: ReportOutputs) -> None:
        """Ends the process with one line for an error in the study, and for a report on results that do not fit."""
        fingerprint.snapshot()
        gc.set_threshold(ALLOCATIONS)
        self._workflow = workflow
        os.environ |= internals.storage_variables(workflow)  # for jobs on this machine, which keep their state there
        try:
            self.study, whole = _studies(workflow, config, home)
            self.is_part = is_part(self.study, whole)
            self.layout = Layout(self.study.study)
            self.page = report_outputs(self.study, self.layout)
            if internals.is_main(workflow):
                prune.refuse_images_that_are_away(self.study)
                internals.listen(workflow, Watch(self._expected))
            if internals.writes_report():
                require(self.study, self.page, self._store)
        except UserError as error:
            self._end(error)

    def reads(self, kind: str) -> Callable[[Any], dict[str, Any]]:
        """The input function of a kind of job, by name. A job that is due is made to run; dates have no part in it."""

        def inputs(wildcards: Any) -> dict[str, Any]:
            job = self._job(kind, wildcards)
            self._run_if_due(job.record)
            return {name: self._input(path) for name, path in job.inputs.items()}

        return inputs

    def root(self, kind: str) -> Callable[[Any, Any], str]:
        """The folder in which a job has its files: the working folder, or that of copies of what is in a bucket."""
        record = KINDS[kind].record(self.layout)
        return lambda wildcards, output: str(storing.root_of(str(output.record), filled(record, **wildcards)))

    def writes(self, kind: str) -> dict[str, str]:
        """The outputs of a kind of job by name, its record among them, with wildcards in braces."""
        paths = KINDS[kind].outputs(self.layout) | {"record": KINDS[kind].record(self.layout)}
        return {name: str(path) for name, path in paths.items()}

    def settings(self, kind: str) -> Callable[[Any], str]:
        """What a job is given, as one line of canonical JSON: equal settings are equal text."""
        return lambda wildcards: canonical(self._job(kind, wildcards).settings)

    def state(self, wildcards: Any, resources: Mapping[str, Any]) -> str:
        """The option by which a training keeps its saved state where the profile's resource `state`, or the environment, says.

        Nodes that share no disk know the resource alone.
        """
        place = str(resources.get("state") or os.environ.get(STATE, ""))
        return shlex.join(["--state", place]) if place else ""

    def asks(self, kind: str, *runtime: str) -> dict[str, Any]:
        """The resources of a kind of job by name, of which `runtime` tells what such jobs took."""
        return resources.asks(self._workflow, KINDS[kind], self.layout, Path(self.runtime(*runtime)))

    def device(self, wildcards: Any, resources: Mapping[str, Any]) -> str:
        """What a job is told to compute on."""
        return device(resources, internals.is_on_node(self._workflow))

    def everything(self) -> list[str]:
        """What the study comes to: its report. A part of a study leaves the whole one's report alone, and ends with scores."""
        return self.made_by("score") if self.is_part else [str(path) for path in self.page.values()]

    def made_by(self, phase: str) -> list[str]:
        """All that the jobs of a phase leave behind."""
        return [str(path) for job in jobs(self.study, phase) for path in job.files]

    def gathered(self, wildcards: Any) -> list[Any]:
        """What the report reads: all that the jobs of all phases leave behind. Ends the process for a part of a study."""
        if self.is_part:
            self._end(refused_report(self.study))
        self._run_if_due(REPORT.record(self.layout))
        return [self._own(path) for job in jobs(self.study) for path in job.files]

    def log(self, phase: str, *parts: str) -> str:
        """The log of a job, e.g. logs/main/train/{dataset}/{method}/seed{seed}.log."""
        return str(self.layout.logs.joinpath(phase, *parts)) + ".log"

    def runtime(self, *parts: str) -> str:
        """Where Snakemake notes time and memory of a job."""
        return str(self.layout.logs.joinpath("runtimes", *parts)) + ".jsonl"

    def priority(self, wildcards: Any) -> int:
        """Methods with more to differentiate first, so that the last minutes of a phase do not wait for one of them."""
        method = self.study.methods[wildcards.method]
        return 10 * (type(method.loss).penalty is not Loss.penalty) + 5 * (method.generator.attention != "none")

    def _expected(self, counts: Mapping[str, int]) -> str:
        """At the end of a dry run: what is to be made, and how long that takes."""
        if not self._workflow.dryrun:
            return ""
        kinds = {kind.rule: kind.name for kind in KINDS.values() if kind is not REPORT}
        due = {kinds[rule]: count for rule, count in counts.items() if rule in kinds}
        time = cost.expected(self.layout, due, self._store)
        return f"{sum(due.values())} jobs to do: {time}" if due and time else ""

    def _job(self, kind: str, wildcards: Any) -> Job:
        words = kind, *(str(wildcards[name]) for name in KINDS[kind].wildcards)
        return self._jobs.get(words) or planned(self.study, KINDS[kind], dict(wildcards.items()))  # asked for beside the study

    @cached_property
    def _jobs(self) -> dict[tuple[str, ...], Job]:
        """The study's jobs by kind and wildcards."""
        return {tuple(each.words): each for each in jobs(self.study)}

    def _run_if_due(self, record: Path) -> None:
        if record in self._due:
            internals.force(self._workflow, str(record))

    def _input(self, path: Path) -> Any:
        """What a job reads. Ends the process for a file of the user's that jobs elsewhere lack."""
        if not self.layout.holds(path):
            if storing.nodes_share_nothing(self._workflow):
                self._end(UserError(f"{path}: is not on the nodes; use a profile whose nodes share this folder"))
            return storing.of_the_user(path)
        return self._own(path)

    def _own(self, path: Path) -> Any:
        """A file whose date has no effect, unless it is about to be made again: that takes along what is made from it."""
        return str(path) if path in self._due else internals.dateless(path)

    @cached_property
    def _store(self) -> Store:
        """Where the study's files lie: in the working folder, or in the default storage of a profile."""
        storage = storing.storage(self._workflow)
        return Bucket(storage, self.layout.folders) if storage else HERE

    @cached_property
    def _due(self) -> frozenset[Path]:
        """All files of jobs that have to run, as far as this process is the one that plans."""
        if not internals.is_main(self._workflow):
            return frozenset()
        internals.let_records_alone_decide(self._workflow)
        try:
            states = survey(self.study, forced=self._is_forced, store=self._store)
            self._store.prepare(_digests(states))
            due = {path for state in states if state.due for path in state.job.files}
            report = survey_report(self.study, self.page, bool(due), self._store)
        except UserError as error:  # Snakemake would show a traceback of its plan
            self._end(error)
        return frozenset(due | (set(report.job.files) if report.due else set()))

    def _end(self, error: UserError) -> NoReturn:
        given = [f"{name}={json.dumps(value, default=str)}" for name, value in internals.command_line(self._workflow).items()]
        said = advice.for_study(str(error), overlays=internals.overlays(self._workflow), sets=given)
        print(f"snakemake: {said}", file=sys.stderr)
        sys.exit(2)

    def _is_forced(self, job: Job, record: Record | None) -> bool:
        return may_be_had(job, record) or internals.is_forced(self._workflow, job.kind.rule, {str(path) for path in job.files})


def _digests(states: Iterable[State]) -> dict[Path, str | None]:
    """All files of jobs, with their digests as recorded; a record's own is not."""
    digests: dict[Path, str | None] = {path: None for state in states for path in state.job.files}
    return digests | recorded_digests((state.job, state.record) for state in states)


def _studies(workflow: Any, config: Mapping[str, Any], home: Path) -> tuple[Study, Study]:
    """The study that Snakemake's words and files name, and the whole one under its name.

    A module's caller hands over a whole study, or what differs from the workflow's own.
    """
    if internals.is_module(workflow) and "methods" in config and set(config) >= set(Study.model_fields):
        return (whole(config),) * 2
    here = Path("params.yaml")
    params = here if here.is_file() else home / here
    if internals.is_module(workflow):
        return (load(params, layer=config),) * 2
    overlays = internals.overlays(workflow)
    return load(params, overlays, layer=internals.command_line(workflow)), under_its_name(params, overlays)
