"""The losses in float64: hand-computed batches, the divergence's optimum, the penalty's order, finite differences."""

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sagan_div.losses.gradient_penalty import GradientPenalty
from sagan_div.losses.hinge import Hinge
from sagan_div.losses.loss import Loss
from sagan_div.losses.non_saturating import NonSaturating
from sagan_div.losses.points import between
from sagan_div.losses.wasserstein import Wasserstein
from sagan_div.losses.wasserstein_divergence import WassersteinDivergence
from sagan_div.models.networks import Shape
from sagan_div.study.load import load
from sagan_div.training.state import begin
from sagan_div.training.steps import critic_step, generator_step
from support import ROOT, train_settings

BASELINES = ROOT / "workflow" / "overlays" / "baselines.yaml"
POINTS = ("interpolates", "both", "real", "fake")


def bce(real_label: float = 1.0) -> NonSaturating:
    return NonSaturating(name="non-saturating", real_label=real_label)


def divergence(points: str = "interpolates", k: float = 2.0, p: float = 6.0, multiplier: float = 1.0) -> WassersteinDivergence:
    return WassersteinDivergence(name="wasserstein-divergence", k=k, p=p, points=points, multiplier=multiplier)  # type: ignore[arg-type]


def gradient_penalty(weight: float = 10.0) -> GradientPenalty:
    return GradientPenalty(name="gradient-penalty", weight=weight)


def clipped(clip: float = 0.01) -> Wasserstein:
    return Wasserstein(name="wasserstein", clip=clip)


HINGE = Hinge(name="hinge")
REAL = torch.tensor([2.0, 0.5, -1.0], dtype=torch.float64)
FAKE = torch.tensor([-2.0, -0.5, 1.0], dtype=torch.float64)


# Hand-computed batches


def test_cross_entropy_of_undecided_scores_is_twice_log_2() -> None:
    zero = torch.zeros(4, dtype=torch.float64)
    for label in (1.0, 0.9):
        assert bce(label).critic(zero, zero).item() == pytest.approx(2 * math.log(2), rel=1e-15)
        assert bce(label).generator(zero).item() == pytest.approx(math.log(2), rel=1e-15)


def test_cross_entropy_by_hand() -> None:
    def log_sigmoid(score: float) -> float:
        return -math.log(1 + math.exp(-score))

    for label in (1.0, 0.9):
        real = -sum(label * log_sigmoid(s) + (1 - label) * log_sigmoid(-s) for s in (2, 0.5, -1)) / 3
        fake = -sum(log_sigmoid(-s) for s in (-2, -0.5, 1)) / 3
        generator = -sum(label * log_sigmoid(s) + (1 - label) * log_sigmoid(-s) for s in (-2, -0.5, 1)) / 3
        assert bce(label).critic(REAL, FAKE).item() == pytest.approx(real + fake, rel=1e-14)
        assert bce(label).generator(FAKE).item() == pytest.approx(generator, rel=1e-14)


def test_cross_entropy_does_not_overflow() -> None:
    assert bce().critic(torch.tensor([-1e4]), torch.tensor([1e4])).item() == pytest.approx(2e4)


