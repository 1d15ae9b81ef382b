"""The state of a run: what a cycle changes, in memory and on disk."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.optim import Adam

from sagan_div.errors import UserError
from sagan_div.models import checkpoints, sampling
from sagan_div.models.networks import Critic, Generator, Shape, build
from sagan_div.settings import difference, plain
from sagan_div.study.job_settings import TrainSettings
from sagan_div.training import engine

GROWN = 32  # images kept at every rating
STATISTICS = ("loss_critic", "score_real", "score_fake", "gradient_norm", "loss_generator")  # summed over the steps of a cycle


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
    growth: list[Tensor] = field(default_factory=list)  # images uint8 [GROWN, C, S, S] of the same latents at every rating
    diverged: int | None = None  # images seen when a loss or a network was no longer finite, which ends the run
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
    def over(self) -> bool:
        return self.cycle >= self.cycles or self.diverged is not None


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


def keep_best(run: Run, fid: float) -> None:
    """Keep the networks if their rating is the best so far."""
    if fid < run.best.get("fid", math.inf):
        run.best = {"images": run.images, "fid": fid}
        found = checkpoints.tensors_of(generator=run.generator, critic=run.critic)
        run.best_tensors = {name: tensor.detach().clone() for name, tensor in found.items()}


def keep_growth(run: Run) -> None:
    """Keep what the generator draws now."""
    run.growth.append(sampling.draw(run.generator, run.shape.latent, GROWN, GROWN, run.settings.seed, "growth"))


def tensors(run: Run) -> dict[str, Tensor]:
    """All tensors that a cycle changes: networks, optimisers, open sums."""
    found = checkpoints.tensors_of(generator=run.generator, critic=run.critic) | {"sums": run.sums}
    for name, adam in (("adam_generator", run.adam_generator), ("adam_critic", run.adam_critic)):
        for index, entries in adam.state_dict()["state"].items():
            found |= {f"{name}.{index}.{key}": value for key, value in entries.items()}
    return found


def store(run: Run, path: Path, session: float = 0.0) -> None:
    """Save a run, atomically: what a cycle changes, the history, the best networks so far, the images of its growth, and the
    time that it took, of which this `session` has had so many seconds.
    """
    kept = {f"best.{name}": tensor for name, tensor in run.best_tensors.items()}
    kept |= {f"growth.{rating}": images for rating, images in enumerate(run.growth)}
    about = {"settings": plain(run.settings), "cycle": run.cycle, "history": run.history, "best": run.best}
    about |= {"diverged": run.diverged, "seconds": run.seconds, "earlier": run.earlier + session}
    checkpoints.save(path, tensors(run) | kept, about)


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
        grown = checkpoints.part(found, "growth")
        run.growth = [grown[str(rating)] for rating in range(len(grown))]
        run.cycle, run.history, run.best = about["cycle"], about["history"], about["best"]
        run.diverged, run.seconds, run.earlier = about["diverged"], about["seconds"], about["earlier"]
    except (KeyError, RuntimeError):
        raise UserError(f"{path}: is no state of a training run; delete it to start anew") from None
    run.best_tensors = {name: tensor.to(run.sums.device) for name, tensor in checkpoints.part(found, "best").items()}
