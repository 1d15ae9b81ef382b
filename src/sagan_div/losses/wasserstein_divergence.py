"""The Wasserstein divergence (Wu et al. 2018, WGAN-div)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from sagan_div.losses.loss import Critic, Loss, Pair, Penalty

if TYPE_CHECKING:
    from torch import Tensor


class WassersteinDivergence(Loss):
    """The Wasserstein divergence (WGAN-div): k E||grad f||^p at the given points, times the multiplier.

    The official code has scores of the other sign; the game is the same.
    """

    name: Literal["wasserstein-divergence"]
    k: float = Field(ge=0, description="weight of the penalty")
    p: float = Field(ge=2, description="power of the gradient's norm")
    points: Literal["interpolates", "both", "real", "fake"] = Field(description="where the gradient is taken")
    multiplier: float = Field(ge=0, description="a further factor on the penalty")

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """E[f(G(z))] - E[f(x)], without the penalty."""
        return fake.mean() - real.mean()

    def generator(self, fake: Tensor) -> Tensor:
        """-E[f(G(z))]."""
        return -fake.mean()

    def tracked(self, real: Tensor, fake: Tensor) -> Pair:
        """Leaves of the graph where the points are the images themselves: the loss's own passes serve the penalty too."""
        at_real, at_fake = self.points in ("both", "real"), self.points in ("both", "fake")
        return real.detach().requires_grad_(at_real), fake.detach().requires_grad_(at_fake)

    def penalty(self, critic: Critic, images: Pair, scores: Pair, mix: Tensor) -> Penalty:
        """The weighed gradients at the points."""
        gradients = self.gradients(critic, images, scores, mix)
        return Penalty(self.weighed(gradients), gradients.detach().flatten(1).norm(dim=1).mean())

    def gradients(self, critic: Critic, images: Pair, scores: Pair, mix: Tensor) -> Tensor:
        """grad_x f(x) at the points (A14), one under the other [N, C, H, W]; differentiable in the critic's weights."""
        import torch

        match self.points:
            case "interpolates":
                points = between(*images, mix).requires_grad_(True)
                return _gradients(critic(points), points)
            case "both":
                return _gradients(torch.cat(scores), *images)
            case "real":
                return _gradients(scores[0], images[0])
            case "fake":
                return _gradients(scores[1], images[1])

    def weighed(self, gradients: Tensor) -> Tensor:
        """multiplier * k * E ||grad f||^p: squared, summed over a sample, raised to p/2, then the mean over samples."""
        squares = gradients.flatten(1).square().sum(dim=1)
        return self.multiplier * self.k * squares.pow(self.p / 2).mean()


def between(real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
    """Points [N, C, H, W] that lie `mix` [N] of the way from each real image to its generated partner (WGAN-div)."""
    return real + mix.to(real).view(-1, 1, 1, 1) * (fake - real)


def _gradients(scores: Tensor, *points: Tensor) -> Tensor:
    import torch

    return torch.cat(torch.autograd.grad(scores.sum(), points, create_graph=True))
