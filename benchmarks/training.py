"""How fast a cycle of training is: an ordinary loop, our eager engine, and the fast one, in turn in one run.

python benchmarks/training.py [--methods dcgan sagan-div-d] [--shapes 64:64 32:16] [--batches 64] [--cycles 3] [--rounds 3]
                              [--engines ordinary eager fast bfloat16 inductor] [--threads 2] [--device auto]
                              [--clock wall|processor] [--profile] [--out training.json]

Prints a table and writes JSON with the hardware and the versions. A cycle is n critic steps and a generator step, loading of
the images included; a shape is image size : width (64:64 is the paper's, 32:16 the demo's). Every engine has a process of its
own, and the rounds go around them; a time is the median of the rounds, a ratio that of the rounds' ratios to the ordinary loop.
On a machine that others use, `--clock processor --threads 1` measures processor time, of which they take less away.
The ordinary loop is what users come from: a DataLoader that resizes with PIL, spectral norm at every call, generated images
that stay attached to the generator, a generator step that also fills the critic's gradients. `inductor` (which has to be
asked for) compiles the eager engine's gradients; its first cycle takes a minute. `--profile` shows where the time of three more
cycles goes, operators and FLOPs, and how fast a large matrix product is beside them.
"""

import argparse
import json
import multiprocessing
import os
import resource
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.optim import Adam
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.data import DataLoader, Dataset
from torch.utils.flop_counter import flop_registry
from torchvision import transforms

from sagan_div import files
from sagan_div.data.images import resized, to_float
from sagan_div.data.randomness import Batches
from sagan_div.losses.wasserstein_divergence import WassersteinDivergence
from sagan_div.models.networks import Critic, Generator, Shape, build
from sagan_div.phases import provenance
from sagan_div.study.job_settings import TrainSettings
from sagan_div.study.load import load
from sagan_div.training import engine, steps
from sagan_div.training.state import begin
from sagan_div.workflow.jobs import planned
from sagan_div.workflow.kinds import TRAIN

COUNT = 10_000  # images of 28x28 to load from
ENGINES = ("ordinary", "eager", "fast", "bfloat16", "inductor")


EAGER = ["train.engine=eager"]


class Task(NamedTuple):
    """What is measured: one method at one size with one engine."""

    method: str
    image_size: int
    width: int
    batch_size: int
    engine: str
    device: str
    threads: int
    clock: str
    profile: bool

    def settings(self) -> TrainSettings:
        own = {"bfloat16": ["train.precision=bfloat16"], "eager": EAGER, "inductor": EAGER}.get(self.engine, [])
        sizes = [f"image_size={self.image_size}", f"width={self.width}", f"train.batch_size={self.batch_size}"]
        study = load(Path(__file__).parents[1] / "params.yaml", sets=[*sizes, *own])
        found = planned(study, TRAIN, {"dataset": "mnist", "method": self.method, "seed": 0}).settings
        assert isinstance(found, TrainSettings)
        return found


class Row(NamedTuple):
    method: str
    image_size: int
    width: int
    batch_size: int
    engine: str
    ms_per_cycle: float
    images_per_second: float
    gigaflops: float  # per cycle, as counted on the eager engine
    own_gigaflops: float  # per cycle, as counted on this one: what is left out, whatever a convolution takes
    gigaflops_per_second: float
    peak_gigabytes: float
    kernels: int | None  # per cycle; on a GPU
    speedup: float | None  # over the ordinary loop
    profile: dict[str, tuple[float, float]] | None  # of more cycles, by KINDS: milliseconds and GFLOP
    matrix_product: float | None  # GFLOP/s of a large one in float32, beside the profile


def pictures() -> np.ndarray:
    """Random images uint8 [N, 28, 28]."""
    return np.random.default_rng(0).integers(0, 256, (COUNT, 28, 28), np.uint8)


# The ordinary loop


class Resizing(Dataset[Tensor]):
    """As in PyTorch's DCGAN example: every image is resized whenever it is asked for."""

    def __init__(self, size: int) -> None:
        self.images = pictures()
        self.transform = transforms.Compose(
            [transforms.Resize(size), transforms.ToTensor(), transforms.Normalize((0.5,), (0.5,))]
        )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: int) -> Tensor:
        found: Tensor = self.transform(Image.fromarray(self.images[index]))
        return found


