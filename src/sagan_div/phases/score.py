"""The scores of one cell."""

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
from torch import Tensor

from sagan_div import features, files, floors, frechet, metrics, plan, sampling
from sagan_div.phases import spaces
from sagan_div.phases.machine import About, Machine
from sagan_div.plan import Job

DRAWS = 10  # of the author's sampler, at most: of few images a single one says little


def work(job: Job, machine: Machine) -> About:
    """All metrics of a cell in every feature space; a space whose network is not there gives its reason instead."""
    settings = job.settings
    assert isinstance(settings, plan.ScoreSettings)
    images = sampling.load_samples(job.inputs["samples"])
    found: dict[str, Any] = {}
    for name in settings.extractors:
        extractor = spaces.extractor(name, job, machine)
        if isinstance(extractor, str):
            found[name] = {"fid": None, "why": extractor}
            continue
        statistics, drawn = job.inputs[f"{name}_statistics"], features.extract(extractor, images)
        reference = frechet.load_statistics(statistics)
        real = frechet.load_beside(statistics, "features")
        probabilities = extractor.probabilities(drawn)
        found[name] = {"count": len(images), "reference_count": len(real)}
        found[name] |= metrics.score(drawn, probabilities, real, reference, settings.metrics)
        found[name] |= _repeated(extractor, images, frechet.load_beside(statistics, "stretched"), settings.repeat_last_batch)
        if name == "classifier":
            found[name]["classes"] = metrics.class_histogram(probabilities)
    cell = {"dataset": settings.dataset, "method": settings.method, "seed": settings.seed}
    files.write_text(job.outputs["metrics"], json.dumps(cell | {"extractors": found}, indent=1, sort_keys=True) + "\n")
    return {}


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
