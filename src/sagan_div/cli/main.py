"""The command line: parse, call one function, turn an error into one line."""

import os
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import click
from rich.table import Table

from sagan_div import __version__
from sagan_div.errors import Interrupted, UserError
from sagan_div.phases import gpu_slots as devices
from sagan_div.study import schema as config
from sagan_div.study.load import load
from sagan_div.terminal import note, show, show_json
from sagan_div.workflow import plan

Command = Callable[..., Any]
Decorator = Callable[[Command], Command]


def _together(*decorators: Decorator) -> Decorator:
    def decorate(command: Command) -> Command:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


def _among(names: Callable[[config.Study], Iterable[object]]) -> Callable[..., list[str]]:
    """What a shell completes an option with: names of the study that the line has chosen so far."""

    def complete(context: click.Context, parameter: click.Parameter, begun: str) -> list[str]:
        try:
            study = load(context.params.get("params") or Path("params.yaml"), context.params.get("overlays") or ())
        except UserError:
            return []
        return [name for name in map(str, names(study)) if name.startswith(begun)]

    return complete


among_datasets = _among(lambda study: [dataset.name for dataset in study.datasets])
among_methods = _among(lambda study: study.methods)
among_seeds = _among(lambda study: study.seeds)
among_cells = _among(lambda study: map("{dataset}/{method}/seed{seed}".format_map, plan.cells(study)))

study_options = _together(
    click.option("--params", type=Path, default="params.yaml", show_default=True, help="The study's file."),
    click.option("--overlay", "overlays", type=Path, multiple=True, help="A file laid over it; repeatable."),
    click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="Laid over both, e.g. train.images=64000."),
)
dataset_option = click.option("--dataset", shell_complete=among_datasets, help="One dataset of the study; all without it.")
cell_options = _together(
    dataset_option,
    click.option("--method", shell_complete=among_methods, help="One method of the study; all without it."),
    click.option("--seed", type=int, shell_complete=among_seeds, help="One seed of the study; all without it."),
)
device_option = click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda or cuda:N.")
machine_options = _together(
    device_option, click.option("--threads", type=click.IntRange(1), help="CPU threads; other counts round differently.")
)
mirror_option = click.option("--mirror", help="A folder or URL to fetch from; SAGAN_DIV_MIRROR names one as well.")
job_options = _together(
    click.option("--again", is_flag=True, help="Also what is up to date."),
    click.option(
        "--settings", metavar="JSON", help="A job's settings, as Snakemake's rules hand them over, instead of the study's."
    ),
    click.option(
        "--study", "name", default="main", show_default=True, help="With --settings: the study whose folders are used."
    ),
)


json_option = click.option("--json", "as_json", is_flag=True, help="For another program: JSON on stdout.")


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__)
def app() -> None:
    """A reproduction of SAGAN-div: train, sample and score seven GANs, and set them beside the paper's numbers.

    `snakemake --cores 2` runs the whole study; the commands below are its phases, each usable by hand, and a few tools.
    A phase without --dataset, --method or --seed does all that is not up to date.
    """


@app.command()
@dataset_option
@mirror_option
@study_options
@job_options
def data(mirror: str | None, **options: Any) -> None:
    """Fetch a dataset, verify it, decode it to uint8 arrays."""
    _work(_chosen("data", **options), mirror=mirror)


@app.command()
@click.option("--optional", is_flag=True, help="Leave word instead of failing where they cannot be had.")
@mirror_option
@study_options
@job_options
def weights(mirror: str | None, optional: bool, **options: Any) -> None:
    """Fetch the published weights of pytorch-fid's Inception network and verify them."""
    _work(_chosen("weights", **options), mirror=mirror, optional=optional)


@app.command()
@dataset_option
@machine_options
@study_options
@job_options
def classifier(device: str, threads: int | None, **options: Any) -> None:
    """Train a dataset's domain classifier: a feature space beside Inception's."""
    _work(_chosen("classifier", **options), device, threads)


@app.command()
@dataset_option
@machine_options
@study_options
@job_options
def reference(device: str, threads: int | None, **options: Any) -> None:
    """Compute the statistics of real images that samples are compared with."""
    _work(_chosen("reference", **options), device, threads)


