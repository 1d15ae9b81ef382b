"""What one job of each kind does: read its inputs, call the room that computes, write its outputs and its record."""

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from sagan_div import (
    checkpoints,
    datasets,
    emulation,
    features,
    files,
    floors,
    metrics,
    plan,
    provenance,
    sampling,
    terminal,
    training,
)
from sagan_div.config import plain
from sagan_div.errors import Mistake
from sagan_div.networks import Generator
from sagan_div.plan import Job

About = dict[str, Any]

DRAWS = 10  # of the author's sampler, at most: of few images a single one says little


@dataclass(frozen=True)
class Machine:
    """What a job runs on, and where it may fetch from. No result depends on it but for rounding, so no record compares it."""

    device: torch.device
    mirror: str | None = None
    optional: bool = False  # whether Inception's weights may be lacking


def run(job: Job, machine: Machine) -> None:
    """Do a job. Its record is removed first and written last, so that a half-done job can't pass for a done one."""
    lacking = plan.missing(job)
    if lacking:
        raise Mistake(lacking)
    files.remove(job.record)
    started, clock = datetime.now(UTC), time.monotonic()
    about = WORK[job.kind](job, machine)
    surroundings = {
        "versions": provenance.versions(),
        "hardware": provenance.hardware(machine.device),
        "commit": provenance.commit(),
        "started": started.isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - clock, 3),
    }
    plan.record(job, surroundings | about)
    (job.scratch / "state.safetensors").unlink(missing_ok=True)


def data(job: Job, machine: Machine) -> About:
    """Fetch, verify and decode a dataset."""
    splits = datasets.load(job.settings.dataset, machine.mirror, terminal.note)  # type: ignore[union-attr,arg-type]
    for name, split in splits.items():
        datasets.save(split, job.outputs[f"{name}_images"], job.outputs[f"{name}_labels"])
    return {"images": {name: list(split.images.shape) for name, split in splits.items()}}


def weights(job: Job, machine: Machine) -> About:
    """Fetch Inception's weights, or leave word why they are not there where that is allowed: the rest can go on without."""
    marker = job.outputs["weights"]
    try:
        path = features.fetch_weights(marker.parent, machine.mirror, terminal.note)
        found = {"file": path.name, "sha256": files.sha256(path)}
    except Mistake as mistake:
        if not machine.optional:
            raise
        found = {"why": str(mistake)}
        terminal.note(f"Inception's scores will be reported as not measured: {mistake}")
    files.write_text(marker, json.dumps(found, indent=1) + "\n")
    return found


def classifier(job: Job, machine: Machine) -> About:
    """Train the domain classifier on the training split at the study's size."""
    settings = job.settings
    assert isinstance(settings, plan.ClassifierSettings)
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
    features.save_classifier(job.outputs["classifier"], network, {"dataset": settings.dataset, "accuracy": f"{accuracy:.6f}"})
    return {"accuracy": accuracy}


def reference(job: Job, machine: Machine) -> About:
    """Statistics of real images in a feature space; empty ones where Inception's weights are not there."""
    settings = job.settings
    assert isinstance(settings, plan.ReferenceSettings)
    extractor = _extractor(settings.extractor, job, machine)
    if isinstance(extractor, str):
        metrics.save_statistics(job.outputs["statistics"], metrics.Moments(0, np.empty(0), np.empty((0, 0))))
        return {"why": extractor}
    images = _real(job.inputs[f"{settings.reference.split}_images"], settings.image_size, settings.reference.count)
    found = features.extract(extractor, images)
    stretched = _stretched(extractor, images, settings.repeat_last_batch)
    statistics = metrics.moments(found, extractor.identity)
    metrics.save_statistics(job.outputs["statistics"], statistics, features=found, stretched=stretched)
    return {"count": len(images), "split": settings.reference.split}


def floor(job: Job, machine: Machine) -> About:
    """Real images against real ones, by either sampler: what a score near it can say of a model is nothing."""
    settings = job.settings
    assert isinstance(settings, plan.FloorSettings)
    extractor, found = _extractor(settings.extractor, job, machine), []
    if not isinstance(extractor, str):
        largest = max(settings.floor.counts)
        train = _real(job.inputs["train_images"], settings.image_size, 2 * largest)
        test = _real(job.inputs["test_images"], settings.image_size, largest)
        for sampler, drawn in floors.SAMPLERS.items():
            ours, others = (features.extract(extractor, drawn(images)) for images in (train, test))
            found += floors.floors(ours, others, settings.floor.counts, settings.floor.draws, sampler)
    files.write_text(job.outputs["floor"], json.dumps([each._asdict() for each in found], indent=1) + "\n")
    return {"why": extractor} if isinstance(extractor, str) else {}


def train(job: Job, machine: Machine) -> About:
    """Train one cell; a saved state of the same settings is continued."""
    settings = job.settings
    assert isinstance(settings, plan.TrainSettings)
    images = datasets.read_images(job.inputs["images"], settings.image_size)
    rate = _rating(settings, images, job.inputs["classifier"], machine.device)
    with terminal.bar(job.name, settings.train.images) as advance:
        finished, speed = training.train(
            settings, images, rate, job.scratch / "state.safetensors", machine.device, _progress(job, advance)
        )
    about = {"settings": plain(settings), "channels": finished.shape.channels}
    last = checkpoints.tensors_of(generator=finished.generator, critic=finished.critic)
    checkpoints.save(job.outputs["last"], last, about | {"images": finished.images})
    checkpoints.save(job.outputs["best"], finished.best_tensors, about | finished.best)
    table = pd.DataFrame(finished.history, columns=list(training.COLUMNS))
    files.write_text(job.outputs["history"], table.to_csv(index=False))
    return {"images_per_second": round(speed, 1), "best": finished.best, "images": finished.images}