def ordinary(settings: TrainSettings, device: torch.device) -> Callable[[], None]:
    shape = Shape(settings.image_size, 1, settings.width, settings.latent)
    generator, critic = (network.to(device) for network in build(settings.recipe, shape, settings.seed))
    loss, rates = settings.recipe.loss, settings.recipe.optimiser
    adam_generator = Adam(generator.parameters(), lr=rates.lr_generator, betas=rates.betas)
    adam_critic = Adam(critic.parameters(), lr=rates.lr_critic, betas=rates.betas)
    loader = DataLoader(Resizing(settings.image_size), settings.batch_size, shuffle=True, drop_last=True)

    def forever() -> Iterator[Tensor]:
        while True:
            yield from loader

    batches = forever()

    def cycle() -> None:
        for _ in range(settings.recipe.n_critic):
            real = next(batches).to(device)
            fake = generator(torch.randn(len(real), settings.latent, 1, 1, device=device))
            objective = loss.critic(critic(real), critic(fake))
            if isinstance(loss, WassersteinDivergence):
                mix = torch.rand(len(real), 1, 1, 1, device=device)
                points = (real + mix * (fake.data - real)).requires_grad_(True)
                (gradients,) = torch.autograd.grad(critic(points).sum(), points, create_graph=True)
                objective = objective + loss.weighed(gradients)
            adam_critic.zero_grad()
            objective.backward()
            adam_critic.step()
        z = torch.randn(settings.batch_size, settings.latent, 1, 1, device=device)
        adam_generator.zero_grad()
        loss.generator(critic(generator(z))).backward()
        adam_generator.step()

    return cycle


# Ours


def ours(settings: TrainSettings, device: torch.device) -> Callable[[], None]:
    images = resized(pictures()[:, None], settings.image_size)
    run = begin(settings, Shape(settings.image_size, 1, settings.width, settings.latent), device)
    batches = Batches(settings.seed, len(images), settings.batch_size)
    advance = steps.prepared(run, images, batches)

    def cycle() -> None:
        advance(steps.draws(run, batches))
        run.cycle += 1

    return cycle


# The eager engine, compiled


def inductor(settings: TrainSettings, device: torch.device) -> Callable[[], None]:
    """Both steps' gradients as a compiled graph each, second derivatives included, of the eager engine's networks."""
    torch._dynamo.config.trace_autograd_ops = True  # type: ignore[attr-defined]
    images = resized(pictures()[:, None], settings.image_size).to(device)
    run = begin(settings, Shape(settings.image_size, 1, settings.width, settings.latent), device)
    batches, loss = Batches(settings.seed, len(images), settings.batch_size), settings.recipe.loss

    def of_critic(real: Tensor, fake: Tensor, mix: Tensor) -> tuple[Tensor, ...]:
        tracked = loss.tracked(real, fake)
        scores = engine.scores(run.critic, settings.recipe.critic, *tracked)
        objective = loss.critic(*scores)
        penalty = loss.penalty(run.critic, tracked, scores, mix)
        if penalty is not None:
            objective = objective + penalty.value
        return torch.autograd.grad(objective, list(run.critic.parameters()))

    def of_generator(z: Tensor) -> tuple[Tensor, ...]:
        objective = loss.generator(run.critic(run.generator(z)))
        return torch.autograd.grad(objective, list(run.generator.parameters()))

    generated, critic_gradients, generator_gradients = map(torch.compile, (run.generator.forward, of_critic, of_generator))

    def step(network: Generator | Critic, adam: Adam, gradients: tuple[Tensor, ...]) -> None:
        for parameter, gradient in zip(network.parameters(), gradients, strict=True):
            parameter.grad = gradient
        adam.step()

    def cycle() -> None:
        drawn = steps.draws(run, batches).to(device)
        for indices, z, mix in zip(drawn.images, drawn.latents, drawn.mix, strict=True):
            with torch.no_grad():
                fake = generated(z)
            step(run.critic, run.adam_critic, critic_gradients(to_float(images[indices]), fake, mix))
        step(run.generator, run.adam_generator, generator_gradients(drawn.generator))
        run.cycle += 1

    return cycle


