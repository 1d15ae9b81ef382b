"""Latents -> images: samples of a trained generator, and grids of them."""

import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from sagan_div import files
from sagan_div.data.randomness import latents
from sagan_div.errors import UserError
from sagan_div.models import checkpoints
from sagan_div.models.networks import Generator, Shape
from sagan_div.settings import read
from sagan_div.study.job_settings import TrainSettings


def load_generator(path: Path, device: torch.device) -> tuple[Generator, Shape, TrainSettings]:
    """The generator of a checkpoint, in evaluation mode. Raises UserError where the file is not one of ours."""
    tensors, about = checkpoints.load(path)
    try:
        settings: TrainSettings = read(TrainSettings, about["settings"], str(path))
        shape = Shape(settings.image_size, about["channels"], settings.width, settings.latent)
        generator = Generator(settings.recipe.generator, shape)
        generator.load_state_dict(checkpoints.part(tensors, "generator"))
    except (KeyError, RuntimeError):
        raise UserError(f"{path}: holds no generator of sagan-div; name a best.safetensors or last.safetensors") from None
    return generator.to(device).eval(), shape, settings


@torch.no_grad()
def draw(generator: Generator, latent: int, count: int, batch_size: int, seed: int, purpose: str) -> Tensor:
    """`count` images uint8 [N, C, S, S] from latents of (seed, purpose), on the CPU."""
    device = next(generator.parameters()).device
    mode, batches = generator.training, []
    generator.eval()
    for step in range(math.ceil(count / batch_size)):
        z = latents(seed, purpose, step, batch_size, latent)[: count - step * batch_size]
        batches.append(to_uint8(generator(z.to(device))).cpu())
    generator.train(mode)
    return torch.cat(batches)


def to_uint8(images: Tensor) -> Tensor:
    """[-1, 1] -> uint8 by a fixed map with rounding, the same for every image (A24)."""
    return images.add(1.0).mul(127.5).round().clamp(0, 255).to(torch.uint8)


def save_samples(path: Path, images: Tensor) -> None:
    """Write samples.npz: `images` uint8 [N, C, S, S]. Equal samples give equal bytes."""
    with files.replacing(path) as temporary:
        np.savez_compressed(temporary, images=images.numpy())


def load_samples(path: Path) -> Tensor:
    """uint8 [N, C, S, S]. Raises UserError where the file is missing, damaged or of another layout."""
    archive = files.read_archive(path)
    images = archive.get("images")
    if images is None or images.dtype != np.uint8 or images.ndim != 4:
        raise UserError(f"{path}: expected `images` as uint8 [N, C, H, W]; found {', '.join(archive) or 'nothing'}")
    return torch.from_numpy(images)


def grid(images: Tensor, columns: int) -> Image.Image:
    """Images uint8 [N, C, S, S] row by row in one picture, a pixel of white between them."""
    count, channels, height, width = images.shape
    rows = math.ceil(count / columns)
    sheet = np.full((rows * (height + 1) - 1, columns * (width + 1) - 1, channels), 255, np.uint8)
    for index, image in enumerate(images.permute(0, 2, 3, 1).numpy()):
        row, column = divmod(index, columns)
        sheet[row * (height + 1) :, column * (width + 1) :][:height, :width] = image
    return Image.fromarray(sheet[..., 0] if channels == 1 else sheet)


def save_pictures(folder: Path, images: Iterable[Tensor]) -> None:
    """Write images uint8 [C, S, S] as 00000.png, 00001.png, … into a folder."""
    for number, image in enumerate(images):
        save_picture(folder / f"{number:05d}.png", grid(image[None], columns=1))


def save_picture(path: Path, picture: Image.Image) -> None:
    with files.replacing(path) as temporary:
        picture.save(temporary, optimize=True)
