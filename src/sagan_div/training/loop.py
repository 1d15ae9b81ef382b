"""Training: the loop, its two steps, its state on disk. Progress is counted in real images that the critic has seen.

`engine` decides how the networks are applied; what is computed is here.
"""

import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn.utils.parametrize import cached
from torch.optim import Adam

from sagan_div import files
from sagan_div.data.images import to_float
from sagan_div.data.randomness import Batches, Draws, latents, stream
from sagan_div.errors import Interrupted, UserError
from sagan_div.losses import losses
from sagan_div.models import checkpoints
from sagan_div.models.networks import Critic, Generator, Shape, attention_gammas, build, largest_singular_value
from sagan_div.settings import plain
from sagan_div.study.job_settings import TrainSettings
from sagan_div.study.schema import WassersteinDivergence
from sagan_div.training import engine
from sagan_div.workflow.plan import difference

STATISTICS = ("loss_critic", "score_real", "score_fake", "gradient_norm", "loss_generator")
COLUMNS = ("images", "critic_updates", "generator_updates", *STATISTICS, "fid", "sigma_generator", "sigma_critic")
SAVE_EVERY = 60.0  # seconds between saved states

Rate = Callable[[Generator], float]  # the rating of a generator, lower is better (A25)


class Progress(Protocol):
    """What the loop tells its caller after every cycle."""

    def __call__(self, images: int, row: dict[str, float]) -> None: ...


@dataclass
class Run:
    """All that a cycle changes, and nothing else: what is saved is what is needed to continue bit for bit."""

    settings: TrainSettings
    shape: Shape
    generator: Generator
    critic: Critic
    adam_generator: Adam
    adam_critic: Adam
    apply: engine.Apply
    sums: Tensor  # of the statistics since the last row of the history, on the device, read once per row
    cycle: int = 0
    history: list[dict[str, float]] = field(default_factory=list)
    best: dict[str, float] = field(default_factory=dict)
    best_tensors: dict[str, Tensor] = field(default_factory=dict)
    seconds: float = 0.0  # that cycles took, in all sessions
    earlier: float = 0.0  # that the sessions before this one took as a whole

    @property
    def images(self) -> int:
        return self.cycle * self.settings.recipe.n_critic * self.settings.batch_size

    @property
    def cycles(self) -> int:
        """Cycles of n critic steps and a generator step in the whole run."""
        return math.ceil(self.settings.train.images / (self.settings.recipe.n_critic * self.settings.batch_size))

    @property
    def columns(self) -> list[str]:
        """Of the history: the last ones are the weights of the attention modules."""
        return [*COLUMNS, *(f"gamma_{block}" for block, _ in enumerate(attention_gammas(self.generator), start=1))]


def train(settings: TrainSettings, images: Tensor, rate: Rate, state: Path, device: torch.device, progress: Progress) -> Run:
    """Train one cell on images uint8 [N, C, S, S]; continue from `state` where it exists.

    Raises UserError for a state of other settings or a loss that is no longer finite, Interrupted on SIGTERM or SIGINT.
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
        while run.cycle < run.cycles:
            clock = time.perf_counter()
            advance(draws(run, batches))
            run.cycle += 1
            save = bool(caught) or time.monotonic() - saved > SAVE_EVERY
            if save or run.cycle in rows:
                engine.wait(device)
            run.seconds += time.perf_counter() - clock
            if run.cycle in rows:
                _log(run, rate(run.generator) if run.cycle in rated else None)
            progress(run.images, run.history[-1] if run.history else {})
            if save:
                store(run, state, time.monotonic() - began)
                saved = time.monotonic()
            if save and caught:
                raise Interrupted(f"stopped at {run.images:,} images; the same command continues from there", caught[0])
    return run


def prepared(run: Run, images: Tensor, batches: Batches) -> engine.Cycle:
    """The cycle on images uint8 [N, C, S, S], as the run's engine and device run it best."""
    device = run.sums.device
    work = partial(cycle, run, images.to(device))
    return engine.prepared(work, draws(run, batches), partial(tensors, run), run.settings.train, device)