# Measuring


KINDS = {  # of PyTorch's operators, by name; in this order
    "convolutions": "conv",
    "matrix products": "mm",
    "other operators": "aten::",
    "around operators": "",
}


class Counter(TorchDispatchMode):
    """FLOPs of convolutions and matrix products, two per multiply-add. (FlopCounterMode's hooks refuse autograd.grad.)"""

    def __init__(self) -> None:
        super().__init__()
        self.by_kind = dict.fromkeys(KINDS, 0)

    @property
    def total(self) -> int:
        return sum(self.by_kind.values())

    def __torch_dispatch__(self, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = function(*args, **(kwargs or {}))
        count = flop_registry.get(function._overloadpacket)
        if count:
            self.by_kind[_kind(str(function))] += count(*args, **(kwargs or {}), out_val=result)
        return result


def _kind(operator: str) -> str:
    return next(kind for kind, mark in KINDS.items() if mark in operator)


def measured(task: Task, answer: Connection) -> None:
    """A process of its own: prepares, then runs as many cycles as each message says; 0 ends it."""
    torch.set_num_threads(task.threads)
    device = torch.device(task.device)
    prepare = {"ordinary": ordinary, "inductor": inductor}.get(task.engine, ours)
    cycle = prepare(task.settings(), device)
    with Counter() as counter:
        cycle()
    cycle()  # under the counter nothing is compiled
    answer.send(counter.total / 1e9)
    now = time.process_time if task.clock == "processor" else time.perf_counter
    wait = partial(torch.cuda.synchronize, device) if device.type == "cuda" else lambda: None
    while cycles := answer.recv():
        wait()
        started = now()
        for _ in range(cycles):
            cycle()
        wait()
        answer.send((now() - started) / cycles)
    kernels = _kernels(cycle) if device.type == "cuda" else None
    answer.send((_peak(device), kernels, *((_profile(cycle), _matrix_product()) if task.profile else (None, None))))


def _peak(device: torch.device) -> float:
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**30
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def _kernels(cycle: Callable[[], None]) -> int:
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CUDA]) as profile:
        cycle()
        torch.cuda.synchronize()
    return sum(event.device_type == torch.profiler.DeviceType.CUDA for event in profile.events())


def _profile(cycle: Callable[[], None], cycles: int = 3) -> dict[str, tuple[float, float]]:
    """Where the host's time of a cycle goes, and what is computed there: milliseconds and GFLOP by KINDS."""
    with Counter() as counter:
        cycle()
    settle_first = torch.profiler.schedule(wait=0, warmup=1, active=cycles)
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], schedule=settle_first) as profile:
        cycle()
        profile.step()
        started = time.perf_counter()
        for _ in range(cycles):
            cycle()
        whole = time.perf_counter() - started
    seconds = dict.fromkeys(KINDS, 0.0)
    for event in profile.key_averages():
        seconds[_kind(event.key)] += event.self_cpu_time_total / 1e6
    *operators, around = KINDS
    seconds[around] = whole - sum(seconds[kind] for kind in operators)
    return {kind: (seconds[kind] / cycles * 1e3, counter.by_kind[kind] / 1e9) for kind in KINDS}


def _matrix_product(size: int = 2048) -> float:
    """GFLOP/s of the best of ten matrix products in float32."""
    a, b = torch.rand(2, size, size)

    def seconds() -> float:
        started = time.perf_counter()
        a @ b
        return time.perf_counter() - started

    return 2 * size**3 / min(seconds() for _ in range(10)) / 1e9


