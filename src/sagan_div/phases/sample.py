"""The study's samples of one cell."""

import torch

from sagan_div.data.pictures import grid, save_picture
from sagan_div.data.samples import save_samples
from sagan_div.errors import UserError
from sagan_div.models import sampling
from sagan_div.phases.machine import About, Machine
from sagan_div.study.job_settings import SampleSettings
from sagan_div.workflow.jobs import Job

GRID = 64  # samples in the picture


def work(job: Job, machine: Machine) -> About:
    """Draw the study's samples from the kept generator, or say why there is none: training diverged before it was rated."""
    settings = job.settings
    assert isinstance(settings, SampleSettings)
    name, why = sampling.standing(job.inputs, settings.sample.select)
    if why is not None:
        save_samples(job.outputs["samples"], torch.empty(0, 1, 1, 1, dtype=torch.uint8), why)
        save_picture(job.outputs["grid"], grid(torch.full((GRID, 1, 1, 1), 255, dtype=torch.uint8), columns=8))
        return {"why": why}
    path = job.inputs[name]
    generator, shape, trained = sampling.load_generator(path, machine.device)
    if (trained.dataset, trained.method, trained.seed) != (settings.dataset, settings.method, settings.seed):
        raise UserError(f"{path}: belongs to {trained.dataset} {trained.method} seed {trained.seed}; train this cell again")
    images = sampling.draw(generator, shape.latent, settings.sample.count, settings.sample.batch_size, settings.seed, "sample")
    save_samples(job.outputs["samples"], images)
    save_picture(job.outputs["grid"], grid(images[:GRID], columns=8))
    return {"drawn_from": name}
