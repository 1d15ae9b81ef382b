"""Inception's weights, or the reason why they are not there."""

from sagan_div import files, mirror, terminal
from sagan_div.errors import UserError
from sagan_div.evaluation.spaces.weights import LACKING, WEIGHTS, fetch_weights, places
from sagan_div.phases.machine import About, Machine
from sagan_div.workflow.jobs import Job
from sagan_div.workflow.kinds import WITHOUT_INCEPTION
from sagan_div.workflow.layout import Layout


def work(job: Job, machine: Machine) -> About:
    """Fetch Inception's weights, or leave an empty file where that is allowed: the rest can go on without.

    A record of failure has under `lacks` where to look for them: another mirror, or the file itself, is a reason to try again.
    """
    target, beside = job.outputs["weights"], Layout(job.layout.study).weights.parent
    place = mirror.chosen(machine.mirror)
    try:
        fetch_weights(target, beside, machine.mirror, terminal.note)
    except UserError as error:
        if not machine.optional:
            raise UserError(f"{error}; {WITHOUT_INCEPTION}=1 goes on without its scores") from None
        files.write_bytes(target, b"")
        terminal.note(f"Inception's scores will be reported as not measured: {error}; then run it again")
        return {"why": LACKING, "lacks": list(places(WEIGHTS.name)), "asked": place.digest if place else None}
    terminal.note(f"{target}: is whole")
    return {}
