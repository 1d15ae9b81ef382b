"""Options that several commands share."""

from collections.abc import Callable, Iterable
from functools import wraps
from pathlib import Path
from typing import Any

import click

from sagan_div.errors import UserError
from sagan_div.study.load import load
from sagan_div.study.schema import OF_RECORD, Study
from sagan_div.workflow import advice
from sagan_div.workflow.jobs import cells
from sagan_div.workflow.kinds import WITHOUT_INCEPTION

Command = Callable[..., Any]
Decorator = Callable[[Command], Command]


def together(*decorators: Decorator) -> Decorator:
    """Several decorators as one; the first stands on top."""

    def decorate(command: Command) -> Command:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


def _among(names: Callable[[Study], Iterable[object]]) -> Callable[..., list[str]]:
    """What a shell completes an option with: names of the study that the line has chosen so far."""

    def complete(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
        try:
            study = load(context.params.get("params") or Path("params.yaml"), context.params.get("overlays") or ())
        except UserError:
            return []
        return [name for name in map(str, names(study)) if name.startswith(begun)]

    return complete


among_methods = _among(lambda study: study.methods)
among_cells = _among(lambda study: map("{dataset}/{method}/seed{seed}".format_map, cells(study)))


def _with_advice(command: Command) -> Command:
    """The command, whose errors advise commands about the same study."""

    @wraps(command)
    def do(**given: Any) -> Any:
        try:
            return command(**given)
        except UserError as error:
            if given.get("settings"):
                raise UserError(advice.for_study_named(str(error), given["name"] or OF_RECORD)) from None
            raise UserError(advice.for_study(str(error), given["params"], given["overlays"], given["sets"])) from None

    return do


def _among_results(command: Command) -> Command:
    """The command, refused where the study's results lie beside its file and none are here."""

    @wraps(command)
    def do(**given: Any) -> Any:
        home = given["params"].parent
        here = next(Path("results").rglob("*record.json"), None)
        if not here and home.resolve() != Path.cwd() and (home / "results").is_dir():
            raise UserError(
                f"--params {given['params']}: its results lie in {home / 'results'}, and commands use those of the folder "
                f"where they run; run this in {home}, or with a copy of {given['params'].name} here for results of its own"
            )
        return command(**given)

    return do


study = together(
    click.option("--params", type=Path, default=advice.PARAMS, show_default=True, help="The study's file."),
    click.option("--overlay", "overlays", type=Path, multiple=True, help="A file laid over it; repeatable."),
    click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="Laid over both, e.g. train.images=64000."),
    _with_advice,
)
study_and_results = together(study, _among_results)
mirror = click.option("--mirror", help="A folder or URL to fetch from; SAGAN_DIV_MIRROR names one as well.")
device = click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
threads = click.option("--threads", type=click.IntRange(1), help="CPU threads; other counts round differently.")
machine = together(device, threads)
as_json = click.option("--json", "as_json", is_flag=True, help="For another program: JSON on stdout.")

OF_A_KIND: dict[str, Decorator] = {  # by the names that kinds of job list under `options`
    "mirror": mirror,
    "optional": click.option(
        "--optional",
        is_flag=True,
        envvar=WITHOUT_INCEPTION,
        show_envvar=True,
        help="Go on without them where they cannot be had: scores in their space are then reported as not measured.",
    ),
    "device": device,
    "threads": threads,
    "tensorboard": click.option(
        "--tensorboard",
        type=Path,
        envvar="SAGAN_DIV_TENSORBOARD",
        show_envvar=True,
        help="A folder for TensorBoard, which draws the training while it runs; changes no result.",
    ),
    "dvclive": click.option(
        "--dvclive",
        type=Path,
        envvar="SAGAN_DIV_DVCLIVE",
        show_envvar=True,
        help="The same for DVC's view in VS Code and for Studio, by DVCLive.",
    ),
    "state": click.option(
        "--state",
        envvar="SAGAN_DIV_STATE",
        show_envvar=True,
        help="A folder or bucket (s3://bucket/folder) that keeps the saved state too: another machine continues from there.",
    ),
}
WILDCARDS: dict[str, Decorator] = {
    "dataset": click.option(
        "--dataset",
        shell_complete=_among(lambda study: [dataset.name for dataset in study.datasets]),
        help="One dataset of the study; all without it.",
    ),
    "method": click.option("--method", shell_complete=among_methods, help="One method of the study; all without it."),
    "seed": click.option(
        "--seed", type=int, shell_complete=_among(lambda study: study.seeds), help="One seed of the study; all without it."
    ),
    "extractor": click.option(
        "--extractor",
        shell_complete=_among(lambda study: study.score.spaces),
        help="One feature space of the study; all without it.",
    ),
}
job = together(
    click.option("--again", is_flag=True, help="Also what is up to date."),
    click.option("--settings", metavar="JSON", hidden=True, help="A job's settings as Snakemake's rules hand them over."),
    click.option("--study", "name", hidden=True, help="With --settings: whose folders are used."),
    click.option("--root", type=Path, default=".", hidden=True, help="With --settings: the folder in which they lie."),
)
