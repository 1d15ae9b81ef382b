"""The domain classifier of a dataset."""

from typing import Any

from sagan_div import terminal
from sagan_div.data.images import read_images, read_labels
from sagan_div.evaluation.spaces.classifier import TURNS, save_classifier
from sagan_div.evaluation.spaces.classifier_training import train_classifier
from sagan_div.phases.machine import About, Machine
from sagan_div.study.job_settings import ClassifierSettings
from sagan_div.workflow.jobs import Job


def work(job: Job, machine: Machine) -> About:
    """Train the domain classifier on the training split at the study's size, and test it on the other."""
    settings = job.settings
    assert isinstance(settings, ClassifierSettings)
    train, test = (
        (read_images(job.inputs[f"{split}_images"], settings.image_size), read_labels(job.inputs[f"{split}_labels"]))
        for split in ("train", "test")
    )
    network, accuracy = train_classifier(*train, *test, settings.classifier, machine.device, terminal.note)
    about: dict[str, Any] = {"dataset": settings.dataset}
    if accuracy is not None:
        about["accuracy"] = round(accuracy, 6)
    if train[1] is None:
        about["labels"] = TURNS
    save_classifier(job.outputs["classifier"], network, about)
    return {"accuracy": accuracy}