def compared(tasks: list[Task], cycles: int, rounds: int) -> Iterator[Row]:
    """The engines of one method at one size, in turn."""
    context = multiprocessing.get_context("spawn")
    links, processes = [], []
    for task in tasks:
        here, there = context.Pipe()
        process = context.Process(target=measured, args=(task, there), daemon=True)
        process.start()
        links.append(here)
        processes.append(process)
    flops = {task.engine: link.recv() for task, link in zip(tasks, links, strict=True)}
    useful = flops.get("eager", min(flops.values()))
    seconds: list[list[float]] = [[] for _ in tasks]
    for _ in range(rounds):
        for link, found in zip(links, seconds, strict=True):
            link.send(cycles)
            found.append(link.recv())
    for task, link, process, found in zip(tasks, links, processes, seconds, strict=True):
        link.send(0)
        peak, kernels, profile, product = link.recv()
        process.join()  # its end takes a core from whatever is measured next
        middle = statistics.median(found)
        images = task.batch_size * task.settings().recipe.n_critic
        ratios = [a / b for a, b in zip(seconds[0], found, strict=True)] if tasks[0].engine == "ordinary" else []
        yield Row(
            *task[:5],
            ms_per_cycle=middle * 1e3,
            images_per_second=images / middle,
            gigaflops=useful,
            own_gigaflops=flops[task.engine],
            gigaflops_per_second=useful / middle,
            peak_gigabytes=peak,
            kernels=kernels,
            speedup=statistics.median(ratios) if ratios else None,
            profile=profile,
            matrix_product=product,
        )


def _shown(row: Row) -> Row:
    kernels = "" if row.kernels is None else f"{row.kernels:6d} kernels"
    print(
        f"{row.method:<12} {row.image_size}:{row.width} batch {row.batch_size:<5}{row.engine:<9}{row.ms_per_cycle:>10.1f} ms"
        f"{row.images_per_second:>10.0f} images/s{row.own_gigaflops:>9.2f} GFLOP{row.gigaflops_per_second:>9.1f} GFLOP/s"
        f"{row.peak_gigabytes:>7.2f} GiB"
        f"{'' if row.speedup is None else f'{row.speedup:>8.2f}x'} {kernels}",
        flush=True,
    )
    for kind, (milliseconds, gigaflops) in (row.profile or {}).items():
        rate = f"{gigaflops:>26.2f} GFLOP{gigaflops / milliseconds * 1e3:>9.1f} GFLOP/s" if gigaflops else ""
        print(f"{kind:>41}{milliseconds:>10.1f} ms{rate}", flush=True)
    if row.matrix_product:
        print(f"{'a large matrix product':>41}{row.matrix_product:>54.1f} GFLOP/s", flush=True)
    return row


def main() -> None:
    methods = list(load(Path(__file__).parents[1] / "params.yaml").methods)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--methods", nargs="+", default=methods, choices=methods)
    parser.add_argument("--shapes", nargs="+", default=["64:64", "32:16"])
    parser.add_argument("--batches", nargs="+", type=int, help="64; on a GPU also 2048")
    parser.add_argument("--engines", nargs="+", default=list(ENGINES[:4]), choices=ENGINES)
    parser.add_argument("--cycles", type=int, default=2, help="timed together")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--clock", default="wall", choices=["wall", "processor"])
    parser.add_argument("--profile", action="store_true", help="where the time of more cycles goes")
    parser.add_argument("--out", type=Path, default=Path("training.json"))
    words = parser.parse_args()
    torch.set_num_threads(words.threads)
    batches = words.batches or ([64, 2048] if words.device.startswith("cuda") else [64])
    busy, rate = os.getloadavg()[0], _matrix_product()
    rows: list[Row] = []
    for size, width in (map(int, shape.split(":")) for shape in words.shapes):
        for batch in batches:
            for method in words.methods:
                how = (words.device, words.threads, words.clock, words.profile)
                tasks = [Task(method, size, width, batch, each, *how) for each in words.engines]
                rows += [_shown(row) for row in compared(tasks, words.cycles, words.rounds)]
    about = {
        "hardware": provenance.hardware(torch.device(words.device)),
        "versions": provenance.versions(),
        "load_at_the_start": round(busy, 2),
        "matrix_product": {"before": rate, "after": _matrix_product()},  # GFLOP/s: what others leave of the cores
        "clock": words.clock,
        "cycles": words.cycles,
        "rounds": words.rounds,
    }
    table: dict[str, Any] = about | {"rows": [row._asdict() for row in rows]}
    files.write_text(words.out, json.dumps(table, indent=1) + "\n")


if __name__ == "__main__":
    main()