@app.command()
@dataset_option
@machine_options
@study_options
@job_options
def floor(device: str, threads: int | None, **options: Any) -> None:
    """Score real images against real ones, for each number of images: the floor of every score."""
    _work(_chosen("floor", **options), device, threads)


@app.command()
@cell_options
@click.option(
    "--live",
    type=Path,
    envvar="SAGAN_DIV_LIVE",
    show_envvar=True,
    help="A folder for TensorBoard, which draws the training while it runs; changes no result.",
)
@machine_options
@study_options
@job_options
def train(live: Path | None, device: str, threads: int | None, **options: Any) -> None:
    """Train a method on a dataset; started again after an interruption, it continues where it was."""
    _work(_chosen("train", **options), device, threads, live=live)


@app.command()
@cell_options
@machine_options
@study_options
@job_options
def sample(device: str, threads: int | None, **options: Any) -> None:
    """Draw images from a trained generator."""
    _work(_chosen("sample", **options), device, threads)


@app.command()
@cell_options
@machine_options
@study_options
@job_options
def score(device: str, threads: int | None, **options: Any) -> None:
    """Score the samples of a cell against real images."""
    _work(_chosen("score", **options), device, threads)


@app.command()
@study_options
@click.option("--settings", metavar="JSON", help="The whole study, as Snakemake's rule hands it over.")
def report(params: Path, overlays: Sequence[Path], sets: Sequence[str], settings: str | None) -> None:
    """Gather the scores into tables, figures and one page, beside the paper's values."""
    from sagan_div.report import report as room

    study = plan.told("report", settings) if settings else load(params, overlays, sets)
    assert isinstance(study, config.Study)
    plan.require(study)
    layout = plan.Layout(study.study)
    print(room.write(study, layout, note))
    plan.record(plan.report(study, room.outputs(study, layout)), {})


@app.command()
@json_option
@study_options
def summary(as_json: bool, params: Path, overlays: Sequence[Path], sets: Sequence[str]) -> None:
    """Print the table of a study's scores, and where its page is."""
    from sagan_div.report import report as room

    study = load(params, overlays, sets)
    layout = plan.Layout(study.study)
    page = room.outputs(study, layout)["page"]
    if as_json:
        show_json({"study": study.study, "page": str(page), "scores": room.scores(study, layout)})
    else:
        show(room.summary(study, layout))
        print(page)


@app.command()
@click.argument("phase", required=False, type=click.Choice(plan.PHASES))
@study_options
def prune(phase: str | None, params: Path, overlays: Sequence[Path], sets: Sequence[str]) -> None:
    """Delete artefacts of PHASE (all without it) that do not fit the study, so that they are made again."""
    study = load(params, overlays, sets)
    for each in [phase] if phase else plan.PHASES:
        for line in plan.prune(study, each):
            note(line)


@app.command()
@click.argument("method", shell_complete=among_methods)
@click.option("--channels", type=click.IntRange(1), default=1, show_default=True, help="Of the images: 1 grey, 3 colour.")
@json_option
@study_options
def describe(method: str, channels: int, as_json: bool, params: Path, overlays: Sequence[Path], sets: Sequence[str]) -> None:
    """Print METHOD's networks: each layer with output shape, parameters and FLOPs per image (Table 1)."""
    from sagan_div.models.describe import describe as describe_layers
    from sagan_div.models.networks import Shape, build

    study = load(params, overlays, sets)
    recipe = study.methods[_known("method", method, study.methods)]
    shape = Shape(study.image_size, channels, study.width, study.latent)
    generator, critic = build(recipe, shape, seed=0)
    layers = {"generator": describe_layers(generator, shape), "critic": describe_layers(critic, shape)}
    if as_json:
        show_json({"method": method} | {name: [row._asdict() for row in rows] for name, rows in layers.items()})
        return
    for name, rows in layers.items():
        show(_table(f"{method}: {name}", rows))


@app.command()
@json_option
@machine_options
@study_options
def estimate(
    as_json: bool, device: str, threads: int | None, params: Path, overlays: Sequence[Path], sets: Sequence[str]
) -> None:
    """Time some cycles of every method here, and print what training the whole study will take.

    Ratings, scores and what other jobs on the same device take away are not in it.
    """
    from sagan_div.study.job_settings import TrainSettings
    from sagan_div.training.estimate import measure, table

    study = load(params, overlays, sets)
    _use(threads)
    found = []
    for method in study.methods:
        note(f"{method}: timing")
        settings = plan.settings(study, "train", study.datasets[0].name, method, study.seeds[0])
        assert isinstance(settings, TrainSettings)
        cells = len(study.datasets) * len(study.seeds)
        found.append(measure(settings, _device(device), cells, study.sample.count))
    if as_json:
        show_json([row._asdict() for row in found])
    else:
        show(table(found, f"{study.study}: training on {_device(device)}, one cell at a time"))


