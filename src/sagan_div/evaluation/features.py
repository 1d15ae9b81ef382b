"""Images -> features: the domain classifier that the study trains itself, and pytorch-fid's Inception."""

import hashlib
import http.client
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sized
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from pickle import UnpicklingError
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sagan_div import files
from sagan_div.data.datasets import to_float
from sagan_div.data.randomness import Batches, stream
from sagan_div.errors import UserError
from sagan_div.models import checkpoints
from sagan_div.study import schema as config

BATCH = 128  # of the classifier's training
Device = torch.device | str
Note = Callable[[str], None]


class Images(Sized, Protocol):
    """uint8 images [N, C, S, S] that are had in slices: an array, a tensor, or files read when they are needed."""

    def __getitem__(self, chosen: slice, /) -> Any: ...


def true_float32() -> AbstractContextManager[None]:
    """Convolutions in true float32 and in a fixed order, on a GPU too, so that its numbers are the CPU's."""
    return torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False)


# The domain classifier


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


def train_classifier(
    images: Tensor,
    labels: Tensor | None,
    test_images: Tensor,
    test_labels: Tensor | None,
    settings: config.ClassifierConfig,
    device: Device,
    note: Note,
) -> tuple[Classifier, float]:
    """The domain classifier, trained on uint8 images [N, C, S, S] with labels [N], and its accuracy on the test split.

    Without labels it learns to tell the four quarter turns of an image apart (Gidaris et al. 2018, arXiv 1803.07728).
    The same settings, images, device and thread count give the same bits. `note` is told of every epoch, a line each.
    """
    images, labels = _labelled(images, labels, settings.seed)
    test_images, test_labels = _labelled(test_images, test_labels, settings.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        network = Classifier(images.shape[1], int(labels.max()) + 1, images.shape[-1])
    network.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    with true_float32():
        _fit(network, images, labels, settings, device, note)
        _scale(network, images, device)
        accuracy = _accuracy(network, test_images, test_labels, device)
    note(f"the classifier's test accuracy is {accuracy:.2%}")
    return network, accuracy


def _labelled(images: Tensor, labels: Tensor | None, seed: int) -> tuple[Tensor, Tensor]:
    if labels is not None:
        return images, labels.long()
    turns = torch.randint(4, (len(images),), generator=stream(seed, "turns"))
    turned = images.clone()
    for turn in range(1, 4):
        turned[turns == turn] = torch.rot90(images[turns == turn], turn, (2, 3))
    return turned, turns


def _fit(
    network: Classifier, images: Tensor, labels: Tensor, settings: config.ClassifierConfig, device: Device, note: Note
) -> None:
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


def save_classifier(path: Path, classifier: Classifier, about: Mapping[str, Any]) -> None:
    """Write the classifier with facts `about` it (dataset, accuracy, ...). Raises UserError."""
    checkpoints.save(path, classifier.state_dict(), {**about, "image_size": classifier.image_shape[-1]})


def load_classifier(path: Path, device: Device) -> Classifier:
    """The classifier in a file of `save_classifier`, ready for inference. Raises UserError for a truncated or foreign file."""
    if not path.is_file():
        raise UserError(f"{path}: is missing; run `sagan-div reference` first")
    try:
        state, about = checkpoints.load(path)
        classifier = Classifier(state["body.0.weight"].shape[1], len(state["head.bias"]), about["image_size"])
        classifier.load_state_dict(state)
    except (UserError, KeyError, RuntimeError):
        raise UserError(f"{path}: is no domain classifier of this version; delete it and run `sagan-div reference`") from None
    classifier.requires_grad_(False).eval()
    return classifier.to(device, memory_format=torch.channels_last)  # type: ignore[call-overload,no-any-return]


# Extractors


@dataclass(frozen=True)
class Extractor:
    """A feature space: uint8 images [B, C, S, S] -> float32 features [B, dimensions] on `device`."""

    name: str
    digest: str  # SHA-256 of the weights
    device: Device
    network: Callable[[Tensor], Tensor]
    head: Tensor  # of the linear layer behind the features, [classes, dimensions]
    bias: Tensor | None

    @property
    def identity(self) -> str:
        """What features must share to be compared."""
        return f"{self.name}:{self.digest}"

    @property
    def dimensions(self) -> int:
        return self.head.shape[1]

    @torch.inference_mode()
    def __call__(self, images: Tensor) -> Tensor:
        return self.network(images.to(self.device))

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """Class probabilities float64 [N, classes] of features [N, dimensions]."""
        bias = None if self.bias is None else self.bias.cpu()
        logits = F.linear(torch.from_numpy(features), self.head.cpu(), bias)
        result: np.ndarray = logits.double().softmax(1).numpy()
        return result


def extract(
    extractor: Extractor, images: Images, batch_size: int = 50, progress: Callable[[int], None] = lambda done: None
) -> np.ndarray:
    """Features float32 [N, d] of uint8 images [N, C, S, S], batch by batch. `progress` is told how many are done."""
    result = np.empty((len(images), extractor.dimensions), np.float32)
    for start in range(0, len(images), batch_size):
        batch = torch.as_tensor(images[start : start + batch_size])
        result[start : start + len(batch)] = extractor(batch).cpu().numpy()
        progress(start + len(batch))
    return result


def classifier_extractor(path: Path, device: Device) -> Extractor:
    """The domain classifier's penultimate layer as a feature space. Raises UserError."""
    classifier = load_classifier(path, device)

    def network(images: Tensor) -> Tensor:
        if images.shape[1:] != classifier.image_shape:
            raise UserError(f"{path}: is for images {classifier.image_shape}, these are {tuple(images.shape[1:])}")
        with true_float32():
            return classifier.features(to_float(images))

    return Extractor("classifier", files.sha256(path), device, network, classifier.head.weight, classifier.head.bias)


def inception_extractor(weights: Path, device: Device, mode: config.Mode = "fast") -> Extractor:
    """pytorch-fid's pool3: 2048 features of gray or colour images of any size.

    `exact` is the package's own network; `fast` has BatchNorm folded into the convolutions, on a CPU ReLU too, and runs
    channels_last.
    The probabilities leave out the last layer's bias, as the Inception score's first code did (openai/improved-gan).
    Raises UserError where pytorch-fid is not installed or `weights` is no file of its weights.
    """
    inception, head = _inception(weights)
    inception.to(device)

    def exact(images: Tensor) -> Tensor:
        inputs = images.float().div(255).expand(-1, 3, -1, -1).contiguous()  # the bits of torchvision's ToTensor
        return inception(inputs)[0].flatten(1)  # type: ignore[no-any-return]

    def fast(images: Tensor) -> Tensor:
        with true_float32():
            return exact(images)

    if mode == "fast":
        _fold(inception, device).to(memory_format=torch.channels_last)
    return Extractor("inception", files.sha256(weights), device, fast if mode == "fast" else exact, head, None)


def _inception(weights: Path) -> tuple[nn.Module, Tensor]:
    """pytorch-fid's network up to pool3, and the weight [1008, 2048] of the layer behind it."""
    try:
        from pytorch_fid import inception as published
    except ImportError:
        raise UserError("pytorch-fid is not installed; `pip install 'sagan-div[study]'`") from None
    state = load_weights(weights)
    try:
        with _giving(published, state):
            return published.InceptionV3([3]).eval(), state["fc.weight"]
    except (RuntimeError, KeyError):
        raise UserError(f"{weights}: holds weights of another network; {WEIGHTS.name} is wanted") from None


@contextmanager
def _giving(module: Any, state: dict[str, Tensor]) -> Iterator[None]:
    """pytorch-fid has no way to name a file of weights: for the moment, what fetches them gives these."""
    fetch = module.load_state_dict_from_url
    module.load_state_dict_from_url = lambda url, **_: state
    try:
        yield
    finally:
        module.load_state_dict_from_url = fetch


class _Rectified(nn.Module):
    """A convolution and its ReLU in one pass over memory: oneDNN's, which PyTorch's compiler uses on a CPU. The same bits."""

    def __init__(self, convolution: nn.Conv2d) -> None:
        super().__init__()
        self.convolution = convolution

    def forward(self, images: Tensor) -> Tensor:
        of = self.convolution
        shape = of.padding, of.stride, of.dilation, of.groups
        result: Tensor = torch.ops.mkldnn._convolution_pointwise(images, of.weight, of.bias, *shape, "relu", [], None)
        return result


def _fold(network: nn.Module, device: Device) -> nn.Module:
    """Fold each BatchNorm into its convolution, and on a CPU the ReLU behind it too."""
    from torchvision.models.inception import BasicConv2d

    fused = torch.device(device).type == "cpu" and torch.backends.mkldnn.is_available()  # type: ignore[no-untyped-call]
    for parent in list(network.modules()):
        for name, block in parent.named_children():
            if isinstance(block, BasicConv2d):
                block.conv = nn.utils.fuse_conv_bn_eval(block.conv, block.bn)
                block.bn = nn.Identity()
                if fused:
                    setattr(parent, name, _Rectified(block.conv))
    return network


# Inception's weights


class Weights(NamedTuple):
    name: str
    url: str
    size: int  # bytes
    sha256: str


WEIGHTS = Weights(
    "pt_inception-2015-12-05-6726825d.pth",
    "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth",
    95_628_359,
    "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
)


def fetch_weights(folder: Path, mirror: str | None, note: Note) -> Path:
    """pytorch-fid's published Inception weights in `folder`, fetched once, verified by size and SHA-256.

    `mirror` is a folder or URL that has the file, directly or under `inception/`; without one the published URL is used.
    Raises UserError, in one line that says what to put where.
    """
    target = folder / WEIGHTS.name
    if target.is_file() and files.sha256(target) == WEIGHTS.sha256:
        return target
    failures = []
    for source in _sources(mirror):
        note(f"fetching {source}")
        try:
            content = _content(source)
        except (OSError, http.client.HTTPException, ValueError) as error:
            failures.append(f"{source}: {getattr(error, 'reason', None) or getattr(error, 'strerror', None) or error}")
        else:
            files.write_bytes(target, content)
            return target
    raise UserError(f"Inception's weights cannot be had ({'; '.join(failures)}); put {WEIGHTS.name} into {folder}")


def _sources(mirror: str | None) -> list[str]:
    return [f"{mirror.rstrip('/')}/{inside}{WEIGHTS.name}" for inside in ("", "inception/")] if mirror else [WEIGHTS.url]


def _content(source: str) -> bytes:
    """The bytes at a URL or path. Raises ValueError where they are not the published ones."""
    with urllib.request.urlopen(source, timeout=60) if "://" in source else Path(source).open("rb") as file:
        content: bytes = file.read()
    if len(content) != WEIGHTS.size:
        raise ValueError(f"{len(content)} bytes instead of {WEIGHTS.size}")
    if hashlib.sha256(content).hexdigest() != WEIGHTS.sha256:
        raise ValueError("its SHA-256 is not that of the published file")
    return content


def load_weights(path: Path) -> dict[str, Tensor]:
    """The tensors in a file of weights, and nothing else unpickled. Raises UserError."""
    try:
        state = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError:
        raise UserError(f"{path}: is missing; `sagan-div reference` fetches Inception's weights") from None
    except (OSError, RuntimeError, UnpicklingError, EOFError):
        raise UserError(f"{path}: is damaged, or holds more than weights; delete it and fetch it again") from None
    if not (isinstance(state, dict) and all(isinstance(value, Tensor) for value in state.values())):
        raise UserError(f"{path}: holds no weights by name; {WEIGHTS.name} is wanted")
    return state
