"""What the two networks minimise: functions of scores [N], and the Wasserstein divergence's penalty.

Higher scores mean "real" throughout (the Wasserstein divergence's official code has the other sign; the game is the same).
"""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from sagan_div.study.schema import Hinge, Loss, NonSaturating, WassersteinDivergence


def critic_loss(loss: Loss, real: Tensor, fake: Tensor) -> Tensor:
    """The critic's loss of scores [N] of real and of generated images, without the penalty."""
    match loss:
        case NonSaturating(real_label=label):  # binary cross-entropy with `label` for real, 0 for generated images
            return (label * F.softplus(-real) + (1 - label) * F.softplus(real)).mean() + F.softplus(fake).mean()
        case Hinge():  # SNGAN eq. 16
            return F.relu(1 - real).mean() + F.relu(1 + fake).mean()
        case WassersteinDivergence():
            return fake.mean() - real.mean()


def generator_loss(loss: Loss, fake: Tensor) -> Tensor:
    """The generator's loss of the critic's scores [N] of its images."""
    match loss:
        case NonSaturating(real_label=label):
            return (label * F.softplus(-fake) + (1 - label) * F.softplus(fake)).mean()
        case Hinge() | WassersteinDivergence():
            return -fake.mean()


def penalty(loss: WassersteinDivergence, gradients: Tensor) -> Tensor:
    """multiplier * k * E ||grad f||^p: squared, summed over a sample, raised to p/2, then the mean over samples (WGAN-div)."""
    squares = gradients.flatten(1).square().sum(dim=1)
    return loss.multiplier * loss.k * squares.pow(loss.p / 2).mean()


def tracked(loss: Loss, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """The images as leaves of the graph where the penalty takes the gradient at them: the loss's passes serve it too."""
    points = loss.points if isinstance(loss, WassersteinDivergence) else "none"
    return real.detach().requires_grad_(points in ("both", "real")), fake.detach().requires_grad_(points in ("both", "fake"))


def input_gradients(
    loss: WassersteinDivergence,
    critic: Callable[[Tensor], Tensor],
    images: tuple[Tensor, Tensor],
    scores: tuple[Tensor, Tensor],
    mix: Tensor,
) -> Tensor:
    """grad_x f(x) at the penalty's points (A14), one under the other [N, C, H, W]; differentiable in the critic's weights.

    `images` are the real and the generated ones, from `tracked`, and `scores` what the loss's passes made of them.
    """
    match loss.points:
        case "interpolates":
            points = between(*images, mix).requires_grad_(True)
            return _gradients(critic(points), points)
        case "both":
            return _gradients(torch.cat(scores), *images)
        case "real":
            return _gradients(scores[0], images[0])
        case "fake":
            return _gradients(scores[1], images[1])


def between(real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
    """Points [N, C, H, W] that lie `mix` [N] of the way from each real image to its generated partner (WGAN-div)."""
    return real + mix.to(real).view(-1, 1, 1, 1) * (fake - real)


def _gradients(scores: Tensor, *points: Tensor) -> Tensor:
    return torch.cat(torch.autograd.grad(scores.sum(), points, create_graph=True))
