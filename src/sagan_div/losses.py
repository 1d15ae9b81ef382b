"""What the two networks minimise: functions of scores [N], and the Wasserstein divergence's penalty.

Higher scores mean "real" throughout (the Wasserstein divergence's official code has the other sign; the game is the same).
"""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

from sagan_div.config import Hinge, Loss, NonSaturating, WassersteinDivergence


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


def input_gradients(scores: Callable[[Tensor], Tensor], batches: Sequence[Tensor]) -> Tensor:
    """grad_x f(x) at all images of the batches [N, C, H, W], one under the other; differentiable in the critic's weights.

    Each batch is a pass of its own, since a batch norm in the critic ties the images of a pass together.
    """
    points = [images.detach().requires_grad_(True) for images in batches]
    total = torch.cat([scores(images) for images in points]).sum()
    return torch.cat(torch.autograd.grad(total, points, create_graph=True))


def penalty_points(loss: WassersteinDivergence, real: Tensor, fake: Tensor, mix: Tensor) -> tuple[Tensor, ...]:
    """Batches where the gradient is taken (A14): `mix` [N] of the way from real images to generated ones, or at the images."""
    match loss.points:
        case "interpolates":
            return (real + mix.to(real).view(-1, 1, 1, 1) * (fake - real),)
        case "both":
            return real, fake
        case "real":
            return (real,)
        case "fake":
            return (fake,)
