"""Statistics of real images, and what else scores compare with."""

import numpy as np
from torch import Tensor

from sagan_div.errors import UserError
from sagan_div.evaluation.arithmetic import MOMENTS
from sagan_div.evaluation.contrast import plain_grey, spread
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
    training = spaces.training(job, settings)
    images = _real(job, settings, training.images)
    found = extract(extractor, images)
    statistics = MOMENTS[settings.mode](found, extractor.identity)
    beside = {
        "features": found,
        "stretched": spaces.stretched(extractor, images, settings.repeat_last_batch),
        "split": np.array(settings.reference.split),
        "bias": np.array([bias(statistics.covariance), measured_bias(found)]),
        "pixels": np.array(spread(images)),
        "grey": extract(extractor, plain_grey(images)),
    }
    if settings.extractor == "classifier":
        beside |= _neighbourhood(job, settings.image_size, training, extractor)
    save_statistics(job.outputs["statistics"], statistics, **beside)
    return {"count": len(images), "split": settings.reference.split}


def _real(job: Job, settings: ReferenceSettings, training: Tensor) -> Tensor:
    """The images to compare with. Raises UserError where a split has too few, the training one beside those that rate."""
    count = settings.reference.count
    if settings.reference.split == "test":
        test = spaces.real(job.inputs["test_images"], settings.image_size, count)
        if len(test) < count:
            raise UserError(
                f"{settings.dataset}: {len(test):,} test images are too few for score.reference.count ({count:,}); "
                "lower it, or compare with training images by score.reference.split: train"
            )
        return test
    if count > len(training):
        raise UserError(
            f"{settings.dataset}: {len(training) + settings.rating_count:,} training images are too few for "
            f"train.rating_count ({settings.rating_count:,}) and score.reference.count ({count:,}), which share none; lower one"
        )
    return training[:count]


def _neighbourhood(job: Job, size: int, training: spaces.Training, extractor: Extractor) -> dict[str, np.ndarray]:
    """Features of training images with their places in the file, and how near held-out images are to them."""
    places = training.places[:TRAINING]
    found = extract(extractor, training.images[:TRAINING], 500)
    held_out = extract(extractor, spaces.real(job.inputs["test_images"], size, HELD_OUT), 500)
    return {"training": found, "training_places": places.numpy(), "held_out": nearest(held_out, found).distances}
