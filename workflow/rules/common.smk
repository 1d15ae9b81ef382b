"""The study, and what every rule asks of it. All knowledge of jobs, paths and settings is in sagan_div.workflow.plan."""

import functools
import os
import re
import sys
from pathlib import Path

# the package of this very checkout, also in a second clone or in DVC's temporary ones
sys.path.insert(0, str(Path("src").resolve()))

from sagan_div.settings import canonical
from sagan_div.study.load import load
from sagan_div.workflow import plan
from sagan_div.report import report as report_room
from sagan_div.errors import UserError

os.environ.update(
    PATH=os.pathsep.join([str(Path(sys.executable).parent), os.getenv("PATH", "")]),
    PYTHONPATH=str(Path("src").resolve()),
)  # for `sagan-div`

try:
    # Snakemake's own reader takes 010 for 8: its files are read again, and only what --config says is taken from it
    STUDY = load(
        Path("params.yaml"),
        workflow.overwrite_configfiles,
        layer=workflow.config_settings.config,
    )
    plan.refuse_blind_spots(STUDY)
except UserError as error:
    print(f"snakemake: {error}", file=sys.stderr)
    sys.exit(2)

LAYOUT = plan.Layout(STUDY.study)
LOGS = f"logs/{STUDY.study}"
RUNTIMES = f"logs/{STUDY.study}/runtimes"


def names(values):
    """A regular expression for a wildcard: one of these."""
    return "|".join(re.escape(str(value)) for value in values)


wildcard_constraints:
    dataset=names(dataset.name for dataset in STUDY.datasets),
    method=names(STUDY.methods),
    seed=names(STUDY.seeds),
    extractor=names(STUDY.score.extractors),


def reads(kind, extractors=()):
    """The inputs of a kind of job by name, its source files among them."""
    inputs, _, _ = plan.patterns(kind, LAYOUT, extractors)
    return {name: str(path) for name, path in inputs.items()} | {
        "code": plan.code(kind)
    }


def writes(kind):
    """The outputs of a kind of job by name, its record among them."""
    _, outputs, record = plan.patterns(kind, LAYOUT)
    return {name: str(path) for name, path in outputs.items()} | {"record": str(record)}


@functools.cache
def misfits():
    """The records that do not fit the study."""
    found = {str(record) for record in plan.stale(STUDY)}
    if plan.stale_report(STUDY, report_room.outputs(STUDY, LAYOUT)):
        found.add(writes("report")["record"])
    return found


def afresh(kind):
    """No input, but a word to Snakemake: a job whose record does not fit the study runs, whatever Snakemake remembers of it."""

    def force(wildcards):
        record = writes(kind)["record"].format(**wildcards)
        if workflow.is_main_process and record in misfits():
            workflow.dag.forcefiles.add(record)
        return []

    return force


def told(kind):
    """The settings that a job is told, as one line of canonical JSON: equal settings are equal text."""

    def settings(wildcards):
        return canonical(plan.settings(STUDY, kind, **wildcards))

    return settings


def made_by(phase):
    """All that the jobs of a phase leave behind."""
    return [
        str(path)
        for job in plan.jobs(STUDY, phase)
        for path in (*job.outputs.values(), job.record)
    ]


def work(wildcards):
    """Slow methods first, so that the last minutes of a phase do not wait for one of them: those with more to differentiate."""
    method = STUDY.methods[wildcards.method]
    return 10 * (method.loss.name == "wasserstein-divergence") + 5 * (
        method.generator.attention != "none"
    )


def reference_inputs(wildcards):
    """Statistics in a feature space need that space's network only."""
    return reads("reference", [wildcards.extractor])


def floor_inputs(wildcards):
    return reads("floor", [wildcards.extractor])


def page(name):
    """A file of the report, with caption and category where Snakemake's own report shall show it."""
    path = str(report_room.outputs(STUDY, LAYOUT)[name])
    if path.endswith(".html"):
        return report(path, caption="../report/page.rst", category="Report")
    if path.endswith(".png"):
        return report(
            path,
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": Path(path).stem},
        )
    if path.endswith(".csv") and "/tables/" in path:
        return report(
            path,
            caption="../report/table.rst",
            category="Tables",
            labels={"table": Path(path).stem},
        )
    return path
