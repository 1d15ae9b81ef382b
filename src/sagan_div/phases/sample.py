"""The study's samples of one cell."""

from sagan_div.data.pictures import grid, save_picture
from sagan_div.data.samples import save_samples
from sagan_div.errors import UserError
from sagan_div.models import sampling
from sagan_div.phases.machine import About, Machine
from sagan_div.study.job_settings import SampleSettings
from sagan_div.workflow.jobs import Job


def work(job: Job, machine: Machine) -> About:
    """Draw the study's samples from the kept generator."""
    settings = job.settings
    assert isinstance(settings, SampleSettings)
    path = job.inputs[settings.sample.select]
    generator, shape, trained = sampling.load_generator(path, machine.device)
    if (trained.dataset, trained.method, trained.seed) != (settings.dataset, settings.method, settings.seed):
        raise UserError(f"{path}: belongs to {trained.dataset} {trained.method} seed {trained.seed}; train this cell again")
    images = sampling.draw(generator, shape.latent, settings.sample.count, settings.sample.batch_size, settings.seed, "sample")
    save_samples(job.outputs["samples"], images)
    save_picture(job.outputs["grid"], grid(images[:64], columns=8))
    return {}
