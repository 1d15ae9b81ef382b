"""Samples sorted by what the classifier takes them for, beside real images that it takes for the same."""

from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from sagan_div import arrays
from sagan_div.data.images import resized, shuffled, to_float
from sagan_div.data.pictures import grid
from sagan_div.data.samples import load_samples
from sagan_div.evaluation.spaces.classifier import Classifier, load_classifier
from sagan_div.report import pictures
from sagan_div.report.gather import Cell, Results
from sagan_div.report.pictures import Panel
from sagan_div.workflow.layout import filled

ASKED = 400  # images of each side, the first there are
EACH = 4  # images of a class


@dataclass(frozen=True)
class Sorted:
    """A dataset's classes, and panels with a row of EACH images for each of them: real ones first, then method by method."""

    classes: list[str]
    panels: list[Panel]


def sort(results: Results, dataset: str) -> Sorted | None:
    """None where the study has no classifier, or no images, or these have no labels."""
    path = filled(results.layout.classifier, dataset=dataset)
    images = filled(results.layout.images("train"), dataset=dataset)
    if not path.exists() or not images.exists():
        return None
    classifier = load_classifier(path, torch.device("cpu"))
    if not classifier.knows_classes:
        return None
    real = torch.from_numpy(arrays.read(images))
    first = resized(real[shuffled(len(real))[:ASKED]], results.study.image_size)
    panels = [Panel("Real images", _rows(classifier, first))]
    for method in results.methods:
        cell: Cell | None = pictures.first_sampled(results, dataset, method)
        drawn = load_samples(results.at("sample", "samples.npz", cell))[:ASKED] if cell else None
        title = pictures.title(results, dataset, method, cell)
        panels.append(Panel(title, None if drawn is None else _rows(classifier, drawn), method))
    classes = [results.class_name(dataset, number) for number in range(len(classifier.head.bias))]
    return Sorted(classes, panels)


def _rows(classifier: Classifier, images: Tensor) -> Image.Image:
    """A row for each class: the first images that the classifier takes for it; white where there are fewer."""
    verdicts = classifier(to_float(images)).argmax(dim=1)
    rows = []
    for number in range(len(classifier.head.bias)):
        found = images[verdicts == number][:EACH]
        blank = torch.full((EACH - len(found), *images.shape[1:]), 255, dtype=torch.uint8)
        rows.append(torch.cat([found, blank]))
    return grid(torch.cat(rows), EACH)
