"""What chance decides in a cycle: nothing is drawn twice, and methods of one seed are paired."""

import itertools

import pytest
import torch
from torch import Tensor

from sagan_div.data.randomness import Batches, Draws
from sagan_div.models.networks import Shape, build
from sagan_div.study.load import load
from sagan_div.training import engine
from sagan_div.training.state import Run, begin
from sagan_div.training.steps import draws, upcoming
from support import ROOT, train_settings

SETS = ["datasets=[digits]", "image_size=16", "width=8", "latent=16", "train.batch_size=8", "train.images=800"]


def run_of(method: str, *sets: str, seed: int = 0) -> Run:
    study = load(ROOT / "params.yaml", sets=[*SETS, *sets])
    return begin(train_settings(study, method, seed=seed), Shape(16, 1, 8, 16), torch.device("cpu"))


def drawn(run: Run, cycles: int) -> list[Draws]:
    return [draws(run, Batches(run.settings.seed, 50, 8), later) for later in range(cycles)]


def all_different(numbers: Tensor) -> bool:
    return len(numbers.flatten().unique()) == numbers.numel()


def test_no_step_of_any_cycle_has_the_latents_or_the_mix_of_another() -> None:
    found = drawn(run_of("sagan-div-d"), 20)
    assert all_different(
        torch.stack([torch.cat([each.latents[:, :, 0].flatten(), each.generator[:, 0].flatten()]) for each in found])
    )
    mixes = torch.stack([each.mix for each in found]).flatten(0, 1)  # a row for each of 100 steps
    assert not any(torch.equal(one, other) for one, other in itertools.combinations(mixes, 2))
    images = torch.stack([each.images for each in found]).flatten(0, 1)
    assert not any(torch.equal(one, other) for one, other in itertools.combinations(images, 2))


def test_methods_of_one_seed_see_the_same_images_and_latents_step_by_step() -> None:
    few, many = drawn(run_of("dcgan"), 10), drawn(run_of("sagan-div-d"), 2)  # one critic step a cycle, and five
    for name in ("images", "latents", "mix"):
        ones, fives = (torch.cat([getattr(each, name) for each in side]) for side in (few, many))
        assert torch.equal(ones, fives)
    other = drawn(run_of("dcgan", seed=1), 10)
    assert all(
        not torch.equal(mine, theirs)
        for one, two in zip(few, other, strict=True)
        for mine, theirs in zip(one, two, strict=True)
    )


def test_what_is_drawn_ahead_is_what_each_cycle_would_have_drawn() -> None:
    run, batches = run_of("sngan"), Batches(0, 50, 8)
    for given in upcoming(run, batches):
        assert all(torch.equal(one, other) for one, other in zip(given, draws(run, Batches(0, 50, 8)), strict=True))
        run.cycle += 1
    assert run.cycle == run.cycles == 20  # 800 images, five steps of 8


def test_the_generator_step_has_the_last_critic_steps_latents_only_where_that_is_asked_for() -> None:
    same = drawn(run_of("sngan", "methods.sngan.generator_latents=same"), 1)[0]
    fresh = drawn(run_of("sngan"), 1)[0]
    assert torch.equal(same.generator, same.latents[-1])
    assert not torch.equal(fresh.generator, fresh.latents[-1])


@pytest.mark.parametrize("apply", ["eager", "fast"])
def test_batch_norm_never_sees_real_and_generated_images_together(apply: str) -> None:
    """Scores of real images depend on each other through it, and on generated ones not at all."""
    study = load(ROOT / "params.yaml", sets=SETS)
    critic = build(study.methods["dcgan"], Shape(16, 1, 8, 16), 0)[1]
    real, one, other = torch.rand(3, 8, 1, 16, 16).unbind()

    def scored(fake: Tensor) -> tuple[Tensor, Tensor]:
        return engine.scores(lambda x: engine.APPLY[apply](critic, x), study.methods["dcgan"].critic, real, fake)

    assert study.methods["dcgan"].critic.norm == "batch"
    assert torch.equal(scored(one)[0], scored(other * 2 - 1)[0])
    torch.testing.assert_close(scored(one)[1], critic(one).flatten())
