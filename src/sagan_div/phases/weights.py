"""Inception's weights, or the reason why they are not there."""

import json

from sagan_div import files, mirror, terminal
from sagan_div.errors import UserError
from sagan_div.evaluation.spaces.weights import WEIGHTS, fetch_weights, places
from sagan_div.phases.machine import About, Machine
from sagan_div.workflow.jobs import Job

WHY = "Inception's weights could not be fetched"  # without the cause, which names places of this machine


def work(job: Job, machine: Machine) -> About:
    """Fetch Inception's weights, or record that they are not there where that is allowed: the rest can go on without.

    A record of failure has under `lacks` where to look for them: another mirror, or the file itself, is a reason to try again.
    """
    marker = job.outputs["weights"]
    place = mirror.chosen(machine.mirror)
    about: About = {}
    try:
        path = fetch_weights(marker.parent, machine.mirror, terminal.note)
        found = about = {"file": path.name, "sha256": files.sha256(path)}
        terminal.note(f"{path}: is whole")
    except UserError as error:
        if not machine.optional:
            raise
        found = {"why": WHY}
        about = found | {"lacks": list(places(WEIGHTS.name)), "asked": place.digest if place else None}
        terminal.note(f"Inception's scores will be reported as not measured: {error}; then run it again")
    files.write_text(marker, json.dumps(found, indent=1) + "\n")
    return about
