"""Latents -> images: samples of a trained generator."""

import math
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

import torch
from pydantic import ConfigDict, Field
from torch import Tensor

from sagan_div import files
from sagan_div.data.randomness import latents
from sagan_div.errors import UserError
from sagan_div.models import checkpoints
from sagan_div.models.networks import Generator, Shape, evaluating
from sagan_div.settings import Settings, read, short
from sagan_div.study.job_settings import TrainSettings
from sagan_div.study.schema import Checkpoint, Whole

NONE = "holds no generator of sagan-div; name a best.safetensors or last.safetensors"


class Header(Settings):
    """What a generator's file says of itself; a mapping of more is read as well."""

    model_config = ConfigDict(extra="ignore")

    settings: TrainSettings
    channels: Annotated[Literal[1, 3], Whole]
    images: int | None = Field(default=None, ge=0)
    fid: float | None = None


def load_generator(path: Path, device: torch.device) -> tuple[Generator, Shape, TrainSettings]:
    """The generator of a checkpoint, in evaluation mode.

    Raises UserError where the file is not one of ours, or training diverged and left no generator in it.
    """
    tensors, about = checkpoints.load(path)
    if "why" in about:
        raise UserError(f"{path}: holds no generator: {short(str(about['why']), 200)}")
    if "diverged" in about:
        at = short(f"{about['diverged']:,}" if isinstance(about["diverged"], int) else str(about["diverged"]))
        raise UserError(f"{path}: training diverged at image {at}; name the best.safetensors beside it")
    if "settings" not in about:
        raise UserError(f"{path}: {NONE}")
    header = read(Header, about, str(path))
    settings = header.settings
    shape = Shape(settings.image_size, header.channels, settings.width, settings.latent)
    with files.parsing(path, NONE):
        state = checkpoints.part(tensors, "generator")
        layers = set(pairwise([shape.latent, *reversed(shape.widths), shape.channels]))
        if not layers <= {tuple(tensor.shape[:2]) for tensor in state.values()}:
            raise ValueError("claims a larger network than it holds, for which there may be no memory")
        generator = Generator(settings.recipe.generator, shape)
        generator.load_state_dict(state)
    return generator.to(device).eval(), shape, settings


def standing(paths: Mapping[str, Path], select: Checkpoint) -> tuple[Checkpoint, str | None]:
    """Which of a run's checkpoints, `best` or `last`, stands for it, and why that one holds no generator.

    The one that was selected; of a run that diverged, the best rated one.
    """
    name: Checkpoint = "best" if "diverged" in checkpoints.load(paths["last"])[1] else select
    return name, checkpoints.load(paths[name])[1].get("why")


@torch.no_grad()
def draw(generator: Generator, latent: int, count: int, batch_size: int, seed: int, purpose: str) -> Tensor:
    """`count` images uint8 [N, C, S, S] from latents of (seed, purpose), on the CPU."""
    device = next(generator.parameters()).device
    batches = []
    with evaluating(generator):
        for step in range(math.ceil(count / batch_size)):
            z = latents(seed, purpose, step, batch_size, latent)[: count - step * batch_size]
            batches.append(to_uint8(generator(z.to(device))).cpu())
    return torch.cat(batches)


def to_uint8(images: Tensor) -> Tensor:
    """[-1, 1] -> uint8 by a fixed map with rounding, the same for every image (A24). Raises UserError for NaN."""
    if images.isnan().any():
        raise UserError("some pixels are not a number: the generator has diverged; sample an earlier one, or train again")
    return images.add(1.0).mul(127.5).round().clamp(0, 255).to(torch.uint8)
