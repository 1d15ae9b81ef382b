"""One cell, trained."""

import copy
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from sagan_div import files, terminal
from sagan_div.data.images import read_images, shuffled
from sagan_div.evaluation.frechet import frechet_distance, moments
from sagan_div.evaluation.spaces.classifier import classifier_extractor
from sagan_div.evaluation.spaces.extractor import extract
from sagan_div.models import checkpoints, sampling
from sagan_div.models.networks import Generator
from sagan_div.phases.machine import About, Machine
from sagan_div.settings import plain
from sagan_div.study.job_settings import TrainSettings
from sagan_div.training import history, loop, tensorboard
from sagan_div.training.state import Run
from sagan_div.workflow.jobs import Job
from sagan_div.workflow.records import state_path

Judge = Callable[[Generator, str], float]  # the FID of a generator by latents of a purpose
DRAWS = 5  # of fresh latents for the generators at the end


def work(job: Job, machine: Machine) -> About:
    """Train one cell, continuing its saved state; rate the best and the last generator again at the end."""
    settings = job.settings
    assert isinstance(settings, TrainSettings)
    images = read_images(job.inputs["images"], settings.image_size)
    judge = _judge(settings, images, job.inputs["classifier"], machine.device)
    with terminal.bar(job.name, settings.train.images) as advance:
        folder = machine.tensorboard and Path(machine.tensorboard, *job.record.parent.parts[1:])
        finished = loop.train(
            settings,
            images,
            lambda generator: judge(generator, "rating"),
            state_path(job),
            machine.device,
            tensorboard.watched(_progress(job, advance), folder),
        )
    about = {"settings": plain(settings), "channels": finished.shape.channels}
    last = checkpoints.tensors_of(generator=finished.generator, critic=finished.critic)
    checkpoints.save(job.outputs["last"], last, about | {"images": finished.images})
    checkpoints.save(job.outputs["best"], finished.best_tensors, about | finished.best)
    files.write_text(job.outputs["history"], history.text(finished))
    return {
        "images_per_second": round(finished.images / finished.seconds, 1),
        "earlier_seconds": round(finished.earlier, 3),
        "best": finished.best,
        "images": finished.images,
        "rated_again": _rated_again(finished, judge),
    }


def _judge(settings: TrainSettings, images: Tensor, classifier: Path, device: torch.device) -> Judge:
    """FID in the classifier's space between real images and samples of latents that only the rating uses (A25)."""
    extractor = classifier_extractor(classifier, device)
    real = images[shuffled(len(images), settings.seed)[: settings.train.rating_count]]
    statistics = moments(extract(extractor, real, 250))

    def rate(generator: Generator, purpose: str) -> float:
        drawn = sampling.draw(generator, settings.latent, settings.train.rating_count, 250, settings.seed, purpose)
        return frechet_distance(moments(extract(extractor, drawn, 250)), statistics)

    return rate


def _rated_again(finished: Run, judge: Judge) -> dict[str, list[float]]:
    """Ratings of the best and of the last generator by fresh latents, a number per draw.

    The best one was chosen for its rating, by luck with those latents too; these have no part in the choice.
    """

    def draws(generator: Generator) -> list[float]:
        return [judge(generator, f"rated again {draw}") for draw in range(DRAWS)]

    last = draws(finished.generator)
    if finished.best["images"] == finished.images:
        return {"best": last, "last": last}
    best = copy.deepcopy(finished.generator)
    best.load_state_dict(checkpoints.part(finished.best_tensors, "generator"))
    return {"best": draws(best), "last": last}


def _progress(job: Job, advance: terminal.Advance) -> loop.Progress:
    """Losses on the bar after every cycle; where there is no terminal, a line for every rating."""
    noted = [0]

    def report(images: int, row: dict[str, float]) -> None:
        words = f"critic {row['loss_critic']:.3g}, generator {row['loss_generator']:.3g}" if row else ""
        advance(images, words)
        if row and row["fid"] == row["fid"] and row["images"] != noted[0]:
            noted[0] = int(row["images"])
            terminal.note(f"{job.name}: {noted[0]:,} images, {words}, FID {row['fid']:.3f} in the classifier's space")

    return report
