"""A trained generator in each form that others load, as bytes: the same wherever they are made, and silent about where."""

import io
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn.utils import parametrize

from sagan_div.errors import UserError
from sagan_div.models import checkpoints
from sagan_div.models.networks import Generator, Shape

DEBUG = (".debug_pkl", ".data/serialization_id")  # lines of source files by their paths, and a digest over them


def safetensors(generator: Generator, shape: Shape, checkpoint: Path) -> bytes:
    """The checkpoint without its critic: `sagan-div generate` reads it."""
    tensors, about = checkpoints.load(checkpoint)
    return checkpoints.packed({name: each for name, each in tensors.items() if name.startswith("generator.")}, about)


def torchscript(generator: Generator, shape: Shape, checkpoint: Path) -> bytes:
    """Latents [count, latent, 1, 1] -> images [count, channels, size, size]."""
    traced, written = io.BytesIO(), io.BytesIO()
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore", FutureWarning)  # PyTorch would rather have torch.export
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # type: ignore[attr-defined]
        torch.jit.save(torch.jit.trace(_folded(generator), _latents(shape)), traced)  # type: ignore[no-untyped-call]
    with zipfile.ZipFile(traced) as source, zipfile.ZipFile(written, "w") as target:
        for entry in source.infolist():
            if not entry.filename.endswith(DEBUG):
                target.writestr(zipfile.ZipInfo(entry.filename), source.read(entry))
    return written.getvalue()


def onnx(generator: Generator, shape: Shape, checkpoint: Path) -> bytes:
    """The same, in ONNX. Raises UserError where its packages are not installed."""
    try:
        import onnxscript  # noqa: F401
    except ImportError:
        raise UserError("--format onnx: needs two more packages; pip install 'sagan-div[onnx]'") from None
    program = torch.onnx.export(
        _folded(generator),
        (_latents(shape),),
        input_names=["latents"],
        output_names=["images"],
        dynamic_shapes=({0: torch.export.Dim("count")},),
        verbose=False,
    )
    assert program is not None
    model = program.model_proto
    _strip(model)
    return bytes(model.SerializeToString(deterministic=True))


def _strip(message: Any) -> None:
    """A message of protobuf without what PyTorch notes beside each part: stack traces with paths, and names of its own."""
    for field, value in message.ListFields():
        if field.name in ("metadata_props", "doc_string"):
            message.ClearField(field.name)
        elif field.type == field.TYPE_MESSAGE:
            for part in value if hasattr(value, "add") else [value]:
                _strip(part)


def _latents(shape: Shape) -> torch.Tensor:
    return torch.zeros(2, shape.latent, 1, 1)


def _folded(generator: Generator) -> nn.Module:
    """The generator with spectral norms divided into its weights, as they are in evaluation. In place."""
    for module in list(generator.modules()):
        if parametrize.is_parametrized(module):
            parametrize.remove_parametrizations(module, "weight")
    return generator


FORMS: dict[str, Callable[[Generator, Shape, Path], bytes]] = {
    "safetensors": safetensors,
    "torchscript": torchscript,
    "onnx": onnx,
}