@app.command()
@click.argument("checkpoint", type=Path)
@click.option("--out", type=Path, required=True, help="The folder to write to.")
@click.option("--count", type=click.IntRange(1), default=64, show_default=True, help="How many images.")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the latents.")
@click.option(
    "--sampler",
    type=click.Choice(["distinct", "repeat-last-batch"]),
    default="distinct",
    show_default=True,
    help="repeat-last-batch: each image stretched, and all written over and over past 10,000 files, as the author's code did.",
)
@device_option
def generate(checkpoint: Path, out: Path, count: int, seed: int, sampler: str, device: str) -> None:
    """Draw PNG images from the generator of CHECKPOINT: best.safetensors, last.safetensors, or what export made of one."""
    from sagan_div.data.pictures import save_pictures
    from sagan_div.evaluation import author_sampler
    from sagan_div.models import sampling

    if checkpoint.suffix in (".pt", ".onnx"):
        raise UserError(f"{checkpoint}: generate reads safetensors; the README.md beside this file says how to load it")
    generator, shape, _ = sampling.load_generator(checkpoint, _device(device))
    images = sampling.draw(generator, shape.latent, count, min(count, 500), seed, "generate")
    save_pictures(out, author_sampler.written(images) if sampler == "repeat-last-batch" else images)
    print(out)


@app.command()
@click.argument("cell", shell_complete=among_cells)
@click.option(
    "--format",
    "form",
    type=click.Choice(["safetensors", "torchscript", "onnx"]),
    default="safetensors",
    show_default=True,
    help="safetensors: what generate reads; the others need no sagan-div to be loaded.",
)
@click.option("--out", type=Path, help="The folder to write to; exports/DATASET/METHOD/seedN without it.")
@study_options
def export(cell: str, form: str, out: Path | None, params: Path, overlays: Sequence[Path], sets: Sequence[str]) -> None:
    """Write the generator of CELL, such as mnist/sagan-div-d/seed0 or a checkpoint's path, and a model card beside it."""
    from sagan_div.report import export as sharing

    given = cell.endswith(".safetensors")
    checkpoint = Path(cell) if given else plan.checkpoint(load(params, overlays, sets), cell)
    print(sharing.export(checkpoint, form, out or Path("exports", *checkpoint.absolute().parts[-4:-1])))


@app.command()
@click.argument("a")
@click.argument("b")
@click.option("--all", "every", is_flag=True, help="Every measure, not FID alone.")
@json_option
def compare(a: str, b: str, every: bool, as_json: bool) -> None:
    """Set the scores of A and B side by side: folders of results, or git revisions (HEAD~1, or HEAD~1:results/NAME)."""
    from sagan_div.report import comparison

    rows = comparison.compare(comparison.read(a), comparison.read(b), every)
    if as_json:
        show_json([row.as_dict() for row in rows])
    else:
        show(comparison.table(rows, a, b))


@app.command()
@click.argument("a", type=Path)
@click.argument("b", type=Path)
@click.option(
    "--mode", type=click.Choice(["fast", "exact"]), default="fast", show_default=True, help="exact: pytorch-fid's digits."
)
@click.option("--weights", type=Path, help="Inception's weights; not needed between two statistics.")
@click.option("--batch-size", type=click.IntRange(1), default=50, show_default=True)
@json_option
@machine_options
def fid(
    a: Path, b: Path, mode: Any, weights: Path | None, batch_size: int, as_json: bool, device: str, threads: int | None
) -> None:
    """FID between A and B: folders of images, samples (.npz), or statistics (.npz) of this tool or of pytorch-fid."""
    from sagan_div.evaluation import fid_between

    _use(threads)
    value = fid_between.fid(a, b, weights, _device(device), mode, batch_size)
    if as_json:
        show_json({"fid": value, "a": str(a), "b": str(b), "mode": mode})
    else:
        print(f"FID: {value}")


