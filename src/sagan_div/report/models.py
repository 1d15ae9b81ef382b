"""The networks that a study publishes beside its page, small enough for git: they draw and judge without its other artefacts.

For each dataset: a generator for each method, that of the first seed which the study samples, with a card; the classifier; the
moments of the real images in its feature space. Where a run has left none, the file says why.
"""

import copy
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor

from sagan_div.evaluation.statistics import NO_MOMENTS, load_statistics, statistics_file
from sagan_div.models import checkpoints, sampling
from sagan_div.models.networks import Generator, Shape
from sagan_div.report import catalogue, export
from sagan_div.report.gather import Cell, Results, at

COMPARED = 64  # images, by which half precision is judged


def published(results: Results) -> Iterator[tuple[str, bytes]]:
    """Every published file by its path inside the results, of those that `catalogue` names."""
    wanted = catalogue.models(results.study)
    for dataset in results.datasets:
        for method in results.methods:
            cell = dataset, method, results.study.seeds[0]
            name = catalogue.generator(dataset, method)
            source, why = sampled_from(results, cell)
            yield name, checkpoints.packed({}, {"why": why}) if why else _generator(source)
            card = (
                f"This generator is not there: {why}.\n"
                if why
                else export.card(source, {"safetensors": results.layout.results / name})
            )
            yield catalogue.card(dataset, method), card.encode()
        found = {catalogue.classifier(dataset): _classifier, catalogue.moments(dataset): _moments}
        yield from ((name, content(results, (dataset, "", 0))) for name, content in found.items() if name in wanted)


def sampled_from(results: Results, cell: Cell) -> tuple[Path, str | None]:
    """The checkpoint that a cell's samples are drawn from, and why it holds no generator."""
    paths = {name: results.at("train", f"{name}.safetensors", cell) for name in ("best", "last")}
    if not all(path.exists() for path in paths.values()):
        return paths["best"], "the cell has not been trained"
    name, why = sampling.standing(paths, results.select(cell[1]))
    return paths[name], why


def _generator(source: Path) -> bytes:
    """The generator of a checkpoint, in half precision where that moves no pixel by more than one grey level."""
    generator, shape, _ = sampling.load_generator(source, torch.device("cpu"))
    tensors, about = checkpoints.load(source)
    whole = {name: tensor for name, tensor in tensors.items() if name.startswith("generator.")}
    halved = {name: tensor.half() if tensor.is_floating_point() else tensor for name, tensor in whole.items()}
    return checkpoints.packed(halved if _draw_alike(generator, shape, halved) else whole, about)


def _draw_alike(generator: Generator, shape: Shape, halved: Mapping[str, Tensor]) -> bool:
    """Whether a generator and the same with halved numbers draw the same images to a grey level."""
    if not all(tensor.isfinite().all() for tensor in halved.values()):  # too large for half precision
        return False
    other = copy.deepcopy(generator)
    other.load_state_dict(checkpoints.part(halved, "generator"))
    first, second = (sampling.draw(each, shape.latent, COMPARED, COMPARED, 0, "generate").int() for each in (generator, other))
    return bool((first - second).abs().max() <= 1)


def _classifier(results: Results, dataset: Cell) -> bytes:
    path = at(results.layout.classifier, dataset)
    return path.read_bytes() if path.exists() else checkpoints.packed({}, {"why": "it has not been trained"})


def _moments(results: Results, dataset: Cell) -> bytes:
    path = Path(str(results.layout.statistics).format(dataset=dataset[0], extractor="classifier"))
    return statistics_file(load_statistics(path) if path.exists() else NO_MOMENTS)
