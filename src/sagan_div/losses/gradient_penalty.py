"""The Wasserstein distance with a gradient penalty (Gulrajani et al. 2017, WGAN-GP)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from sagan_div.losses.loss import Critic, Loss, Pair, Penalty
from sagan_div.losses.points import between, gradients

if TYPE_CHECKING:
    from torch import Tensor


class GradientPenalty(Loss):
    """The Wasserstein distance, and weight E(||grad f|| - 1)^2 at random points between real and generated images (WGAN-GP)."""

    name: Literal["gradient-penalty"]
    weight: float = Field(ge=0, description="of the penalty, the paper's lambda")

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """E[f(G(z))] - E[f(x)], without the penalty."""
        return fake.mean() - real.mean()

    def generator(self, fake: Tensor) -> Tensor:
        """-E[f(G(z))]."""
        return -fake.mean()

    def penalty(self, critic: Critic, images: Pair, scores: Pair, mix: Tensor) -> Penalty:
        """Of norms on either side of 1 (equation 3): the optimal critic's gradient has norm 1 along the transport."""
        points = between(*images, mix).requires_grad_(True)
        norms = gradients(critic(points), points).flatten(1).norm(dim=1)
        return Penalty(self.weight * (norms - 1).square().mean(), norms.detach().mean())
