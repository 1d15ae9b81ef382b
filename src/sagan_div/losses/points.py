"""The points at which a penalty looks at the critic's gradient, and that gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a study is read without torch
    from torch import Tensor


def between(real: Tensor, fake: Tensor, mix: Tensor) -> Tensor:
    """Points [N, C, H, W] that lie `mix` [N] of the way from each real image to its generated partner (WGAN-GP, WGAN-div)."""
    return real + mix.to(real).view(-1, 1, 1, 1) * (fake - real)


def gradients(scores: Tensor, *points: Tensor) -> Tensor:
    """Of each score at its point, one under the other [N, C, H, W]; differentiable in the critic's weights."""
    import torch

    return torch.cat(torch.autograd.grad(scores.sum(), points, create_graph=True))
