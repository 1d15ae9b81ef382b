"""Layer normalisation (Ba et al. 2016)."""

from torch import nn


def make(channels: int) -> nn.GroupNorm:
    """One group: statistics over (C, H, W), as WGAN-div's official critic."""
    return nn.GroupNorm(1, channels)
