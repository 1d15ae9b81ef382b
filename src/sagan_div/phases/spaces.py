"""Feature spaces as the jobs use them: which network, which images."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from torch import Tensor

from sagan_div.data.images import parts, read_images, shuffled
from sagan_div.errors import UserError
from sagan_div.evaluation import author_sampler
from sagan_div.evaluation.spaces.classifier import classifier_extractor
from sagan_div.evaluation.spaces.extractor import Extractor, extract
from sagan_div.evaluation.spaces.inception import inception_extractor
from sagan_div.evaluation.spaces.torchscript import torchscript_extractor
from sagan_div.evaluation.spaces.weights import why_none
from sagan_div.phases.machine import Machine
from sagan_div.study import schema
from sagan_div.study.job_settings import RealVsRealSettings, ReferenceSettings
from sagan_div.study.schema import Mode
from sagan_div.workflow.jobs import Job


def extractor(chosen: schema.Extractor, job: Job, machine: Machine, mode: Mode = "fast") -> Extractor | str:
    """The feature extractor that is chosen, or why it is not there; `mode` matters to Inception alone."""
    if isinstance(chosen, schema.TorchScriptConfig):
        return torchscript_extractor(chosen, machine.device)
    if chosen == "classifier":
        return classifier_extractor(job.inputs["classifier"], machine.device)
    weights = job.inputs["weights"]
    return why_none(weights) or inception_extractor(weights, machine.device, mode)


def real(path: Path, size: int, count: int) -> Tensor:
    """`count` real images at the study's size: the first of a seeded permutation, or all."""
    images = read_images(path, size)
    return images[shuffled(len(images))[:count]]


class Training(NamedTuple):
    """The training images that scores may use, in random order: none of those that rate generators."""

    images: Tensor  # uint8 [N, C, S, S] at the study's size
    places: Tensor  # in their file, int64 [N]


def training(job: Job, settings: ReferenceSettings | RealVsRealSettings) -> Training:
    """Raises UserError where ratings leave none."""
    images = read_images(job.inputs["train_images"], settings.image_size)
    try:
        places = parts(len(images), settings.rating_count).scores
    except UserError as error:
        raise UserError(f"{settings.dataset}: {error}") from None
    return Training(images[places], places)


def stretched(extractor: Extractor, images: Tensor, counts: Sequence[int]) -> np.ndarray:
    """Features of as many images as the author's sampler could want, each stretched to the full range of grey."""
    return extract(extractor, author_sampler.stretched(images[: max(counts, default=0)]))
