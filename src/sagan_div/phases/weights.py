"""Inception's weights, or the reason why they are not there."""

import json

from sagan_div import files, terminal
from sagan_div.errors import UserError
from sagan_div.evaluation.spaces.weights import fetch_weights
from sagan_div.phases.machine import About, Machine
from sagan_div.workflow.jobs import Job


def work(job: Job, machine: Machine) -> About:
    """Fetch Inception's weights, or record why they are not there where that is allowed: the rest can go on without."""
    marker = job.outputs["weights"]
    try:
        path = fetch_weights(marker.parent, machine.mirror, terminal.note)
        found = {"file": path.name, "sha256": files.sha256(path)}
    except UserError as error:
        if not machine.optional:
            raise
        found = {"why": str(error)}
        terminal.note(f"Inception's scores will be reported as not measured: {error}")
    files.write_text(marker, json.dumps(found, indent=1) + "\n")
    return found
