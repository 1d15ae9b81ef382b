"""The report of a study."""

from sagan_div import terminal
from sagan_div.phases.machine import About, Machine
from sagan_div.report import report
from sagan_div.study.schema import Study
from sagan_div.workflow import cost
from sagan_div.workflow.jobs import Job
from sagan_div.workflow.staleness import require
from sagan_div.workflow.store import copies


def work(job: Job, machine: Machine) -> About:
    """Write every file of the report. Raises UserError where something of the study does not fit."""
    study = job.settings
    assert isinstance(study, Study)
    store = copies(job.layout.root)
    require(study, store=store)
    print(report.write(study, job.layout, terminal.note))
    return {cost.TOOK: cost.took(study, store)}
