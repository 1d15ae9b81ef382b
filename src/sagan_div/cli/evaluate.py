"""Commands that score images, samples and statistics outside of a study."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sagan_div.cli import options, tables
from sagan_div.cli.machine import find_device, use_threads
from sagan_div.errors import UserError
from sagan_div.settings import read
from sagan_div.study import yaml12
from sagan_div.study.schema import Mode, TorchScriptConfig
from sagan_div.terminal import say, show, show_json

if TYPE_CHECKING:
    import torch

    from sagan_div.evaluation.spaces.extractor import Extractor

PLACES = options.together(
    click.argument("a", type=Path),
    click.argument("b", type=Path),
    click.option(
        "--mode", type=click.Choice(["fast", "exact"]), default="fast", show_default=True, help="exact: pytorch-fid's digits."
    ),
    click.option("--weights", type=Path, help="Inception's weights; not needed between two statistics."),
    click.option("--batch-size", type=click.IntRange(1), default=50, show_default=True),
    options.as_json,
    options.machine,
)


@click.command()
@PLACES
def fid(
    a: Path, b: Path, mode: Any, weights: Path | None, batch_size: int, as_json: bool, device: str, threads: int | None
) -> None:
    """FID between A and B: folders of images, samples (.npz), or statistics (.npz) of this tool or of pytorch-fid."""
    from sagan_div.evaluation import fid_between

    use_threads(threads)
    value = fid_between.fid(a, b, weights, find_device(device), mode, batch_size)
    if as_json:
        show_json({"fid": value, "a": str(a), "b": str(b), "mode": mode})
    else:
        say(f"FID: {value}")


@click.command()
@click.option(
    "--space",
    default="inception",
    show_default=True,
    metavar="SPACE",
    help="inception; classifier:FILE; torchscript:FILE, a YAML file with the mapping that score.extractors takes.",
)
@click.option("--held-out", type=Path, help="Real images that no network was trained on, for memorisation; B was trained on.")
@PLACES
def evaluate(
    a: Path,
    b: Path,
    space: str,
    held_out: Path | None,
    mode: Mode,
    weights: Path | None,
    batch_size: int,
    as_json: bool,
    device: str,
    threads: int | None,
) -> None:
    """All metrics of generated images A against real ones B: folders, samples (.npz), or statistics, which give FID alone."""
    from sagan_div.evaluation.evaluate import Evaluation

    use_threads(threads)
    found = Evaluation(_extractor(space, weights, find_device(device), mode), mode, batch_size)(a, b, held_out)
    if as_json:
        show_json(found)
    else:
        show(tables.evaluation(found))


def _extractor(space: str, weights: Path | None, device: "torch.device", mode: Mode) -> "Extractor | None":
    """The feature space of an option; none for Inception's without weights, which statistics do not need."""
    kind, _, file = space.partition(":")
    if kind == "inception" and not file:
        from sagan_div.evaluation.spaces.inception import inception_extractor

        return inception_extractor(weights, device, mode) if weights else None
    if kind == "classifier" and file:
        from sagan_div.evaluation.spaces.classifier import classifier_extractor

        return classifier_extractor(Path(file), device, fitting=True)
    if kind == "torchscript" and file:
        from sagan_div.evaluation.spaces.torchscript import torchscript_extractor

        return torchscript_extractor(read(TorchScriptConfig, yaml12.mapping(Path(file)), file), device)
    raise UserError(f"--space {space}: unknown; use inception, classifier:FILE or torchscript:FILE")


COMMANDS: list[click.Command] = [fid, evaluate]
