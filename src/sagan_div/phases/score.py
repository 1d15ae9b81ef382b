"""The scores of one cell."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from sagan_div import files
from sagan_div.evaluation import features, frechet, inception, memorisation, metrics
from sagan_div.evaluation import real_vs_real as floors
from sagan_div.models import sampling
from sagan_div.phases import spaces
from sagan_div.phases.machine import About, Machine
from sagan_div.study.job_settings import ScoreSettings
from sagan_div.workflow.plan import Job

DRAWS = 10  # of the author's sampler, at most: of few images a single one says little
SHOWN = 8  # of the samples, with their nearest training images


def work(job: Job, machine: Machine) -> About:
    """All metrics of a cell in every feature space; what cannot be measured gives its reason instead."""
    settings = job.settings
    assert isinstance(settings, ScoreSettings)
    images = sampling.load_samples(job.inputs["samples"])
    found: dict[str, Any] = {}
    for name in settings.extractors:
        extractor = spaces.extractor(name, job, machine, settings.mode)
        if isinstance(extractor, str):
            found[name] = {"fid": None, "why": extractor}
        else:
            found[name] = _scores(extractor, images, job.inputs[f"{name}_statistics"], settings)
    cell = {"dataset": settings.dataset, "method": settings.method, "seed": settings.seed, "mode": settings.mode}
    files.write_text(job.outputs["metrics"], json.dumps(cell | {"extractors": found}, indent=1, sort_keys=True) + "\n")
    return {}


def _scores(extractor: features.Extractor, images: Tensor, statistics: Path, settings: ScoreSettings) -> dict[str, Any]:
    """Everything in one feature space, against what the reference job has kept."""
    drawn, real = features.extract(extractor, images), frechet.load_beside(statistics, "features")
    given = metrics.Comparison(
        drawn,
        extractor.probabilities(drawn),
        real,
        frechet.load_statistics(statistics),
        inception.MOMENTS[settings.mode],
        inception.DISTANCE[settings.mode],
    )
    predicted, measured = (frechet.floor(each, len(real), len(images)) for each in frechet.load_beside(statistics, "bias"))
    found: dict[str, Any] = {
        "count": len(images),
        "reference_count": len(real),
        "reference_split": str(frechet.load_beside(statistics, "split")),
        "fid_floor": predicted,
        "fid_floor_measured": measured,
    }
    found |= metrics.score(given, [name for name in settings.metrics if name in metrics.METRICS])
    stretched = frechet.load_beside(statistics, "stretched")
    found |= metrics.attempt(
        "repeat_last_batch",
        [f"fid_repeated_{count}" for count in settings.repeat_last_batch],
        lambda: _repeated(extractor, images, stretched, settings.repeat_last_batch),
    )
    if extractor.name == "classifier":
        found["classes"] = metrics.class_histogram(given.probabilities)
        found["reference_classes"] = metrics.class_histogram(extractor.probabilities(real))
        if "memorisation" in settings.metrics:
            found |= metrics.attempt("memorisation", MEMORISED, lambda: _memorised(drawn, statistics))
    return found


MEMORISED = ("memorised", "memorised_honest", "nearer", "nearer_z")


def _memorised(drawn: np.ndarray, statistics: Path) -> dict[str, Any]:
    """Memorisation, and the training images nearest to the first samples, by their places in the file of images."""
    training, places, held_out = (frechet.load_beside(statistics, n) for n in ("training", "training_places", "held_out"))
    near = memorisation.nearest(drawn, training)
    found = memorisation.memorisation(near.distances, held_out)
    return dict(zip(MEMORISED, found, strict=True)) | {"neighbours": places[near.indices[:SHOWN]].tolist()}


def _repeated(extractor: features.Extractor, images: Tensor, real: np.ndarray, counts: Sequence[int]) -> dict[str, float]:
    """FID by the author's sampler for each number of distinct images, with its spread over the draws that there are."""
    drawn = spaces.stretched(extractor, images, counts)
    found: dict[str, float] = {}
    for count in counts:
        fids = floors.blockwise(real, drawn, count, DRAWS, "repeat-last-batch")
        if fids:
            spread = {"_std": float(np.std(fids, ddof=1))} if len(fids) > 1 else {}
            found |= {f"fid_repeated_{count}{end}": value for end, value in ({"": float(np.mean(fids))} | spread).items()}
    return found
