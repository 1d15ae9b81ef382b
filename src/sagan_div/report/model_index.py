"""What the Hugging Face hub reads of a model card: the YAML at its head, with the scores as a `model-index`.

Source: the hub's documentation, "Model Cards" and the specification of `modelcard.md`.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from sagan_div.report import paper
from sagan_div.study.job_settings import TrainSettings
from sagan_div.study.metrics import METRICS

TASK = "unconditional-image-generation"
ON_THE_HUB = {"mnist": "ylecun/mnist", "fashion-mnist": "zalando-datasets/fashion_mnist"}
SPACES = {"classifier": "the features of the dataset's own classifier", "inception": "Inception's features"}


def head(settings: TrainSettings, scores: Mapping[str, Mapping[str, Any]]) -> str:
    """The YAML of a card. Every score is named with its feature space: FIDs of two spaces do not compare."""
    dataset = ON_THE_HUB.get(settings.dataset, settings.dataset)
    metrics = list(_metrics(scores))
    about: dict[str, Any] = {
        "license": "mit",
        "library_name": "sagan-div",
        "pipeline_tag": TASK,
        "datasets": [dataset],
        "tags": ["gan", "image-generation", "reproduction", settings.method],
        "metrics": list(dict.fromkeys(metric["type"] for metric in metrics)),
    }
    if metrics:
        result = {
            "task": {"type": TASK},
            "dataset": {"type": dataset, "name": paper.dataset_label(settings.dataset)},
            "metrics": metrics,
        }
        about["model-index"] = [{"name": title(settings), "results": [result]}]
    return f"---\n{yaml.safe_dump(about, sort_keys=False, allow_unicode=True, width=1000)}---\n"


def title(settings: TrainSettings) -> str:
    """A generator's name among others, such as "SAGAN-div d on MNIST, seed 0"."""
    return f"{paper.label(settings.method)} on {paper.dataset_label(settings.dataset)}, seed {settings.seed}"


def _metrics(scores: Mapping[str, Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """The finite scores of every feature space, by the names of the registry."""
    for space, values in scores.items():
        for metric in METRICS.values():
            for key in (key for key in metric.keys if key.role == "score"):
                value = values.get(key.key)
                if isinstance(value, int | float) and math.isfinite(value):
                    name = f"{key.key} in {SPACES.get(space, f'the features of {space}')}"
                    yield {"type": metric.name, "name": name, "value": value}
