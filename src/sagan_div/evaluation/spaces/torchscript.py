"""A feature space of a network in a TorchScript file: Inception as others ship it, DINOv2, CLIP, or one's own."""

import hashlib
import io
import warnings
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.jit._fuser import optimized_execution

from sagan_div import files
from sagan_div.data.images import resized
from sagan_div.errors import UserError
from sagan_div.evaluation.spaces.extractor import Device, Extractor, as_channels, true_float32
from sagan_div.study.schema import TorchScriptConfig


def torchscript_extractor(space: TorchScriptConfig, device: Device) -> Extractor:
    """The feature space that a mapping describes.

    Raises UserError where its file is missing, is another than its SHA-256 says or holds no TorchScript, and when it is used
    for images that the network does not take and outputs that are no features.
    """
    network = _loaded(space, device)

    def features(images: Tensor) -> Tensor:
        with true_float32(), optimized_execution(False):  # every batch by the same operations
            return _features(space, _called(space, network, _inputs(space, images)), len(images))

    return Extractor(space.name, space.sha256, device, features)


def _loaded(space: TorchScriptConfig, device: Device) -> Any:
    """The network: of the very bytes that were hashed, since TorchScript is code."""
    path = Path(space.file)
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise UserError(f"{path}: is a device or pipe; correct the file of '{space.name}'")
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{space.file}: cannot be read ({error.strerror}); correct the file of '{space.name}'") from None
    found = hashlib.sha256(content).hexdigest()
    if found != space.sha256:
        raise UserError(f"{space.file}: its SHA-256 is {found}, not that of '{space.name}'; it is code, and is not loaded")
    with files.parsing(path, "holds no TorchScript; write it with torch.jit.save"), warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # TorchScript is what there is of published feature spaces
        return torch.jit.load(io.BytesIO(content), map_location=device).eval()  # type: ignore[no-untyped-call]


def _inputs(space: TorchScriptConfig, images: Tensor) -> Tensor:
    """uint8 [B, C, H, W] -> float32 [B, channels, size, size], in the range and normalised as the network wants it."""
    images = as_channels(images, space.channels)
    if space.size is not None:
        images = resized(images.cpu(), space.size).to(images.device)
    low, high = space.range
    values = images.float().div(255).mul(high - low).add(low)
    if space.mean is not None:
        values = values - values.new_tensor(space.mean).view(1, -1, 1, 1)
    if space.std is not None:
        values = values / values.new_tensor(space.std).view(1, -1, 1, 1)
    return values.contiguous()


def _called(space: TorchScriptConfig, network: Any, inputs: Tensor) -> Any:
    try:
        return network(inputs, **space.arguments)
    except RuntimeError as error:  # TorchScript's own errors are of this type as well
        last = next((line for line in reversed(str(error).splitlines()) if line.strip()), "")
        raise UserError(f"{space.file}: its network does not take inputs {list(inputs.shape)} ({last.strip()[:120]})") from None


def _features(space: TorchScriptConfig, found: Any, count: int) -> Tensor:
    """Features float32 [B, d] among what the network returns."""
    if space.output is not None:
        try:
            found = found[space.output]
        except (KeyError, IndexError, TypeError):
            raise UserError(f"{space.file}: has no output {space.output!r}; correct it for '{space.name}'") from None
    if not isinstance(found, Tensor):
        raise UserError(
            f"{space.file}: returns a {type(found).__name__}; say which `output` has the features of '{space.name}'"
        )
    flat = found.flatten(1) if found.dim() == 4 and found.shape[2:] == (1, 1) else found
    if flat.dim() != 2 or len(flat) != count:
        raise UserError(f"{space.file}: its output {list(found.shape)} is no features [{count}, d]; choose another `output`")
    return flat.float()