def begin(settings: TrainSettings, shape: Shape, device: torch.device) -> Run:
    """A run before its first cycle."""
    generator, critic = build(settings.recipe, shape, settings.seed)
    fast = settings.train.engine == "fast"

    def adam(network: Generator | Critic, rate: float) -> Adam:
        one_pass, in_a_graph = fast or None, fast and device.type == "cuda"
        betas = settings.recipe.optimiser.betas
        return Adam(network.to(device).parameters(), lr=rate, betas=betas, fused=one_pass, capturable=in_a_graph)

    return Run(
        settings,
        shape,
        generator,
        critic,
        adam(generator, settings.recipe.optimiser.lr_generator),
        adam(critic, settings.recipe.optimiser.lr_critic),
        engine.APPLY[settings.train.engine],
        torch.zeros(len(STATISTICS), device=device),
    )


def draws(run: Run, batches: Batches) -> Draws:
    """What chance decides in the run's next cycle, drawn from (seed, purpose, step) on the host."""
    recipe, seed, size = run.settings.recipe, run.settings.seed, run.settings.batch_size
    steps = range(run.cycle * recipe.n_critic, (run.cycle + 1) * recipe.n_critic)
    z = torch.stack([latents(seed, "critic", step, size, run.shape.latent) for step in steps])
    fresh = recipe.generator_latents == "fresh"
    return Draws(
        torch.stack([batches[step] for step in steps]),
        z,
        torch.stack([torch.rand(size, generator=stream(seed, "mix", step)) for step in steps]),
        latents(seed, "generator", run.cycle, size, run.shape.latent) if fresh else z[-1],
    )


def cycle(run: Run, images: Tensor, drawn: Draws) -> None:
    """n critic steps, each on fresh images and latents, then one generator step (A3). Asks nothing of the host."""
    with torch.no_grad(), cached():  # the generator stands still meanwhile, so one normalisation serves all its passes
        fakes = [run.apply(run.generator, z) for z in drawn.latents]
    for indices, fake, mix in zip(drawn.images, fakes, drawn.mix, strict=True):
        run.sums[:-1] += critic_step(run, to_float(images[indices]), fake, mix)
    run.sums[-1] += generator_step(run, drawn.generator)


