"""Commands about images and the generators that draw them."""

from collections.abc import Sequence
from pathlib import Path

import click

from sagan_div.cli import options
from sagan_div.cli.machine import find_device
from sagan_div.errors import UserError
from sagan_div.study.load import load
from sagan_div.terminal import say
from sagan_div.workflow.jobs import checkpoint as sampled_checkpoint


@click.command()
@click.argument("checkpoint", type=Path)
@click.option("--out", type=Path, required=True, help="The folder to write to: a new one, or an empty one.")
@click.option("--count", type=click.IntRange(1), default=64, show_default=True, help="How many images.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the latents.")
@click.option(
    "--sampler",
    type=click.Choice(["distinct", "repeat-last-batch"]),
    default="distinct",
    show_default=True,
    help="repeat-last-batch: each image stretched, and all repeated to more than 10,000 files, as by the author's code.",
)
@options.device
def generate(checkpoint: Path, out: Path, count: int, seed: int, sampler: str, device: str) -> None:
    """Draw PNG images from the generator of CHECKPOINT: best.safetensors, last.safetensors, or what export made of one."""
    from sagan_div.data.pictures import save_pictures
    from sagan_div.evaluation import author_sampler
    from sagan_div.models import sampling

    if checkpoint.suffix in (".pt", ".onnx"):
        raise UserError(f"{checkpoint}: generate reads safetensors; the README.md beside this file says how to load it")
    if checkpoint.is_file() and checkpoint.suffix != ".safetensors":
        raise UserError(f"{checkpoint}: is no checkpoint; generate reads .safetensors files, such as a cell's best.safetensors")
    if out.is_dir() and any(out.iterdir()):
        raise UserError(f"{out}: is not empty; name a new folder by --out, so that no images of another origin are among these")
    generator, shape, _ = sampling.load_generator(checkpoint, find_device(device))
    images = sampling.draw(generator, shape.latent, count, min(count, 500), seed, "generate")
    save_pictures(out, author_sampler.written(images) if sampler == "repeat-last-batch" else images)
    say(str(out))


@click.command()
@click.argument("cell", shell_complete=options.among_cells)
@click.option(
    "--format",
    "form",
    type=click.Choice(["safetensors", "torchscript", "onnx"]),
    default="safetensors",
    show_default=True,
    help="safetensors: what generate reads; the others need no sagan-div to be loaded.",
)
@click.option("--out", type=Path, help="The folder to write to; exports/DATASET/METHOD/seedN without it.")
@click.option("--to-hub", metavar="OWNER/NAME", help="Upload the folder's export to this repository of a Hugging Face hub.")
@click.option("--replace", is_flag=True, help="With --to-hub: replace another export that is there; its history keeps it.")
@options.study_and_results
def export(
    cell: str,
    form: str,
    out: Path | None,
    to_hub: str | None,
    replace: bool,
    params: Path,
    overlays: Sequence[Path],
    sets: Sequence[str],
) -> None:
    """Write the generator of CELL, such as mnist/sagan-div-d/seed0 or a checkpoint's path, and a model card beside it."""
    from sagan_div.report import export, hub

    if replace and to_hub is None:
        raise click.UsageError("--replace: goes with --to-hub alone.")
    repository = None if to_hub is None else hub.repository(to_hub)
    given = cell.endswith(".safetensors")
    checkpoint = Path(cell) if given else sampled_checkpoint(load(params, overlays, sets), cell)
    done = export.export(checkpoint, form, out or Path("exports", *checkpoint.resolve().parts[1:-1][-3:]))
    say(str(done.folder / export.NAMES[form]))
    if repository:
        say(repository.upload(done, replace))


COMMANDS: list[click.Command] = [generate, export]
