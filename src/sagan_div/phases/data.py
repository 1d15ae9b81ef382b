"""A dataset: fetched, verified, decoded."""

from pathlib import Path

from sagan_div import files, terminal
from sagan_div.data import images, sources
from sagan_div.errors import UserError
from sagan_div.phases.machine import About, Machine
from sagan_div.study.job_settings import DataSettings
from sagan_div.workflow.jobs import Job


def work(job: Job, machine: Machine) -> About:
    """Fetch, verify and decode a dataset. Raises UserError for a folder whose files are not those that the job is about."""
    settings = job.settings
    assert isinstance(settings, DataSettings)
    _refuse_other_contents(settings)
    splits = sources.load(settings.dataset, machine.mirror, terminal.note)
    for name, split in splits.items():
        images.save(split, job.outputs[f"{name}_images"], job.outputs[f"{name}_labels"])
    _refuse_other_contents(settings)
    return {"images": {name: list(split.images.shape) for name, split in splits.items()}}


def _refuse_other_contents(settings: DataSettings) -> None:
    folder = settings.dataset.folder
    if folder is not None and files.digest(Path(folder)) != settings.contents:
        raise UserError(f"{folder}: its files changed after the job was planned; run it again")
