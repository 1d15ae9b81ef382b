"""The hinge loss (Lim and Ye 2017; Tran et al. 2017)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from sagan_div.losses.loss import Loss

if TYPE_CHECKING:
    from torch import Tensor


class Hinge(Loss):
    """The hinge loss (SNGAN's released configurations, SAGAN)."""

    name: Literal["hinge"]

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """E[max(0, 1 - f(x))] + E[max(0, 1 + f(G(z)))] (Miyato et al. 2018, equation 16)."""
        return (1 - real).relu().mean() + (1 + fake).relu().mean()

    def generator(self, fake: Tensor) -> Tensor:
        """-E[f(G(z))] (Miyato et al. 2018, equation 17)."""
        return -fake.mean()
