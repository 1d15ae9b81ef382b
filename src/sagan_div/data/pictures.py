"""Pictures of images: a grid of many, a file each."""

import math
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from PIL import Image
from torch import Tensor

from sagan_div import files


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
