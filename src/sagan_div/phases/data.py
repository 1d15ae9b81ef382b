"""A dataset: fetched, verified, decoded."""

from sagan_div import terminal
from sagan_div.data import images, sources
from sagan_div.phases.machine import About, Machine
from sagan_div.study.job_settings import DataSettings
from sagan_div.workflow.plan import Job


def work(job: Job, machine: Machine) -> About:
    """Fetch, verify and decode a dataset."""
    settings = job.settings
    assert isinstance(settings, DataSettings)
    splits = sources.load(settings.dataset, machine.mirror, terminal.note)
    for name, split in splits.items():
        images.save(split, job.outputs[f"{name}_images"], job.outputs[f"{name}_labels"])
    return {"images": {name: list(split.images.shape) for name, split in splits.items()}}