def sample(job: Job, machine: Machine) -> About:
    """Draw the study's samples from the kept generator."""
    settings = job.settings
    assert isinstance(settings, plan.SampleSettings)
    path = job.inputs[settings.sample.select]
    generator, shape, trained = sampling.load_generator(path, machine.device)
    if (trained.dataset, trained.method, trained.seed) != (settings.dataset, settings.method, settings.seed):
        raise Mistake(f"{path}: belongs to {trained.dataset} {trained.method} seed {trained.seed}; train this cell again")
    images = sampling.draw(generator, shape.latent, settings.sample.count, settings.sample.batch_size, settings.seed, "sample")
    sampling.save_samples(job.outputs["samples"], images)
    sampling.save_picture(job.outputs["grid"], sampling.grid(images[:64], columns=8))
    return {}


def score(job: Job, machine: Machine) -> About:
    """All metrics of a cell in every feature space; a space whose network is not there gives its reason instead."""
    settings = job.settings
    assert isinstance(settings, plan.ScoreSettings)
    images = sampling.load_samples(job.inputs["samples"])
    found: dict[str, Any] = {}
    for name in settings.extractors:
        extractor = _extractor(name, job, machine)
        if isinstance(extractor, str):
            found[name] = {"fid": None, "why": extractor}
            continue
        statistics, drawn = job.inputs[f"{name}_statistics"], features.extract(extractor, images)
        reference = metrics.load_statistics(statistics)
        real = metrics.load_beside(statistics, "features")
        probabilities = extractor.probabilities(drawn)
        found[name] = {"count": len(images), "reference_count": len(real)}
        found[name] |= metrics.score(drawn, probabilities, real, reference, settings.metrics)
        found[name] |= _repeated(extractor, images, metrics.load_beside(statistics, "stretched"), settings.repeat_last_batch)
        if name == "classifier":
            found[name]["classes"] = metrics.class_histogram(probabilities)
    cell = {"dataset": settings.dataset, "method": settings.method, "seed": settings.seed}
    files.write_text(job.outputs["metrics"], json.dumps(cell | {"extractors": found}, indent=1, sort_keys=True) + "\n")
    return {}


WORK: dict[str, Callable[[Job, Machine], About]] = {
    "data": data,
    "weights": weights,
    "classifier": classifier,
    "reference": reference,
    "floor": floor,
    "train": train,
    "sample": sample,
    "score": score,
}


def _real(path: Path, size: int, count: int) -> Tensor:
    """`count` real images at the study's size: the first of a seeded permutation, or all."""
    images = datasets.read_images(path, size)
    return images[datasets.shuffled(len(images))[:count]]


def _stretched(extractor: features.Extractor, images: Tensor, counts: Sequence[int]) -> np.ndarray:
    """Features of as many images as the author's sampler could want, each stretched to the full range of grey."""
    return features.extract(extractor, emulation.stretched(images[: max(counts, default=0)]))


def _repeated(extractor: features.Extractor, images: Tensor, real: np.ndarray, counts: Sequence[int]) -> dict[str, float]:
    """FID by the author's sampler for each number of distinct images, with its spread over the draws that there are."""
    drawn = _stretched(extractor, images, counts)
    found: dict[str, float] = {}
    for count in counts:
        fids = floors.blockwise(real, drawn, count, DRAWS, "repeat-last-batch")
        if fids:
            spread = {"_std": float(np.std(fids, ddof=1))} if len(fids) > 1 else {}
            found |= {f"fid_repeated_{count}{end}": value for end, value in ({"": float(np.mean(fids))} | spread).items()}
    return found


def _extractor(name: str, job: Job, machine: Machine) -> features.Extractor | str:
    """The feature extractor of that name, or why it is not there."""
    if name == "classifier":
        return features.classifier_extractor(job.inputs["classifier"], machine.device)
    marker = job.inputs["weights"]
    found = json.loads(marker.read_text(encoding="utf-8"))
    return str(found["why"]) if "why" in found else features.inception_extractor(marker.parent / found["file"], machine.device)


def _rating(settings: plan.TrainSettings, images: Tensor, classifier: Path, device: torch.device) -> training.Rate:
    """FID in the classifier's space between real images and samples of latents that only the rating uses (A25)."""
    extractor = features.classifier_extractor(classifier, device)
    real = images[datasets.shuffled(len(images), settings.seed)[: settings.train.rating_count]]
    statistics = metrics.moments(features.extract(extractor, real, 250))

    def rate(generator: Generator) -> float:
        drawn = sampling.draw(generator, settings.latent, settings.train.rating_count, 250, settings.seed, "rating")
        return metrics.frechet_distance(metrics.moments(features.extract(extractor, drawn, 250)), statistics)

    return rate


def _progress(job: Job, advance: terminal.Advance) -> training.Progress:
    """Losses on the bar after every cycle; where there is no terminal, a line for every rating."""
    told = [0]

    def report(images: int, row: dict[str, float]) -> None:
        words = f"critic {row['loss_critic']:.3g}, generator {row['loss_generator']:.3g}" if row else ""
        advance(images, words)
        if row and row["fid"] == row["fid"] and row["images"] != told[0]:
            told[0] = int(row["images"])
            terminal.note(f"{job.name}: {told[0]:,} images, {words}, FID {row['fid']:.3f} in the classifier's space")

    return report
