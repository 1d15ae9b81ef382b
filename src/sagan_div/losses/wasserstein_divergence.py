"""The Wasserstein divergence (Wu et al. 2018, WGAN-div)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from sagan_div.losses.loss import Critic, Loss, Pair, Penalty
from sagan_div.losses.points import between, gradients

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
        found = self.gradients(critic, images, scores, mix)
        return Penalty(self.weighed(found), found.detach().flatten(1).norm(dim=1).mean())

    def gradients(self, critic: Critic, images: Pair, scores: Pair, mix: Tensor) -> Tensor:
        """grad_x f(x) at the points (A14), one under the other [N, C, H, W]; differentiable in the critic's weights."""
        import torch

        match self.points:
            case "interpolates":
                points = between(*images, mix).requires_grad_(True)
                return gradients(critic(points), points)
            case "both":
                return gradients(torch.cat(scores), *images)
            case "real":
                return gradients(scores[0], images[0])
            case "fake":
                return gradients(scores[1], images[1])

    def weighed(self, gradients: Tensor) -> Tensor:
        """multiplier * k * E ||grad f||^p: squared, summed over a sample, raised to p/2, then the mean over samples."""
        squares = gradients.flatten(1).square().sum(dim=1)
        return self.multiplier * self.k * squares.pow(self.p / 2).mean()
