"""A cycle of training: n critic steps and a generator step. What chance decides is drawn before it."""

import math
from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor
from torch.nn.utils.parametrize import cached

from sagan_div.data.images import to_float
from sagan_div.data.randomness import Batches, Draws, latents, uniform
from sagan_div.training import engine
from sagan_div.training.cuda_graph import Cycle
from sagan_div.training.state import Run, tensors

AHEAD = 16  # cycles whose draws are made at once


def prepared(run: Run, images: Tensor, batches: Batches) -> Cycle:
    """The cycle on images uint8 [N, C, S, S], as the run's engine and device run it best."""
    device = run.sums.device
    work = partial(cycle, run, images.to(device))
    return engine.prepared(work, draws(run, batches), partial(tensors, run), run.settings.train, device)


def upcoming(run: Run, batches: Batches) -> Iterator[Draws]:
    """The draws of the cycles until the run is over, some at once: after a cycle the caches hold nothing that drawing needs."""
    while not run.over:
        for drawn in [draws(run, batches, later) for later in range(AHEAD)]:
            if not run.over:
                yield drawn


def draws(run: Run, batches: Batches, later: int = 0) -> Draws:
    """What chance decides in the run's next cycle, or so many cycles later, drawn from (seed, purpose, step) on the host."""
    recipe, seed, size = run.settings.recipe, run.settings.seed, run.settings.batch_size
    number = run.cycle + later
    steps = range(number * recipe.n_critic, (number + 1) * recipe.n_critic)
    z = torch.stack([latents(seed, "critic", step, size, run.shape.latent) for step in steps])
    fresh = recipe.generator_latents == "fresh"
    return Draws(
        torch.stack([batches[step] for step in steps]),
        z,
        torch.stack([uniform(seed, "mix", step, size) for step in steps]),
        latents(seed, "generator", number, size, run.shape.latent) if fresh else z[-1],
    )


def cycle(run: Run, images: Tensor, drawn: Draws) -> None:
    """n critic steps, each on fresh images and latents, then one generator step (A3).

    Reads no tensor's value, so that a CUDA graph can hold it.
    """
    with torch.no_grad(), cached():  # the generator does not change meanwhile: one spectral normalisation serves all its passes
        fakes = [run.apply(run.generator, z) for z in drawn.latents]
    for indices, fake, mix in zip(drawn.images, fakes, drawn.mix, strict=True):
        run.sums[:-1] += critic_step(run, to_float(images[indices]), fake, mix)
    run.sums[-1] += generator_step(run, drawn.generator)


def critic_step(run: Run, real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
    """One update of the critic on real and generated images [B, C, S, S] and U(0, 1) [B]; returns four statistics."""
    loss = run.settings.recipe.loss
    critic = partial(run.apply, run.critic)
    gradient_norm = torch.full((), math.nan, device=real.device)
    images = loss.tracked(real, fake)
    with cached():  # a spectral norm iterates once an update, as in Miyato et al. 2018, algorithm 1
        scores = engine.scores(critic, run.settings.recipe.critic, *images)
        objective = loss.critic(*scores)
        penalty = loss.penalty(critic, images, scores, mix)
        if penalty is not None:
            objective, gradient_norm = objective + penalty.value, penalty.gradient_norm
    run.adam_critic.zero_grad()
    objective.backward()  # type: ignore[no-untyped-call]
    run.adam_critic.step()
    loss.after_update(run.critic)
    means = [score.detach().mean() for score in scores]
    return torch.stack([objective.detach(), *means, gradient_norm])


def generator_step(run: Run, z: Tensor) -> Tensor:
    """One update of the generator on latents z; returns its loss. The critic passes gradients on but keeps none."""
    run.critic.requires_grad_(False)
    objective = run.settings.recipe.loss.generator(run.apply(run.critic, run.apply(run.generator, z)))
    run.adam_generator.zero_grad()
    objective.backward()  # type: ignore[no-untyped-call]
    run.adam_generator.step()
    run.critic.requires_grad_(True)
    return objective.detach()
