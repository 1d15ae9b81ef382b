"""Training one cell: the loop. Progress is counted in real images that the critic has seen.

What a step computes is in `steps`, how the networks are applied in `engine`, what is saved in `state`.
"""

import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Protocol

import torch
from torch import Tensor

from sagan_div import files
from sagan_div.data.randomness import Batches
from sagan_div.errors import Interrupted
from sagan_div.models.networks import Generator, Shape
from sagan_div.study.job_settings import TrainSettings
from sagan_div.training import engine, history
from sagan_div.training.state import Run, begin, keep_best, keep_growth, restore, store
from sagan_div.training.steps import prepared, upcoming

SAVE_EVERY = 60.0  # seconds between saved states

Rating = Callable[[Generator], float]  # of a generator, lower is better (A25)


class Progress(Protocol):
    """Called by the loop after every cycle, with the images seen and the latest row of the history."""

    def __call__(self, images: int, row: dict[str, float]) -> None: ...


def train(
    settings: TrainSettings, images: Tensor, rating: Rating, state: Path, device: torch.device, progress: Progress
) -> Run:
    """Train one cell on images uint8 [N, C, S, S]; continue from `state` where it exists.

    A run that diverges ends there, with `diverged`. Raises UserError for a state of other settings, Interrupted on SIGTERM or
    SIGINT.
    """
    run = begin(settings, Shape(settings.image_size, images.shape[1], settings.width, settings.latent), device)
    for unfinished in state.parent.glob(f".{state.stem}-*"):  # of a process that was killed while it saved
        files.remove(unfinished)
    if state.exists():
        restore(run, state)
    rows, rated = _milestones(run.cycles, settings.train.log_rows), _milestones(run.cycles, settings.train.checkpoints)
    batches = Batches(settings.seed, len(images), settings.batch_size)
    advance = prepared(run, images, batches)
    began = saved = time.monotonic()
    with _signals() as caught:
        for drawn in upcoming(run, batches):
            clock = time.perf_counter()
            advance(drawn)
            run.cycle += 1
            save = bool(caught) or time.monotonic() - saved > SAVE_EVERY
            if save or run.cycle in rows:
                engine.wait(device)
            run.seconds += time.perf_counter() - clock
            if run.cycle in rows:
                _log(run, rating if run.cycle in rated else None)
            progress(run.images, run.history[-1] if run.history else {})
            if save:
                store(run, state, time.monotonic() - began)
                saved = time.monotonic()
            if save and caught:
                raise Interrupted(f"stopped at {run.images:,} images; the same command continues from there", caught[0])
    return run


def _log(run: Run, rating: Rating | None) -> None:
    history.close_row(run)
    if rating and run.diverged is None:
        fid = run.history[-1]["fid"] = rating(run.generator)
        keep_best(run, fid)
        keep_growth(run)


def _milestones(cycles: int, count: int) -> set[int]:
    """`count` cycles spread evenly over a run, the last one among them."""
    return {math.ceil(cycles * i / count) for i in range(1, count + 1)}


@contextmanager
def _signals() -> Iterator[list[int]]:
    """The signals caught inside the block: the loop finishes its cycle first."""
    caught: list[int] = []

    def remember(number: int, _: FrameType | None) -> None:
        caught.append(number)

    before = {number: signal.signal(number, remember) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
