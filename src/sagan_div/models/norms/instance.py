"""Instance normalisation (Ulyanov et al. 2016)."""

from torch import nn


def make(channels: int) -> nn.InstanceNorm2d:
    """As PyTorch has it: no affine parameters, no running statistics (A11)."""
    return nn.InstanceNorm2d(channels)
