"""The domain classifier of a dataset."""

from sagan_div import terminal
from sagan_div.data import datasets
from sagan_div.evaluation import features
from sagan_div.phases.machine import About, Machine
from sagan_div.study.job_settings import ClassifierSettings
from sagan_div.workflow import plan
from sagan_div.workflow.plan import Job


def work(job: Job, machine: Machine) -> About:
    """Train the domain classifier on the training split at the study's size."""
    settings = job.settings
    assert isinstance(settings, ClassifierSettings)
    read = {
        split: (
            datasets.read_images(job.inputs[f"{split}_images"], settings.image_size),
            datasets.read_labels(job.inputs[f"{split}_labels"]),
        )
        for split in plan.SPLITS
    }
    network, accuracy = features.train_classifier(
        *read["train"], *read["test"], settings.classifier, machine.device, terminal.note
    )
    features.save_classifier(job.outputs["classifier"], network, {"dataset": settings.dataset, "accuracy": round(accuracy, 6)})
    return {"accuracy": accuracy}