def _chosen(
    kind: str,
    settings: str | None,
    name: str,
    params: Path,
    overlays: Sequence[Path],
    sets: Sequence[str],
    again: bool,
    **only: Any,
) -> list[plan.Job]:
    """The jobs to do: the one that a rule hands over, or those of the study that the options leave."""
    if settings is not None:
        return [plan.job(kind, plan.told(kind, settings), plan.Layout(name))]
    study = load(params, overlays, sets)
    for key, known in (("dataset", [d.name for d in study.datasets]), ("method", list(study.methods)), ("seed", study.seeds)):
        if only.get(key) is not None:
            _known(key, only[key], known)
    wanted = {key: value for key, value in only.items() if value is not None}
    found = [each for each in plan.jobs(study, plan.phase_of(kind)) if each.kind == kind and each.concerns(wanted)]
    plan.require(study, found)
    todo = [each for each in found if again or not plan.done(study, each)]
    for each in found:
        if each not in todo:
            note(f"{each.name}: up to date")
    return todo


def _known(key: str, name: Any, known: Any) -> Any:
    if name not in known:
        raise UserError(f"--{key}: {name} is not in the study; it has {', '.join(map(str, known))}")
    return name


def _work(
    jobs: Sequence[plan.Job],
    device: str = "cpu",
    threads: int | None = None,
    mirror: str | None = None,
    optional: bool = False,
    live: Path | None = None,
) -> None:
    if not jobs:
        return
    devices.take(device, note)
    from sagan_div.phases.machine import Machine
    from sagan_div.phases.run import run

    _use(threads)
    machine = Machine(_device(device), mirror, optional, live)
    for job in jobs:
        run(job, machine)


def _use(threads: int | None) -> None:
    """The same bits from every run: deterministic algorithms, and a number of threads that is chosen.

    NumPy's and SciPy's too: the root of covariances without full rank differs in the eighth digit between 1 and 2 threads.
    """
    import scipy.linalg  # noqa: F401 (only libraries that are loaded can be limited)
    import torch
    from threadpoolctl import threadpool_limits

    if threads is not None:
        torch.set_num_threads(threads)
        threadpool_limits(threads, "blas")
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # without it, matrix products on CUDA may vary from run to run
    torch.use_deterministic_algorithms(True)
    # filling memory that is written anyway would take a tenth of the time
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def _device(name: str) -> Any:
    import torch

    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UserError(f"--device {name}: unknown; use auto, cpu, cuda or cuda:N") from None
    if device.type not in ("cpu", "cuda"):
        raise UserError(f"--device {name}: only cpu and cuda are supported")
    count = torch.cuda.device_count() if device.type == "cuda" else 1
    if device.type == "cuda" and (not torch.cuda.is_available() or (device.index or 0) >= count):
        raise UserError(f"--device {name}: this machine offers PyTorch {count} CUDA devices; use --device auto or cpu")
    return device


def _table(title: str, rows: Sequence[Any]) -> Table:
    table = Table(title=title, title_justify="left")
    for column in ("block", "layer", "k / s / p", "output", "parameters", "MFLOP/image"):
        table.add_column(column, justify="left" if column in ("layer", "k / s / p", "output") else "right", no_wrap=True)
    for row in rows:
        output = " x ".join(map(str, row.output)) or "1"
        flops = f"{row.flops / 1e6:,.2f}" if row.flops else ""
        table.add_row(str(row.block), row.name, row.kernel, output, f"{row.parameters:,}" if row.parameters else "", flops)
    table.add_section()
    table.add_row("", "all", "", "", f"{sum(row.parameters for row in rows):,}", f"{sum(row.flops for row in rows) / 1e6:,.2f}")
    return table


def main() -> None:
    """The console script: exit status 0, 2 for an error, 128 + the signal's number after an interruption."""
    try:
        sys.exit(app(standalone_mode=False))
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "sagan-div"
        _fail(f"{error.format_message()} (see {command} --help)", 2)
    except (UserError, click.ClickException) as error:
        _fail(str(error), 2)
    except Interrupted as stop:
        _fail(str(stop), 128 + stop.signal)
    except (KeyboardInterrupt, click.Abort):
        _fail("interrupted", 130)


def _fail(text: str, status: int) -> None:
    print(f"sagan-div: {' '.join(text.split())}", file=sys.stderr)
    sys.exit(status)
