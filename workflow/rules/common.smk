"""The study, and what every rule asks of it. Jobs, paths and settings are declared in sagan_div.workflow."""

import os
import re
import signal
import sys
import threading
from pathlib import Path


def interrupt(*_):
    print("snakemake: interrupted", file=sys.stderr)
    sys.exit(130)


if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGINT, interrupt)  # no traceback from the imports below


def searchable(folder):
    """A folder as PATH and PYTHONPATH can hold it: a colon would make two of it, so from here where here has one too."""
    found = os.path.relpath(folder) if os.pathsep in str(folder) else str(folder)
    if os.pathsep in found:
        print(
            f"snakemake: {found}: PATH cannot hold a folder with a colon; rename it",
            file=sys.stderr,
        )
        sys.exit(2)
    return found


HOME = Path(str(workflow.current_basedir)).parents[1]
SOURCE = (
    HOME / "src"
)  # the package of this very checkout; where there is none, the installed one is used
if SOURCE.is_dir():
    sys.path.insert(0, str(SOURCE))
    os.environ.update(PYTHONPATH=searchable(SOURCE))  # for `sagan-div` in jobs
os.environ.update(
    PATH=os.pathsep.join(
        [searchable(Path(sys.executable).parent), os.getenv("PATH", "")]
    )
)

from sagan_div.report.report import outputs as report_outputs
from sagan_div.workflow.rules import Rules

RULES = Rules(workflow, config, HOME, report_outputs)
reads, writes, settings, root, made_by = (
    RULES.reads,
    RULES.writes,
    RULES.settings,
    RULES.root,
    RULES.made_by,
)
CELL = ("{dataset}", "{method}", "seed{seed}")


def names(values):
    """A regular expression for a wildcard: one of these."""
    return "|".join(re.escape(str(value)) for value in values)


wildcard_constraints:
    dataset=names(dataset.name for dataset in RULES.study.datasets),
    method=names(RULES.study.methods),
    seed=names(RULES.study.seeds),
    extractor=names(RULES.study.score.spaces),


def page(name, path):
    """A file of the report, with caption and category where Snakemake's own report shows it."""
    if path.suffix == ".html":
        return report(str(path), caption="../report/page.rst", category="Report")
    if path.suffix == ".png":
        return report(
            str(path),
            caption="../report/figure.rst",
            category="Figures",
            labels={"figure": path.stem},
        )
    if path.suffix == ".csv" and path.parent.name == "tables":
        return report(
            str(path),
            caption="../report/table.rst",
            category="Tables",
            labels={"table": path.stem},
        )
    return str(path)
