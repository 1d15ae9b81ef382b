"""The scores of one cell."""

import json
from pathlib import Path
from typing import Any

from torch import Tensor

from sagan_div import files
from sagan_div.data.samples import load_samples, why_none
from sagan_div.evaluation.arithmetic import DISTANCE, MOMENTS
from sagan_div.evaluation.comparison import Comparison, Pixels, Repeated, Training
from sagan_div.evaluation.contrast import spread
from sagan_div.evaluation.score import class_histogram, score
from sagan_div.evaluation.spaces.extractor import Extractor, extract
from sagan_div.evaluation.statistics import load_beside, load_statistics
from sagan_div.phases import spaces
from sagan_div.phases.machine import About, Machine
from sagan_div.study import metrics
from sagan_div.study.job_settings import ScoreSettings
from sagan_div.study.schema import space
from sagan_div.workflow.jobs import Job

SHOWN = 8  # of the samples, with their nearest training images


def work(job: Job, machine: Machine) -> About:
    """All metrics of a cell in every feature space; what cannot be measured gives its reason instead."""
    settings = job.settings
    assert isinstance(settings, ScoreSettings)
    images, why = load_samples(job.inputs["samples"]), why_none(job.inputs["samples"])
    found: dict[str, Any] = {}
    for chosen in settings.extractors:
        name, extractor = space(chosen), why or spaces.extractor(chosen, job, machine, settings.mode)
        if isinstance(extractor, str):
            found[name] = {"fid": None, "why": extractor}
        else:
            found[name] = _scores(extractor, images, job.inputs[f"{name}_statistics"], settings)
    cell = {"dataset": settings.dataset, "method": settings.method, "seed": settings.seed, "mode": settings.mode}
    files.write_text(job.outputs["metrics"], json.dumps(cell | {"extractors": found}, indent=1, sort_keys=True) + "\n")
    return {}


def _scores(extractor: Extractor, images: Tensor, statistics: Path, settings: ScoreSettings) -> dict[str, Any]:
    """Everything in one feature space, against what the reference job has kept."""
    chosen = metrics.chosen(settings.metrics, settings.repeat_last_batch)
    wanted = [metric for metric in chosen if metric.measured_in(extractor.name)]
    given = _comparison(extractor, images, statistics, settings)
    found: dict[str, Any] = {
        "count": len(images),
        "reference_count": len(given.real),
        "reference_split": str(load_beside(statistics, "split")),
    }
    found |= score(given, wanted)
    reference = extractor.probabilities(given.real) if extractor.name == "classifier" else None
    if given.probabilities is not None and reference is not None:
        found["classes"] = class_histogram(given.probabilities)
        found["reference_classes"] = class_histogram(reference)
    if given.training is not None and found.get("memorised") is not None:
        found["neighbours"] = given.training.places[given.nearest.indices[:SHOWN]].tolist()
    return found


def _comparison(extractor: Extractor, images: Tensor, statistics: Path, settings: ScoreSettings) -> Comparison:
    fake, counts = extract(extractor, images), settings.repeat_last_batch
    predicted, measured = load_beside(statistics, "bias")
    stretched = spaces.stretched(extractor, images, counts)
    return Comparison(
        fake,
        extractor.probabilities(fake),
        load_beside(statistics, "features"),
        load_statistics(statistics),
        MOMENTS[settings.mode],
        DISTANCE[settings.mode],
        (predicted, measured),
        _training(statistics) if extractor.name == "classifier" and "memorisation" in settings.metrics else None,
        Repeated(stretched, load_beside(statistics, "stretched"), counts),
        _pixels(images, statistics),
    )


def _pixels(images: Tensor, statistics: Path) -> Pixels:
    return Pixels(spread(images), load_beside(statistics, "pixels").tolist(), load_beside(statistics, "grey"))


def _training(statistics: Path) -> Training:
    return Training(*(load_beside(statistics, name) for name in ("training", "training_places", "held_out")))
