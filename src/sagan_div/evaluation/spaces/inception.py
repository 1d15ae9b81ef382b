"""pytorch-fid's Inception network, whose pool3 is the feature space of published FIDs."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sagan_div import files
from sagan_div.errors import UserError
from sagan_div.evaluation.spaces.extractor import Device, Extractor, true_float32
from sagan_div.evaluation.spaces.weights import WEIGHTS
from sagan_div.study.schema import Mode


def inception_extractor(weights: Path, device: Device, mode: Mode = "fast") -> Extractor:
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


LARGEST = 2**30  # bytes of a file of weights; the published one has 95,628,359


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


def _unpacked(path: Path) -> int:
    """How many bytes a file comes to in memory; PyTorch's newer ones are zip archives."""
    if not zipfile.is_zipfile(path):
        return path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        return sum(entry.file_size for entry in archive.infolist())


def load_weights(path: Path) -> dict[str, Tensor]:
    """The tensors in a file of weights, and nothing else unpickled. Raises UserError, also for more than LARGEST bytes."""
    if not path.is_file():
        raise UserError(f"{path}: is missing, or no file; `sagan-div weights` fetches Inception's weights")
    with files.parsing(path, "is damaged, or holds more than weights; delete it and fetch it again"):
        if _unpacked(path) > LARGEST:
            raise UserError(f"{path}: has more than {LARGEST:,} bytes of weights; {WEIGHTS.name} is wanted")
        state = torch.load(path, map_location="cpu", weights_only=True)
    if not (isinstance(state, dict) and all(isinstance(value, Tensor) for value in state.values())):
        raise UserError(f"{path}: holds no weights by name; {WEIGHTS.name} is wanted")
    return state
