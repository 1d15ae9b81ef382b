"""A dataset: fetched, verified, decoded."""

from sagan_div import terminal
from sagan_div.data import datasets
from sagan_div.phases.machine import About, Machine
from sagan_div.workflow.plan import Job


def work(job: Job, machine: Machine) -> About:
    """Fetch, verify and decode a dataset."""
    splits = datasets.load(job.settings.dataset, machine.mirror, terminal.note)  # type: ignore[union-attr,arg-type]
    for name, split in splits.items():
        datasets.save(split, job.outputs[f"{name}_images"], job.outputs[f"{name}_labels"])
    return {"images": {name: list(split.images.shape) for name, split in splits.items()}}
