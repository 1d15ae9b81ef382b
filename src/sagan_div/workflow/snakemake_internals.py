"""What the workflow needs of Snakemake's inside, in one place: checked on 9.27.1 (tests/workflow/test_internals.py)."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

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


def let_records_alone_decide(workflow: Any) -> None:
    """Switch off Snakemake's own tests of params, code and input sets, whose memory does not travel with results.

    To be called while the graph is built: its settings come after the rules.
    """
    workflow.dag_settings.rerun_triggers = frozenset()


def force(workflow: Any, file: str) -> None:
    """Have the job that makes a file run, if it is part of the plan."""
    workflow.dag.forcefiles.add(file)


def writes_report() -> bool:
    """Whether Snakemake was started for its own report, which shows what lies there."""
    return any(word.partition("=")[0] in ("--report", "--reporter") for word in sys.argv)


def dateless(path: Path) -> Any:
    """An input whose date has no effect on which jobs run."""
    from snakemake.io import ancient

    return ancient(str(path))
