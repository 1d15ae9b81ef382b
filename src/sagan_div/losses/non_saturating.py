"""The loss of DCGAN (Goodfellow et al. 2014, section 3; Radford et al. 2016)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from sagan_div.losses.loss import Loss

if TYPE_CHECKING:
    from torch import Tensor


class NonSaturating(Loss):
    """Binary cross-entropy with the non-saturating generator loss (DCGAN)."""

    name: Literal["non-saturating"]
    real_label: float = Field(ge=0.5, le=1, description="target of real images, and of the generator")

    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """E[-t log s(f(x)) - (1 - t) log(1 - s(f(x)))] + E[-log(1 - s(f(G(z))))] with t the real label, s the sigmoid."""
        from torch.nn.functional import softplus

        return self._cross_entropy(real) + softplus(fake).mean()

    def generator(self, fake: Tensor) -> Tensor:
        """The cross-entropy of generated images with the label of real ones."""
        return self._cross_entropy(fake)

    def _cross_entropy(self, scores: Tensor) -> Tensor:
        """With the real label as target; -log s(f) = softplus(-f), which does not overflow."""
        from torch.nn.functional import softplus

        return (self.real_label * softplus(-scores) + (1 - self.real_label) * softplus(scores)).mean()
