"""The Wasserstein distance with clipped weights (Arjovsky et al. 2017, WGAN)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from sagan_div.losses.loss import Loss

if TYPE_CHECKING:
    from torch import Tensor, nn


class Wasserstein(Loss):
    """The Wasserstein distance up to a factor, by a critic whose weights stay in a cube (WGAN, algorithm 1)."""

    name: Literal["wasserstein"]
    clip: float = Field(gt=0, description="largest absolute value of a parameter of the critic")

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """E[f(G(z))] - E[f(x)]."""
        return fake.mean() - real.mean()

    def generator(self, fake: Tensor) -> Tensor:
        """-E[f(G(z))]."""
        return -fake.mean()

    def after_update(self, critic: nn.Module) -> None:
        """Every parameter back into [-clip, clip], a norm's gains and shifts too, as in the official code."""
        import torch

        with torch.no_grad():
            for parameter in critic.parameters():
                parameter.clamp_(-self.clip, self.clip)
