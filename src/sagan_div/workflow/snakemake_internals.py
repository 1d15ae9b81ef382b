"""What the workflow needs of Snakemake's inside, in one place: checked on 9.27.1 (tests/workflow/test_internals.py)."""

import logging
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Protocol

LOCKS = Path(".snakemake/locks")


def is_at_work() -> bool:
    """Whether Snakemake runs in this folder, or was killed there: its locks are files."""
    return LOCKS.is_dir() and any(LOCKS.iterdir())


def is_main(workflow: Any) -> bool:
    """Whether this is the process that plans, not one that Snakemake started for a job."""
    return bool(workflow.is_main_process)


def is_module(workflow: Any) -> bool:
    """Whether the rules were imported by the Snakefile of another project."""
    return workflow.modifier.namespace is not None


def overlays(workflow: Any) -> list[Path]:
    """The files named by --configfile. Snakemake reads them as YAML 1.1; we read them again as YAML 1.2."""
    return list(workflow.config_settings.configfiles)


def command_line(workflow: Any) -> Mapping[str, Any]:
    """What --config names."""
    return dict(workflow.config_settings.config)


def is_forced(workflow: Any, rule: str, outputs: set[str]) -> bool:
    """Whether --forcerun names a rule or one of its files. To be asked while the graph is built."""
    return not (outputs | {rule}).isdisjoint(map(str, workflow.dag_settings.forcerun))


def default_resources(workflow: Any) -> dict[str, Any]:
    """What --default-resources or a profile asks for in every rule, by name: numbers, or text as it was written.

    Snakemake's own guesses at memory and disk, from the size of inputs, are not in it.
    """
    from snakemake.resources import Resources

    guessed = _written(Resources.default("full"))
    named = _written(workflow.resource_settings._parsed_default_resources)
    return {name: value for name, value in named.items() if value != guessed.get(name)}


def set_resources(workflow: Any, rule: str) -> dict[str, Any]:
    """What --set-resources says of a rule."""
    return _written(workflow.resource_settings._parsed_overwrite_resources.get(rule, {}))


def _written(resources: Any) -> dict[str, Any]:
    return {name: resource.raw for name, resource in resources.items()}


def executor(workflow: Any) -> str | None:
    """The name of the executor that jobs are handed to; None as long as the rules are read."""
    return str(workflow.executor_plugin.name) if workflow.executor_plugin else None


def is_on_node(workflow: Any) -> bool:
    """Whether this is a job that a remote executor has started, on its node."""
    return bool(workflow.remote_exec)


def storage_variables(workflow: Any) -> dict[str, str]:
    """Addresses and keys of storage that a profile names, as variables: what Snakemake hands to jobs on other machines."""
    return dict(workflow.spawned_job_args_factory.get_storage_provider_envvars())


def let_records_alone_decide(workflow: Any) -> None:
    """Switch off Snakemake's own tests of params, code and input sets, whose memory does not travel with results.

    To be called while the graph is built: its settings come after the rules.
    """
    workflow.dag_settings.rerun_triggers = frozenset()


def force(workflow: Any, file: str) -> None:
    """Have the job that makes a file run, if it is part of the plan."""
    workflow.dag.forcefiles.add(workflow.modifier.path_modifier.apply_default_storage(file))


def writes_report() -> bool:
    """Whether Snakemake was started for its own report, which shows what lies there."""
    return any(word.partition("=")[0] in ("--report", "--reporter") for word in sys.argv)


def dateless(path: Path) -> Any:
    """An input whose date has no effect on which jobs run."""
    from snakemake.io import ancient

    return ancient(str(path))


class Listener(Protocol):
    """Who is told what Snakemake's log says of jobs, which it knows by number, and adds words to its lines."""

    def planned(self, jobs: Mapping[str, int]) -> None:
        """How many jobs of each rule there are, but for rules that only gather."""

    def started(self, number: int, rule: str, name: str) -> None: ...

    def finished(self, number: int) -> None: ...

    def failed(self, number: int, log: Path | None, status: str, said: str) -> bool:
        """Told of a shell command's exit `status` and of what an executor `said`; whether another try is in vain."""

    def interrupted(self) -> None: ...

    def after_starting(self, names: Sequence[str]) -> str: ...

    def after_finishing(self, number: int) -> str: ...

    def after_counting(self) -> str: ...


def listen(workflow: Any, listener: Listener) -> None:
    """Have a listener told of jobs as they start and end, whatever is quiet, and its words stand in Snakemake's lines."""
    from snakemake.logging import logger

    logger.addFilter(_Told(workflow, listener))
    for handler in logger.handlers:
        handler.setFormatter(_Followed(workflow, listener, handler.formatter or logging.Formatter()))


class _Told(logging.Filter):
    """Tells a listener, in the thread that logs, and lets everything pass."""

    def __init__(self, workflow: Any, listener: Listener) -> None:
        super().__init__()
        self._workflow, self._listener = workflow, listener
        self._errors: list[str] = []

    def filter(self, record: Any) -> bool:
        match getattr(record, "event", None):
            case "run_info":
                gather = {rule.name for rule in self._workflow.rules if rule.norun} | {"total"}
                self._listener.planned({rule: count for rule, count in record.stats.items() if rule not in gather})
            case "job_info":
                self._listener.started(record.jobid, record.rule_name, record.rule_msg or record.rule_name)
            case "job_finished":
                self._listener.finished(record.job_id)
            case "error":
                self._errors.append(record.getMessage())
            case "job_error":
                self._failed(record)
            case None if str(record.msg).startswith("Will exit after finishing currently running jobs"):  # SIGTERM
                self._listener.interrupted()
        return True

    def _failed(self, record: Any) -> None:
        job = _job(self._workflow, record.jobid)
        log = _log(job)
        ours = next((text for text in reversed(self._errors) if record.shellcmd and record.shellcmd in text), "")
        status = re.search(r"' (?:returned non-zero|died with) (.+?)\.?$", ours, re.MULTILINE)
        if self._listener.failed(record.jobid, log, status[1] if status else "", record.rule_msg or ""):
            job._attempt = max(job._attempt, job.restart_times + 1)  # the last try that Snakemake grants


class _Followed(logging.Formatter):
    """Another formatter's text, followed by a listener's words."""

    def __init__(self, workflow: Any, listener: Listener, inner: logging.Formatter) -> None:
        super().__init__()
        self._workflow, self._listener, self._inner = workflow, listener, inner

    def format(self, record: Any) -> str:
        text = self._inner.format(record)
        match getattr(record, "event", None):
            case "job_started":
                jobs = [_job(self._workflow, number) for number in record.jobs]
                return text + self._listener.after_starting([job.message or job.rule.name for job in jobs])
            case "job_finished":
                return text + self._listener.after_finishing(record.job_id)
            case "progress":
                return text + self._listener.after_counting()
            case "error":
                return re.sub(r"--settings '.*?'(?= )", "--settings …", text)  # kilobytes, which hide the rest
        return text


def _log(job: Any) -> Path | None:
    """A job's log, brought here where it is in storage."""
    if not job.log:
        return None
    path = Path(job.log[0])
    if job.log[0].is_storage and not path.exists():
        with suppress(Exception):  # a job that never began has none
            path.parent.mkdir(parents=True, exist_ok=True)
            job.log[0].storage_object.retrieve_object()
    return path


def _job(workflow: Any, number: int) -> Any:
    return next(job for job in workflow.dag.jobs if job.jobid == number)
