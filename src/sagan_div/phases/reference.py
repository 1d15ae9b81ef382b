"""Statistics of real images, and what else scores compare with."""

import numpy as np

from sagan_div.data.images import read_images, shuffled
from sagan_div.evaluation.arithmetic import MOMENTS
from sagan_div.evaluation.floor import bias, measured_bias
from sagan_div.evaluation.neighbours import nearest
from sagan_div.evaluation.spaces.extractor import Extractor, extract
from sagan_div.evaluation.statistics import NO_MOMENTS, save_statistics
from sagan_div.phases import spaces
from sagan_div.phases.machine import About, Machine
from sagan_div.study.job_settings import ReferenceSettings
from sagan_div.workflow.jobs import Job

TRAINING, HELD_OUT = 60_000, 10_000  # images of either split among which copies are sought, at most


def work(job: Job, machine: Machine) -> About:
    """Statistics of real images in a feature space; empty ones where Inception's weights are not there."""
    settings = job.settings
    assert isinstance(settings, ReferenceSettings)
    extractor = spaces.extractor(settings.extractor, job, machine, settings.mode)
    if isinstance(extractor, str):
        save_statistics(job.outputs["statistics"], NO_MOMENTS)
        return {"why": extractor}
    split, count = settings.reference.split, settings.reference.count
    images = spaces.real(job.inputs[f"{split}_images"], settings.image_size, count)
    found = extract(extractor, images)
    statistics = MOMENTS[settings.mode](found, extractor.identity)
    beside = {
        "features": found,
        "stretched": spaces.stretched(extractor, images, settings.repeat_last_batch),
        "split": np.array(split),
        "bias": np.array([bias(statistics.covariance), measured_bias(found)]),
    }
    if settings.extractor == "classifier":
        beside |= _neighbourhood(job, settings.image_size, extractor)
    save_statistics(job.outputs["statistics"], statistics, **beside)
    return {"count": len(images), "split": split}


def _neighbourhood(job: Job, size: int, extractor: Extractor) -> dict[str, np.ndarray]:
    """Features of training images with their places in the file, and how near held-out images are to them."""
    training = read_images(job.inputs["train_images"], size)
    places = shuffled(len(training))[:TRAINING]
    found = extract(extractor, training[places], 500)
    held_out = extract(extractor, spaces.real(job.inputs["test_images"], size, HELD_OUT), 500)
    return {"training": found, "training_places": places.numpy(), "held_out": nearest(held_out, found).distances}
