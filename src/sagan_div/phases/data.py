"""A dataset: fetched, verified, decoded."""

from sagan_div import contents, terminal
from sagan_div.data import images, sources
from sagan_div.data.images import Split
from sagan_div.errors import UserError
from sagan_div.phases.machine import About, Machine
from sagan_div.study.job_settings import DataSettings
from sagan_div.workflow.jobs import Job


def work(job: Job, machine: Machine) -> About:
    """Fetch, verify and decode a dataset, and say what was found.

    Raises UserError for a folder whose files are not those that the job is about.
    """
    settings = job.settings
    assert isinstance(settings, DataSettings)
    _refuse_other_contents(settings)
    splits, lines, about = sources.read(settings.dataset, machine.mirror, terminal.note)
    for name, split in splits.items():
        images.save(split, job.outputs[f"{name}_images"], job.outputs[f"{name}_labels"])
    _refuse_other_contents(settings)
    for line in (_shape(splits), *lines):
        terminal.note(f"{settings.dataset.name}: {line}")
    return {"images": {name: list(split.images.shape) for name, split in splits.items()}, **about}


def _shape(splits: dict[str, Split]) -> str:
    train, test = (splits[name].images for name in ("train", "test"))
    _, channels, height, width = train.shape
    colours = "grey" if channels == 1 else "colour"
    return f"{len(train):,} training and {len(test):,} test images, {colours}, {width}x{height} pixels"


def _refuse_other_contents(settings: DataSettings) -> None:
    folder = settings.dataset.folder
    if folder is not None and contents.digest(folder.place) != settings.contents:
        raise UserError(f"{folder.path}: its files changed after the job was planned; run it again")
