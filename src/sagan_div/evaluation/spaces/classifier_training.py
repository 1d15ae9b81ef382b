"""Training the domain classifier."""

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from sagan_div.data.images import to_float
from sagan_div.data.randomness import Batches, initialising, stream
from sagan_div.evaluation.spaces.classifier import Classifier
from sagan_div.evaluation.spaces.extractor import Device, true_float32
from sagan_div.study.schema import ClassifierConfig

BATCH = 128
Note = Callable[[str], None]


def train_classifier(
    images: Tensor,
    labels: Tensor | None,
    test_images: Tensor,
    test_labels: Tensor | None,
    settings: ClassifierConfig,
    device: Device,
    note: Note,
) -> tuple[Classifier, float | None]:
    """The domain classifier, trained on uint8 images [N, C, S, S] with labels [N], and its accuracy on the test split.

    Without labels it learns to tell the four quarter turns of an image apart (Gidaris et al. 2018, arXiv 1803.07728). It has
    no accuracy then, nor where the test split alone has no labels: how well it tells turns is not how well it tells classes.
    The same settings, images, device and thread count give the same bits. `note` gets a line per epoch.
    """
    without = [split for split, given in (("training", labels), ("test", test_labels)) if given is None]
    images, labels = (images, labels.long()) if labels is not None else _turned(images, settings.seed)
    with initialising(settings.seed, "classifier"):
        network = Classifier(images.shape[1], int(labels.max()) + 1, images.shape[-1])
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    with true_float32():
        _fit(network, images, labels, settings, device, note)
        _scale(network, images, device)
        if test_labels is None or without:
            note(f"the classifier has no test accuracy: the {' and the '.join(without)} split has no labels")
            return network, None
        accuracy = _accuracy(network, test_images, test_labels.long(), device)
    note(f"the classifier's test accuracy is {accuracy:.2%}")
    return network, accuracy


def _turned(images: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """Images [N, C, S, S], each turned by a random number of quarters, and these numbers [N]."""
    turns = torch.from_numpy(stream(seed, "turns").integers(4, size=len(images)))
    turned = images.clone()
    for turn in range(1, 4):
        turned[turns == turn] = torch.rot90(images[turns == turn], turn, (2, 3))
    return turned, turns


def _fit(network: Classifier, images: Tensor, labels: Tensor, settings: ClassifierConfig, device: Device, note: Note) -> None:
    """Train with AdamW and one cycle of the learning rate (Smith and Topin 2018, arXiv 1708.07120)."""
    batches = Batches(settings.seed, len(images), BATCH)
    steps = -(-len(images) // BATCH)
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.01, settings.epochs * steps)
    network.train()
    for epoch in range(settings.epochs):
        losses = []
        for step in range(epoch * steps, (epoch + 1) * steps):
            chosen = batches[step]
            logits = network(to_float(images[chosen].to(device)))
            loss = F.cross_entropy(logits, labels[chosen].to(device))
            optimiser.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            schedule.step()
            losses.append(loss.detach())
        note(f"classifier, epoch {epoch + 1} of {settings.epochs}: training loss {torch.stack(losses).mean().item():.4f}")
    network.requires_grad_(False).eval()


def _scale(network: Classifier, images: Tensor, device: Device) -> None:
    """Scale the features to a mean squared norm of their dimension, which keeps KID stable.

    The logits stay as they are: ReLU is homogeneous, and the last layer takes the scale back.
    """
    squares = sum(network.features(batch).double().square().sum().item() for batch in _batches(images, device))
    scale = (network.dimensions * len(images) / squares) ** 0.5
    network.norm.weight.mul_(scale)
    network.norm.bias.mul_(scale)
    network.head.weight.div_(scale)


def _accuracy(network: Classifier, images: Tensor, labels: Tensor, device: Device) -> float:
    found = torch.cat([network(batch).argmax(1).cpu() for batch in _batches(images, device)])
    return (found == labels).double().mean().item()


def _batches(images: Tensor, device: Device) -> Iterator[Tensor]:
    for start in range(0, len(images), 500):
        yield to_float(images[start : start + 500].to(device))
