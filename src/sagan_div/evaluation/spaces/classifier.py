"""The domain classifier: the network that a study trains on its own dataset, whose penultimate layer is a feature space."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sagan_div import files
from sagan_div.data.images import resized, to_float
from sagan_div.errors import UserError
from sagan_div.evaluation.spaces.extractor import Device, Extractor, as_channels, true_float32
from sagan_div.models import checkpoints

TURNS = "quarter turns"  # what a classifier's file says under `labels` where it was trained on images without any
LARGEST = 1024  # pixels of a side, eight times the largest study's


class Classifier(nn.Module):
    """A small convolutional network on images [N, C, S, S] in [-1, 1]; its penultimate layer is a feature space.

    Images of 64 pixels and more are averaged down to 32 first, so that the cost does not grow with the size.
    """

    dimensions = 128
    widths = (32, 64, 128)

    def __init__(self, channels: int, classes: int, image_size: int) -> None:
        super().__init__()
        first, second, third = self.widths
        self.body = nn.Sequential(*_halving(channels, first, 5), *_halving(first, second, 3), *_halving(second, third, 3))
        self.image_shape = (channels, image_size, image_size)
        self.reduction = max(1, image_size // 32)
        side = -(-(image_size // self.reduction) // 8)
        self.penultimate = nn.Linear(third * side**2, self.dimensions, bias=False)
        self.norm = nn.BatchNorm1d(self.dimensions)  # before the ReLU, so that no feature dies
        self.head = nn.Linear(self.dimensions, classes)
        self.knows_classes = True  # False: it tells how an image is turned

    def features(self, images: Tensor) -> Tensor:
        """Features [N, 128] of images [N, C, S, S]: non-negative, with a mean squared norm of 128 on the training split."""
        reduced = F.avg_pool2d(images.contiguous(memory_format=torch.channels_last), self.reduction)
        return F.relu(self.norm(self.penultimate(self.body(reduced).flatten(1))))

    def forward(self, images: Tensor) -> Tensor:
        """Logits [N, classes] of images [N, C, S, S]."""
        logits: Tensor = self.head(self.features(images))
        return logits


def _halving(inputs: int, outputs: int, kernel: int) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, kernel, stride=2, padding=kernel // 2, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU()]


def save_classifier(path: Path, classifier: Classifier, about: Mapping[str, Any]) -> None:
    """Write the classifier with facts `about` it (dataset, accuracy, ...). Raises UserError."""
    checkpoints.save(path, classifier.state_dict(), {**about, "image_size": classifier.image_shape[-1]})


def load_classifier(path: Path, device: Device) -> Classifier:
    """The classifier in a file of `save_classifier`, ready for inference. Raises UserError for a truncated or foreign file."""
    if not path.is_file():
        raise UserError(f"{path}: is missing; run `sagan-div reference` first")
    state, about = checkpoints.load(path)
    with files.parsing(path, "is no domain classifier of this version; delete it and run `sagan-div reference`"):
        size = int(about["image_size"])
        if size > LARGEST:
            raise ValueError("is for images that nobody has")
        classifier = Classifier(state["body.0.weight"].shape[1], len(state["head.bias"]), size)
        classifier.load_state_dict(state)
        classifier.knows_classes = about.get("labels") != TURNS
    classifier.requires_grad_(False).eval()
    return classifier.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


def classifier_extractor(path: Path, device: Device, fitting: bool = False) -> Extractor:
    """The domain classifier's penultimate layer as a feature space, `fitting` images of other sizes too. Raises UserError.

    It knows classes where the classifier was trained on labels.
    """
    classifier = load_classifier(path, device)

    def network(images: Tensor) -> Tensor:
        if fitting:
            channels, size, _ = classifier.image_shape
            images = resized(as_channels(images, channels).cpu(), size).to(device)
        if images.shape[1:] != classifier.image_shape:
            raise UserError(f"{path}: is for images {classifier.image_shape}, these are {tuple(images.shape[1:])}")
        with true_float32():
            return classifier.features(to_float(images))

    head = (classifier.head.weight, classifier.head.bias) if classifier.knows_classes else ()
    return Extractor("classifier", files.sha256(path), device, network, *head)
