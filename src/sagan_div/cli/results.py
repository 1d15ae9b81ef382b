"""Commands that show what a study is, takes, and has found."""

from collections.abc import Sequence
from pathlib import Path

import click

from sagan_div import files
from sagan_div.cli import options, tables
from sagan_div.cli.machine import find_device, use_threads
from sagan_div.errors import UserError
from sagan_div.study.job_settings import TrainSettings
from sagan_div.study.load import load
from sagan_div.study.schema import Study
from sagan_div.terminal import note, say, show, show_json
from sagan_div.workflow import advice
from sagan_div.workflow.crate import METADATA
from sagan_div.workflow.crate import text as crate_text
from sagan_div.workflow.jobs import jobs, planned
from sagan_div.workflow.kinds import TRAIN
from sagan_div.workflow.layout import Layout
from sagan_div.workflow.records import recorded
from sagan_div.workflow.resources import save_estimate
from sagan_div.workflow.staleness import survey, survey_report


@click.command()
@options.as_json
@options.study_and_results
def summary(as_json: bool, params: Path, overlays: Sequence[Path], sets: Sequence[str]) -> None:
    """Print the table of a study's scores, and where its page is."""
    from sagan_div.report import report

    study = load(params, overlays, sets)
    layout = Layout(study.study)
    page = report.outputs(study, layout)["page"]
    if as_json:
        show_json({"study": study.study, "page": str(page), "scores": report.scores(study, layout)})
    else:
        show(report.summary(study, layout))
        if page.is_file():
            say(str(page))
        else:
            note(advice.for_study(f"{page}: is not written yet; `sagan-div report` writes it", params, overlays, sets))


@click.command()
@options.study_and_results
def crate(params: Path, overlays: Sequence[Path], sets: Sequence[str]) -> None:
    """Describe the jobs that are up to date as a Workflow Run RO-Crate: ro-crate-metadata.json in this folder."""
    from sagan_div.report.report import outputs

    study = load(params, overlays, sets)
    states = [*survey(study), survey_report(study, outputs(study, Layout(study.study)))]
    files.write_text(METADATA, crate_text(study, states))
    say(str(METADATA))


@click.command()
@click.argument("a")
@click.argument("b")
@click.option("--all", "every", is_flag=True, help="Every measure, not FID alone.")
@options.as_json
def compare(a: str, b: str, every: bool, as_json: bool) -> None:
    """Set the scores of A and B side by side: folders of results, or git revisions (HEAD~1, or HEAD~1:results/NAME)."""
    from sagan_div.report import comparison

    rows = comparison.compare(comparison.read(a), comparison.read(b), every)
    if as_json:
        show_json([row.as_dict() for row in rows])
    else:
        show(comparison.table(rows, a, b))


@click.command()
@click.argument("method", shell_complete=options.among_methods)
@click.option("--channels", type=click.IntRange(1), default=1, show_default=True, help="Of the images: 1 grey, 3 colour.")
@options.as_json
@options.study
def describe(method: str, channels: int, as_json: bool, params: Path, overlays: Sequence[Path], sets: Sequence[str]) -> None:
    """Print METHOD's networks: each layer with output shape, parameters and FLOPs per image (Table 1)."""
    import torch

    from sagan_div.models.describe import describe as describe_layers
    from sagan_div.models.networks import Shape, build

    study = load(params, overlays, sets)
    if method not in study.methods:
        raise UserError(f"{method}: is no method of the study; it has {', '.join(study.methods)}")
    shape = Shape(study.image_size, channels, study.width, study.latent)
    with torch.device("meta"):  # shapes without numbers: no width is too large for it
        generator, critic = build(study.methods[method], shape, seed=0)
        layers = {"generator": describe_layers(generator, shape), "critic": describe_layers(critic, shape)}
    if as_json:
        show_json({"method": method} | {name: [row._asdict() for row in rows] for name, rows in layers.items()})
        return
    for name, rows in layers.items():
        show(tables.layers(f"{method}: {name}", rows))


@click.command()
@click.option("--save", is_flag=True, help="Keep it in logs/: until a cell was trained, rules ask a cluster for that time.")
@options.as_json
@options.machine
@options.study
def estimate(
    save: bool, as_json: bool, device: str, threads: int | None, params: Path, overlays: Sequence[Path], sets: Sequence[str]
) -> None:
    """Time some cycles of every method here, and print what training the whole study will take.

    Not included: ratings, scores, and what other jobs take of the same device.
    """
    from sagan_div.training.estimate import measure

    study = load(params, overlays, sets)
    use_threads(threads)
    found, seeds = [], len(study.seeds)
    for channels, datasets in _by_channels(study).items():
        for method in study.methods:
            note(f"{method}: timing, {channels} channel{'s' if channels > 1 else ''}")
            cell = planned(study, TRAIN, {"dataset": datasets[0], "method": method, "seed": study.seeds[0]})
            assert isinstance(cell.settings, TrainSettings)
            cells = len(datasets) * seeds
            found.append(measure(cell.settings, find_device(device), cells, study.sample.count, channels))
    if save:
        hours = sorted((row.method, row.device_hours / row.cells) for row in found)  # of two kinds of images the slower counts
        path = save_estimate(Layout(study.study), find_device(device).type, {method: 60 * each for method, each in hours})
        note(f"{path}: kept")
    if as_json:
        show_json([row._asdict() for row in found])
    else:
        show(tables.estimates(f"{study.study}: training on {find_device(device)}, one cell at a time", found))


def _by_channels(study: Study) -> dict[int, list[str]]:
    """The study's datasets by the channels of their images; a dataset that nobody has read yet counts as grey."""
    found: dict[int, list[str]] = {}
    for job in jobs(study, "data"):
        record = recorded(job.record) or {}
        shape = record.get("images", {}).get("train", [0, 1])
        found.setdefault(int(shape[1]), []).append(job.about["dataset"])
    return found


COMMANDS: list[click.Command] = [summary, compare, crate, describe, estimate]