def critic_step(run: Run, real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
    """One update of the critic on real and generated images [B, C, S, S] and U(0, 1) [B]; returns four statistics."""
    loss = run.settings.recipe.loss
    scores = partial(run.apply, run.critic)
    norm = torch.full((), math.nan, device=real.device)
    real, fake = losses.tracked(loss, real, fake)
    with cached():  # a spectral norm iterates once an update, as in Miyato et al. 2018, algorithm 1
        score_real, score_fake = engine.scores(scores, run.settings.recipe.critic, real, fake)
        objective = losses.critic_loss(loss, score_real, score_fake)
        if isinstance(loss, WassersteinDivergence):
            gradients = losses.input_gradients(loss, scores, (real, fake), (score_real, score_fake), mix)
            objective = objective + losses.penalty(loss, gradients)
            norm = gradients.detach().flatten(1).norm(dim=1).mean()
    run.adam_critic.zero_grad()
    objective.backward()  # type: ignore[no-untyped-call]
    run.adam_critic.step()
    return torch.stack([objective.detach(), score_real.detach().mean(), score_fake.detach().mean(), norm])


def generator_step(run: Run, z: Tensor) -> Tensor:
    """One update of the generator on latents z; returns its loss. The critic passes gradients on but keeps none."""
    run.critic.requires_grad_(False)
    objective = losses.generator_loss(run.settings.recipe.loss, run.apply(run.critic, run.apply(run.generator, z)))
    run.adam_generator.zero_grad()
    objective.backward()  # type: ignore[no-untyped-call]
    run.adam_generator.step()
    run.critic.requires_grad_(True)
    return objective.detach()


def _milestones(cycles: int, count: int) -> set[int]:
    """`count` cycles spread evenly over a run, the last one among them."""
    return {math.ceil(cycles * i / count) for i in range(1, count + 1)}


def _log(run: Run, fid: float | None) -> None:
    """Close a row of the history with the means since the last one; keep the networks if their rating is the best so far."""
    since = run.cycle - (int(run.history[-1]["generator_updates"]) if run.history else 0)
    steps = torch.full_like(run.sums, since * run.settings.recipe.n_critic)
    steps[-1] = since
    means = dict(zip(STATISTICS, (run.sums / steps).tolist(), strict=True))
    run.sums.zero_()
    _check_health(run, means)
    counts = {"images": run.images, "critic_updates": run.cycle * run.settings.recipe.n_critic, "generator_updates": run.cycle}
    gammas = {f"gamma_{block}": gamma for block, gamma in enumerate(attention_gammas(run.generator), start=1)}
    sigmas = {"sigma_generator": largest_singular_value(run.generator), "sigma_critic": largest_singular_value(run.critic)}
    run.history.append(counts | means | {"fid": math.nan if fid is None else fid} | sigmas | gammas)
    if fid is not None and fid < run.best.get("fid", math.inf):
        run.best = {"images": run.images, "fid": fid}
        tensors = checkpoints.tensors_of(generator=run.generator, critic=run.critic)
        run.best_tensors = {name: tensor.detach().clone() for name, tensor in tensors.items()}


def _check_health(run: Run, means: dict[str, float]) -> None:
    if not math.isfinite(means["loss_critic"] + means["loss_generator"]):
        cell = run.settings
        raise UserError(
            f"{cell.dataset} {cell.method} seed {cell.seed}: training diverged by image {run.images:,} "
            f"(critic loss {means['loss_critic']:g}, generator loss {means['loss_generator']:g}, "
            f"critic gradient norm {means['gradient_norm']:g}); lower the learning rates of methods.{cell.method}.optimiser"
        )


@contextmanager
def _signals() -> Iterator[list[int]]:
    """The signals caught inside the block: the loop ends a cycle before it obeys them."""
    caught: list[int] = []

    def remember(number: int, _: FrameType | None) -> None:
        caught.append(number)

    before = {number: signal.signal(number, remember) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield caught
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def tensors(run: Run) -> dict[str, Tensor]:
    """All tensors that a cycle changes: networks, optimisers, open sums."""
    found = checkpoints.tensors_of(generator=run.generator, critic=run.critic) | {"sums": run.sums}
    for name, adam in (("adam_generator", run.adam_generator), ("adam_critic", run.adam_critic)):
        for index, entries in adam.state_dict()["state"].items():
            found |= {f"{name}.{index}.{key}": value for key, value in entries.items()}
    return found


def store(run: Run, path: Path, session: float = 0.0) -> None:
    """Save a run, atomically: what a cycle changes, the history, the best networks so far, and the time that it took,
    of which this `session` has had so many seconds.
    """
    best = {f"best.{name}": tensor for name, tensor in run.best_tensors.items()}
    about = {"settings": plain(run.settings), "cycle": run.cycle, "history": run.history, "best": run.best}
    about |= {"seconds": run.seconds, "earlier": run.earlier + session}
    checkpoints.save(path, tensors(run) | best, about)


def restore(run: Run, path: Path) -> None:
    """Put a run back to a saved state. Raises UserError where the state is of other settings, or no state of a run at all."""
    found, about = checkpoints.load(path)
    if about.get("settings") != plain(run.settings):
        changed = difference(about.get("settings", {}), plain(run.settings))
        raise UserError(f"{path}: was saved under other settings ({changed}); restore them, or delete the file to start anew")
    try:
        run.generator.load_state_dict(checkpoints.part(found, "generator"))
        run.critic.load_state_dict(checkpoints.part(found, "critic"))
        for name, adam in (("adam_generator", run.adam_generator), ("adam_critic", run.adam_critic)):
            entries: dict[int, dict[str, Any]] = {}
            for key, value in checkpoints.part(found, name).items():
                index, entry = key.split(".")
                entries.setdefault(int(index), {})[entry] = value
            adam.load_state_dict(adam.state_dict() | {"state": entries})
        run.sums.copy_(found["sums"])
        run.cycle, run.history, run.best = about["cycle"], about["history"], about["best"]
        run.seconds, run.earlier = about["seconds"], about["earlier"]
    except (KeyError, RuntimeError):
        raise UserError(f"{path}: is no state of a training run; delete it to start anew") from None
    run.best_tensors = {name: tensor.to(run.sums.device) for name, tensor in checkpoints.part(found, "best").items()}
