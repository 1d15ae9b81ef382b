"""Images as readers see them: samples beside real images, their nearest training images, and walks between latents."""

import base64
import io
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor

from sagan_div import arrays
from sagan_div.data.images import resized, shuffled
from sagan_div.data.pictures import grid
from sagan_div.data.randomness import latents
from sagan_div.data.samples import load_samples, why_none
from sagan_div.models import sampling
from sagan_div.report import paper
from sagan_div.report.gather import Cell, Results, at
from sagan_div.report.models import sampled_from

ACROSS, DOWN = 8, 8
STRIP = 12  # images of a strip
WALKS = 3  # of ACROSS steps each


@dataclass(frozen=True)
class Panel:
    """A picture and its title, and the method that it is of; no picture where nothing has been run."""

    title: str
    picture: Image.Image | None
    method: str = ""


Albums = dict[str, list[Panel]]


def albums(results: Results, dataset: str) -> Albums:
    """A dataset's panels by kind (strip, samples, neighbours, interpolations): a panel for each method, of its first seed there
    is. Cells of one seed share their latents, so the images at a place of several samples are of the same one."""
    path = at(results.layout.images("train"), (dataset, "", 0))
    real = torch.from_numpy(arrays.read(path)) if path.exists() else None
    found: Albums = {"samples": [_real(results, real, ACROSS * DOWN, ACROSS)], "neighbours": [], "interpolations": []}
    found["strip"] = [_real(results, real, STRIP, STRIP)]
    for method in results.methods:
        cell = first_sampled(results, dataset, method)
        named = title(results, dataset, method, cell)
        drawn = load_samples(results.at("sample", "samples.npz", cell)) if cell else None
        nearest = results.entries.get(cell, {}).get("classifier", {}).get("neighbours") if cell else None
        beside = None if drawn is None or real is None or not nearest else _neighbours(drawn, real[nearest])
        for kind, picture in {
            "strip": None if drawn is None else grid(drawn[:STRIP], STRIP),
            "samples": None if drawn is None else grid(drawn[: ACROSS * DOWN], ACROSS),
            "neighbours": beside,
            "interpolations": _walks(results, cell) if cell else None,
        }.items():
            found[kind].append(Panel(named, picture, method))
    return found


def first_sampled(results: Results, dataset: str, method: str) -> Cell | None:
    """The cell of a method's first seed that has samples."""
    return next((cell for seed in results.study.seeds if _is_there(results, cell := (dataset, method, seed))), None)


def title(results: Results, dataset: str, method: str, cell: Cell | None) -> str:
    """`DCGAN, seed 0: collapsed`; without a cell, what the method's runs are marked with."""
    if cell is None:
        return ": ".join(filter(None, [paper.label(method), results.marks(dataset, method)]))
    return ": ".join(filter(None, [f"{paper.label(method)}, seed {cell[2]}", results.marked(dataset, method)[cell[2]]]))


def _is_there(results: Results, cell: Cell) -> bool:
    path = results.at("sample", "samples.npz", cell)
    return path.exists() and why_none(path) is None


def _real(results: Results, real: Tensor | None, count: int, across: int) -> Panel:
    """The first training images of a seeded permutation at the study's size."""
    if real is None:
        return Panel("Real images", None)
    return Panel("Real images", grid(resized(real[shuffled(len(real))[:count]], results.study.image_size), across))


def _neighbours(drawn: Tensor, nearest: Tensor) -> Image.Image:
    """The first samples in the upper row, the training images nearest to them under it."""
    return grid(torch.cat([drawn[: len(nearest)], resized(nearest, drawn.shape[-1])]), len(nearest))


def _walks(results: Results, cell: Cell) -> Image.Image | None:
    """Images along the arcs between pairs of latents, a walk per row, from the generator that was sampled."""
    path, why = sampled_from(results, cell)
    if why:
        return None
    generator, shape, _ = sampling.load_generator(path, torch.device("cpu"))
    ends = latents(cell[2], "sample", 0, 2 * WALKS, shape.latent).flatten(1)
    with torch.no_grad():
        walked = [
            generator(arc(start, end, ACROSS)[:, :, None, None]) for start, end in zip(ends[::2], ends[1::2], strict=True)
        ]
    return grid(sampling.to_uint8(torch.cat(walked)), ACROSS)


def arc(start: Tensor, end: Tensor, steps: int) -> Tensor:
    """`steps` latents [steps, d] along the great circle from `start` to `end` [d]: a straight line would cut through the
    sphere that normal latents lie on."""
    angle = torch.arccos(torch.nn.functional.cosine_similarity(start, end, dim=0).clamp(-1, 1))
    share = torch.linspace(0, 1, steps)[:, None]
    if torch.sin(angle) < 1e-6:
        return torch.lerp(start, end, share)
    return (torch.sin((1 - share) * angle) * start + torch.sin(share * angle) * end) / torch.sin(angle)


def address(picture: Image.Image) -> str:
    """A picture as the data address of a PNG."""
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(buffer.getvalue()).decode()}"