def test_smoothed_cross_entropy_is_least_where_the_critic_says_the_label() -> None:
    score = torch.tensor(math.log(0.9 / 0.1), dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(bce(0.9).critic(score[None], FAKE), score)
    assert slope.item() == pytest.approx(0, abs=1e-15)


def test_hinge_by_hand() -> None:
    assert HINGE.critic(REAL, FAKE).item() == pytest.approx((0 + 0.5 + 2) / 3 + (0 + 0.5 + 2) / 3, rel=1e-15)
    assert HINGE.generator(FAKE).item() == pytest.approx(0.5, rel=1e-15)


def test_wasserstein_by_hand() -> None:
    for loss in (divergence(), clipped(), gradient_penalty()):
        assert loss.critic(REAL, FAKE).item() == pytest.approx(-1.5 / 3 + -1.5 / 3, rel=1e-15)
        assert loss.generator(FAKE).item() == pytest.approx(0.5, rel=1e-15)


# The penalty


def naive_penalty(gradients: Tensor, k: float, p: float, multiplier: float) -> float:
    norms = [math.sqrt(sum(value**2 for value in sample.flatten().tolist())) for sample in gradients]
    return multiplier * k * sum(norm**p for norm in norms) / len(norms)


@pytest.mark.parametrize(("k", "p", "multiplier"), [(2, 6, 1), (2, 6, 10), (10, 6, 1), (1, 2, 1), (0.5, 3, 4)])
def test_the_penalty_squares_sums_over_a_sample_raises_and_averages(k: float, p: float, multiplier: float) -> None:
    gradients = 0.3 * torch.randn(5, 3, 4, 4, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    found = divergence(k=k, p=p, multiplier=multiplier).weighed(gradients).item()
    assert found == pytest.approx(naive_penalty(gradients, k, p, multiplier), rel=1e-12)
    element_wise = multiplier * k * gradients.abs().pow(p).flatten(1).sum(1).mean().item()  # another penalty
    assert p == 2 or found > 2 * element_wise


class Linear(nn.Module):
    """f(x) = s <u, x>."""

    def __init__(self, direction: Tensor, slope: float) -> None:
        super().__init__()
        self.direction, self.slope = direction, nn.Parameter(torch.tensor(slope, dtype=torch.float64))

    def forward(self, images: Tensor) -> Tensor:
        return self.slope * (images.flatten(1) @ self.direction)


@pytest.mark.parametrize("points", POINTS)
@pytest.mark.parametrize(("k", "expected"), [(2, 0.96), (10, 0.70), (20, 0.61)])
def test_a_linear_critic_is_best_at_the_divergence_s_slope(k: float, expected: float, points: str) -> None:
    """Real and generated images a distance W = 10 apart along u: the best slope is s* = (W / k p)^(1 / (p - 1))."""
    direction = F.normalize(torch.randn(16, dtype=torch.float64), dim=0)
    fake = torch.randn(6, 1, 4, 4, dtype=torch.float64)
    real = fake + 10 * direction.view(1, 1, 4, 4)
    loss, mix = divergence(points, k=k), torch.full((6,), 0.3)
    optimum = (10 / (k * 6)) ** (1 / 5)
    assert optimum == pytest.approx(expected, abs=0.005)

    def derivative(slope: float) -> float:
        critic = Linear(direction, slope)
        return torch.autograd.grad(whole(loss, critic, real, fake, mix), critic.slope)[0].item()

    assert derivative(0.9 * optimum) < 0 < derivative(1.1 * optimum)
    assert derivative(optimum) == pytest.approx(0, abs=1e-10)


@pytest.mark.parametrize(("weight", "expected"), [(10, 1.5), (1, 6.0)])
def test_a_linear_critic_is_best_at_the_gradient_penalty_s_slope(weight: float, expected: float) -> None:
    """-s W + weight (s - 1)^2 is least at s* = 1 + W / (2 weight), for W = 10."""
    direction = F.normalize(torch.randn(16, dtype=torch.float64), dim=0)
    fake = torch.randn(6, 1, 4, 4, dtype=torch.float64)
    real, mix = fake + 10 * direction.view(1, 1, 4, 4), torch.full((6,), 0.3)
    for slope, derivative in ((expected, 0.0), (1.0, -10.0), (expected + 1, 2.0 * weight)):
        critic = Linear(direction, slope)
        (found,) = torch.autograd.grad(whole(gradient_penalty(weight), critic, real, fake, mix), critic.slope)
        assert found.item() == pytest.approx(derivative, abs=1e-10)


def test_the_gradient_penalty_is_of_the_distance_to_1_at_the_interpolates() -> None:
    """By the gradient of x |-> <x, x> / 2, which is x: norms below and above 1 both count."""
    real, fake, mix = batches()
    real, fake = real / 6, fake / 3

    def half_square(images: Tensor) -> Tensor:
        return images.flatten(1).square().sum(1) / 2

    norms = [math.sqrt(sum(value**2 for value in point.flatten().tolist())) for point in between(real, fake, mix)]
    assert min(norms) < 1 < max(norms)
    penalty = gradient_penalty(10).penalty(half_square, (real, fake), (half_square(real), half_square(fake)), mix)
    assert penalty.value.item() == pytest.approx(10 * sum((norm - 1) ** 2 for norm in norms) / 4, rel=1e-12)
    assert penalty.gradient_norm.item() == pytest.approx(sum(norms) / 4, rel=1e-12)


def parts(loss: Loss, critic: nn.Module, real: Tensor, fake: Tensor, mix: Tensor) -> tuple[Tensor, Tensor]:
    """The critic's loss without its penalty, and the penalty: 0 where the loss has none."""
    images = loss.tracked(real, fake)
    scores = critic(images[0]), critic(images[1])
    penalty = loss.penalty(critic, images, scores, mix)
    return loss.critic(*scores), torch.zeros(()) if penalty is None else penalty.value


def whole(loss: Loss, critic: nn.Module, real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
    return sum(parts(loss, critic, real, fake, mix), torch.zeros(()))


def batches() -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    real, fake = (torch.randn(4, 2, 4, 4, dtype=torch.float64, generator=generator) for _ in range(2))
    return real, fake, torch.rand(4, generator=generator)


def test_the_points_are_those_that_their_name_says() -> None:
    """By the gradient of x |-> <x, x> / 2, which is x."""
    real, fake, mix = batches()

    def half_square(images: Tensor) -> Tensor:
        return images.flatten(1).square().sum(1) / 2

    def points(name: str) -> Tensor:
        images = divergence(name).tracked(real, fake)
        scores = half_square(images[0]), half_square(images[1])
        return divergence(name).gradients(half_square, images, scores, mix)

    for i in range(4):  # one number for all of a sample, from the real image towards its own partner
        expected = (1 - mix[i].double()) * real[i] + mix[i].double() * fake[i]
        assert torch.allclose(between(real, fake, mix)[i], expected, rtol=1e-12)
    assert torch.equal(points("interpolates"), between(real, fake, mix))
    assert torch.equal(points("both"), torch.cat([real, fake]))
    assert torch.equal(points("real"), real)
    assert torch.equal(points("fake"), fake)


def smooth_critic(norm: Callable[[int], nn.Module] = lambda _: nn.Identity()) -> nn.Module:
    """Smooth, so that finite differences of second order exist everywhere."""
    torch.manual_seed(0)
    layers = nn.Conv2d(2, 3, 3, padding=1), norm(3), nn.Softplus(), nn.Conv2d(3, 1, 4), nn.Flatten(0)
    return nn.Sequential(*layers).double()


def test_both_is_half_the_sum_over_real_and_generated_images() -> None:
    """k/2 mean(|grad f(x)|^p + |grad f(y)|^p), each side a pass of its own: with a batch norm it matters."""
    real, fake, mix = batches()
    critic = smooth_critic(nn.BatchNorm2d)
    _, found = parts(divergence("both", multiplier=10), critic, real, fake, mix)
    sides = []
    for images in (real, fake):
        points = images.clone().requires_grad_(True)
        (gradients,) = torch.autograd.grad(critic(points).sum(), points)
        sides.append(torch.stack([gradient.norm() ** 6 for gradient in gradients]))
    assert found.item() == pytest.approx(10 * 2 / 2 * (sides[0] + sides[1]).mean().item(), rel=1e-10)


LOSSES = [bce(), bce(0.9), HINGE, clipped(), gradient_penalty(3), *(divergence(points, multiplier=3) for points in POINTS)]


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: f"{loss.name}-{getattr(loss, 'points', '')}")
def test_the_critic_s_gradient_against_finite_differences(loss: Loss) -> None:
    real, fake, mix = batches()
    critic = smooth_critic()
    whole(loss, critic, real, fake, mix).backward()
    for parameter in critic.parameters():
        assert parameter.grad is not None
        for index in (0, parameter.numel() // 2, parameter.numel() - 1):
            values = []
            for step in (1e-5, -1e-5):
                with torch.no_grad():
                    parameter.view(-1)[index] += step
                values.append(whole(loss, critic, real, fake, mix).item())
                with torch.no_grad():
                    parameter.view(-1)[index] -= step
            difference = (values[0] - values[1]) / 2e-5
            assert parameter.grad.view(-1)[index].item() == pytest.approx(difference, rel=1e-5, abs=1e-8)


@pytest.mark.parametrize("loss", LOSSES[:6], ids=lambda loss: loss.name)
def test_the_generator_s_gradient_against_finite_differences(loss: Loss) -> None:
    scores = torch.randn(5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda s: loss.generator(s), scores)


# Clipping


@pytest.mark.parametrize("norm", [nn.Identity, nn.BatchNorm2d], ids=["bare", "batch"])
def test_after_an_update_every_parameter_of_the_critic_is_in_the_cube(norm: Callable[[int], nn.Module]) -> None:
    """The others are left alone to the bit; a norm's gains, which start at 1, are parameters too, its statistics are not."""
    critic = smooth_critic(norm)
    before = {name: value.clone() for name, value in critic.state_dict().items()}
    clipped(0.05).after_update(critic)
    parameters = {name for name, _ in critic.named_parameters()}
    for name, value in critic.state_dict().items():
        expected = np.clip(before[name].numpy(), -0.05, 0.05) if name in parameters else before[name].numpy()
        assert np.array_equal(value.numpy(), expected), name
    assert any((before[name].abs() > 0.05).any() for name in parameters)
    assert all(parameter.requires_grad and parameter.is_leaf for parameter in critic.parameters())


def test_no_other_loss_touches_the_critic_after_an_update() -> None:
    for loss in (bce(), HINGE, divergence(), gradient_penalty()):
        critic = smooth_critic(nn.BatchNorm2d)
        before = {name: value.clone() for name, value in critic.state_dict().items()}
        loss.after_update(critic)
        assert all(torch.equal(before[name], value) for name, value in critic.state_dict().items())


def test_a_linear_critic_in_the_cube_finds_the_distance_of_the_means() -> None:
    """max over |w_i| <= c of <w, E x - E y> is c ||E x - E y||_1, at w = c sign(E x - E y)."""
    real, fake, _ = batches()
    gap = (real.mean(0) - fake.mean(0)).flatten()
    critic = nn.Sequential(nn.Flatten(), nn.Linear(32, 1, bias=False), nn.Flatten(0)).double()
    descent = torch.optim.SGD(critic.parameters(), lr=0.1)
    for _ in range(100):
        descent.zero_grad()
        clipped(0.02).critic(critic(real), critic(fake)).backward()
        descent.step()
        clipped(0.02).after_update(critic)
    assert torch.equal(critic[1].weight.detach()[0], 0.02 * gap.sign())
    assert clipped(0.02).critic(critic(real), critic(fake)).item() == pytest.approx(-0.02 * gap.abs().sum().item(), rel=1e-12)


# What reaches which network


@pytest.mark.parametrize("loss", [*map(divergence, POINTS), gradient_penalty()])
def test_the_penalty_reaches_the_critic_s_weights_and_nothing_else(loss: Loss) -> None:
    real, fake, mix = batches()
    fake.requires_grad_(True)  # as it comes from a generator
    critic = smooth_critic()
    parts(loss, critic, real, fake, mix)[1].backward()
    assert fake.grad is None
    assert real.grad is None
    assert all(parameter.grad is not None for parameter in critic[0].parameters())


@pytest.mark.parametrize("method", ["dcgan", "wgan-div", "sngan", "sagan-div-a", "wgan", "wgan-gp"])
def test_no_step_leaves_a_gradient_in_the_other_network(method: str) -> None:
    study = load(ROOT / "params.yaml", [BASELINES], sets=["datasets=[digits]", "image_size=16", "width=8"])
    run = begin(train_settings(study, method), Shape(16, 1, 8, 100), torch.device("cpu"))
    critic_step(run, torch.rand(4, 1, 16, 16), torch.rand(4, 1, 16, 16), torch.rand(4))
    assert all(parameter.grad is None for parameter in run.generator.parameters())
    run.critic.zero_grad()
    generator_step(run, torch.randn(4, 100, 1, 1))
    assert all(parameter.grad is None for parameter in run.critic.parameters())


def test_a_critic_step_of_wgan_ends_with_every_parameter_in_the_cube() -> None:
    """From weights outside of it, and the generator's stay where they are."""
    study = load(ROOT / "params.yaml", [BASELINES], sets=["datasets=[digits]", "image_size=16", "width=8"])
    run = begin(train_settings(study, "wgan"), Shape(16, 1, 8, 100), torch.device("cpu"))
    before = [parameter.detach().clone() for parameter in run.generator.parameters()]
    assert max(parameter.abs().max() for parameter in run.critic.parameters()) > 0.9
    critic_step(run, torch.rand(4, 1, 16, 16), torch.rand(4, 1, 16, 16), torch.rand(4))
    assert max(parameter.abs().max() for parameter in run.critic.parameters()) <= torch.tensor(0.01)
    assert all(map(torch.equal, before, run.generator.parameters()))
