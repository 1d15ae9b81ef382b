"""What a study will take here: some cycles of every method, timed, and what a cell leaves on the disk."""

import time
from typing import NamedTuple

import torch

from sagan_div.data.randomness import Batches
from sagan_div.models import checkpoints
from sagan_div.models.networks import Shape
from sagan_div.study.job_settings import TrainSettings
from sagan_div.training import steps
from sagan_div.training.state import begin

CYCLES = 20
PATIENCE = 5.0  # seconds a method: fewer cycles where they are slow, but one at least
IMAGES = 1000


class Estimate(NamedTuple):
    """Of one method."""

    method: str
    cycles: int  # timed
    seconds_per_cycle: float
    cells: int
    device_hours: float  # of all its cells
    gigabytes: float  # that its checkpoints and samples leave on the disk


def measure(settings: TrainSettings, device: torch.device, cells: int = 1, samples: int = 0, channels: int = 1) -> Estimate:
    """Train a cell for some cycles on random images of so many channels, rate it never, and scale up to `cells` of them,
    each of which keeps `samples` images. Leaves nothing behind.
    """
    run = begin(settings, Shape(settings.image_size, channels, settings.width, settings.latent), device)
    batches = Batches(settings.seed, IMAGES, settings.batch_size)
    images = torch.randint(0, 256, (IMAGES, channels, settings.image_size, settings.image_size), dtype=torch.uint8)
    advance = steps.prepared(run, images, batches)

    def cycle() -> float:
        clock = time.perf_counter()
        advance(steps.draws(run, batches))
        run.sums.tolist()  # waits for the device
        run.cycle += 1
        return time.perf_counter() - clock

    cycle()  # the first one allocates
    times: list[float] = []
    while len(times) < CYCLES and sum(times) < PATIENCE:
        times.append(cycle())
    seconds = sum(times) / len(times)
    networks = checkpoints.tensors_of(generator=run.generator, critic=run.critic).values()
    kept = 2 * sum(tensor.numel() * tensor.element_size() for tensor in networks)  # best and last
    drawn = samples * channels * settings.image_size**2
    hours = cells * run.cycles * seconds / 3600
    return Estimate(settings.method, len(times), seconds, cells, hours, cells * (kept + drawn) / 1e9)
