"""One cell, trained. A run that diverges is a result like any other; this is what it leaves:

- `history.csv`: a last row with the losses as they were and `diverged` 1, a column that is empty in all other rows.
- `growth.png`: a row of images for each rating until then; blank where there was none.
- `record.json`: `diverged`, the images seen by then; other records have no such key. `best` is {} where no generator had been
  rated, and `rated_again` has no `last`.
- `last.safetensors`: the networks as they ended, with `diverged`; no generator is loaded from it. `best.safetensors`: the best
  rated generator; where none was rated no tensors, and `why` in words.
- `sample`: drawn from the best rated generator, whatever `select` says (`drawn_from` in its record). Without one `samples.npz`
  has no images, and `why` in words, and `grid.png` is blank.
- `metrics.json`: of no samples, {"fid": null, "why": "training diverged at image N and had rated no generator"} in every space.
"""

import copy
from collections.abc import Callable
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from sagan_div import files, terminal
from sagan_div.data.images import parts, read_images
from sagan_div.data.pictures import grid, save_picture
from sagan_div.errors import UserError
from sagan_div.evaluation.frechet import frechet_distance, moments
from sagan_div.evaluation.spaces.classifier import classifier_extractor
from sagan_div.evaluation.spaces.extractor import extract
from sagan_div.models import checkpoints, sampling
from sagan_div.models.networks import Generator
from sagan_div.phases.machine import About, Machine
from sagan_div.settings import plain
from sagan_div.study.job_settings import TrainSettings
from sagan_div.training import history, live, loop
from sagan_div.training.state import GROWN, Run
from sagan_div.workflow.jobs import Job
from sagan_div.workflow.records import state_path

Judge = Callable[[Generator, str], float]  # the FID of a generator by latents of a purpose
DRAWS = 5  # of fresh latents for the generators at the end


def work(job: Job, machine: Machine) -> About:
    """Train one cell, continuing its saved state; rate the best and the last generator again at the end."""
    settings = job.settings
    assert isinstance(settings, TrainSettings)
    images = read_images(job.inputs["images"], settings.image_size)
    judge = _judge(settings, images, job.inputs["classifier"], machine.device)
    with (
        terminal.bar(job.name, settings.train.images) as advance,
        live.watched(_progress(job, advance), _viewers(job, machine)) as progress,
    ):
        finished = loop.train(
            settings,
            images,
            lambda generator: judge(generator, "rating"),
            state_path(job),
            machine.device,
            progress,
        )
    _save(job, finished)
    diverged = {} if finished.diverged is None else {"diverged": finished.diverged}
    return diverged | {
        "images_per_second": round(finished.images / finished.seconds, 1),
        "earlier_seconds": round(finished.earlier, 3),
        "best": finished.best,
        "images": finished.images,
        "rated_again": _rated_again(finished, judge),
    }


def _viewers(job: Job, machine: Machine) -> list[live.Viewer]:
    """What draws the training while it runs, in a folder for each cell."""
    wanted = ((live.tensorboard, machine.tensorboard), (live.dvclive, machine.dvclive))
    place = job.layout.name(job.record).parent.parts[1:]
    return [view(Path(folder, *place)) for view, folder in wanted if folder]


def _save(job: Job, finished: Run) -> None:
    """Write the networks and the history of a run."""
    about = {"settings": plain(finished.settings), "channels": finished.shape.channels}
    last, best = about | {"images": finished.images}, about | finished.best
    if finished.diverged is not None:
        terminal.note(f"{job.name}: {history.divergence(finished)}")
        last |= {"diverged": finished.diverged}
    if not finished.best:
        diverged = f"training diverged at image {finished.diverged or 0:,} and had rated no generator"
        best |= {"why": "no rating was a finite number" if finished.diverged is None else diverged}
    networks = checkpoints.tensors_of(generator=finished.generator, critic=finished.critic)
    checkpoints.save(job.outputs["last"], networks, last)
    checkpoints.save(job.outputs["best"], finished.best_tensors, best)
    files.write_text(job.outputs["history"], history.text(finished))
    save_picture(job.outputs["growth"], _growth(finished))


def _growth(finished: Run) -> Image.Image:
    """A row for each rating, of the same latents: how the images of a run come to be."""
    blank = torch.full((GROWN, 1, 1, 1), 255, dtype=torch.uint8)
    return grid(torch.cat(finished.growth or [blank]), columns=GROWN)


def _judge(settings: TrainSettings, images: Tensor, classifier: Path, device: torch.device) -> Judge:
    """FID in the classifier's space between images and latents that only ratings see (A25)."""
    extractor = classifier_extractor(classifier, device)
    try:
        real = images[parts(len(images), settings.train.rating_count).rating]
    except UserError as error:
        raise UserError(f"{settings.dataset}: {error}") from None
    statistics = moments(extract(extractor, real, 250))

    def rate(generator: Generator, purpose: str) -> float:
        drawn = sampling.draw(generator, settings.latent, settings.train.rating_count, 250, settings.seed, purpose)
        return frechet_distance(moments(extract(extractor, drawn, 250)), statistics)

    return rate


def _rated_again(finished: Run, judge: Judge) -> dict[str, list[float]]:
    """Ratings of the best and of the last generator by fresh latents, a number per draw; of a run that diverged, of the best.

    The best one was chosen for its rating, by luck with those latents too; these have no part in the choice.
    """

    def draws(generator: Generator) -> list[float]:
        return [judge(generator, f"rated again {draw}") for draw in range(DRAWS)]

    last = {} if finished.diverged is not None else {"last": draws(finished.generator)}
    if not finished.best:
        return last
    if finished.best["images"] == finished.images:
        return last | {"best": last["last"]}
    best = copy.deepcopy(finished.generator)
    best.load_state_dict(checkpoints.part(finished.best_tensors, "generator"))
    return last | {"best": draws(best)}


def _progress(job: Job, advance: terminal.Advance) -> loop.Progress:
    """Losses on the bar after every cycle; where there is no terminal, a line for every rating."""
    noted = [0]

    def report(images: int, row: dict[str, float]) -> None:
        words = f"critic {row['loss_critic']:.3g}, generator {row['loss_generator']:.3g}" if row else ""
        advance(images, words)
        if row and row["fid"] == row["fid"] and row["images"] != noted[0]:
            noted[0] = int(row["images"])
            terminal.note(f"{job.name}: {noted[0]:,} images, {words}, FID {row['fid']:.3f} in the classifier's space")

    return report
