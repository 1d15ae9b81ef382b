"""How the samples of a run come to be: the images of the same latents at every rating, small enough for a page."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from PIL import Image

from sagan_div import files
from sagan_div.report import pictures
from sagan_div.report.gather import Cell, Results, rows_of

ACROSS, DOWN = 8, 2  # images of a frame, so many of those that training kept
FRAMES = 20  # at most, the first and the last among them
SIDE = 32  # pixels of an image at most
LEVELS = 16  # of grey, half the bytes of 256


@dataclass(frozen=True)
class Film:
    """A run's frames below each other in one picture, and for each of them (images seen, rating)."""

    method: str
    title: str
    picture: Image.Image
    ratings: list[tuple[int, float]]


def films(results: Results, dataset: str) -> list[Film]:
    """A film for each method, of its first seed that has one."""
    found = []
    for method in results.methods:
        for seed in results.study.seeds:
            if film := _film(results, (dataset, method, seed)):
                found.append(film)
                break
    return found


def _film(results: Results, cell: Cell) -> Film | None:
    dataset, method, seed = cell
    path = results.at("train", "growth.png", cell)
    rated = rows_of(results.history, dataset=dataset, method=method, seed=seed).dropna(subset=["fid"])
    if not path.exists() or rated.empty:
        return None
    chosen = _evenly(len(rated), FRAMES)
    with files.parsing(path, "is damaged; delete it and train the cell again"):
        sheet = np.asarray(Image.open(path))
        frames = np.concatenate([_frame(sheet, len(rated), row) for row in chosen])
    return Film(method, pictures.title(results, dataset, method, cell), _small(frames), _ratings(rated, chosen))


def _ratings(rated: pd.DataFrame, chosen: Sequence[int]) -> list[tuple[int, float]]:
    rows = rated.iloc[list(chosen)]
    return [(int(images), round(float(fid), 2)) for images, fid in zip(rows["images"], rows["fid"], strict=True)]


def _evenly(count: int, most: int) -> list[int]:
    return sorted({round(place) for place in np.linspace(0, count - 1, min(count, most))})


def _frame(sheet: np.ndarray, rows: int, row: int) -> np.ndarray:
    """A row of the sheet, whose images have a pixel of white between them, as DOWN rows of ACROSS images, white below each."""
    side = (len(sheet) + 1) // rows - 1
    strip = sheet[row * (side + 1) :][:side]
    step = -(-side // SIDE)
    images = [_halved(strip[:, place * (side + 1) :][:, :side], step) for place in range(ACROSS * DOWN)]
    padded = [np.pad(each, [(0, 1), (0, 1), *[(0, 0)] * (each.ndim - 2)], constant_values=255) for each in images]
    return np.concatenate([np.concatenate(padded[start : start + ACROSS], axis=1) for start in range(0, len(padded), ACROSS)])


def _halved(image: np.ndarray, step: int) -> np.ndarray:
    """An image averaged over squares of `step` pixels."""
    side = len(image) // step
    squares = image[: side * step, : side * step].reshape(side, step, side, step, *image.shape[2:])
    halved: np.ndarray = squares.mean(axis=(1, 3)).round().astype(np.uint8)
    return halved


def _small(frames: np.ndarray) -> Image.Image:
    """Grey in LEVELS levels; colours as they are."""
    if frames.ndim == 3:
        return Image.fromarray(frames)
    levels = np.round(frames / 255 * (LEVELS - 1)).astype(np.uint8)
    picture = Image.fromarray(levels, "P")
    picture.putpalette(bytes(round(255 * level / (LEVELS - 1)) for level in range(LEVELS) for _ in range(3)))
    return picture
