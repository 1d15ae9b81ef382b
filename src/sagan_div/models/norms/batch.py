"""Batch normalisation (Ioffe and Szegedy 2015)."""

from torch import nn

from sagan_div.models.initialisation import INITIAL_STD


def make(channels: int) -> nn.BatchNorm2d:
    """With gains drawn from N(1, 0.02), as in DCGAN, and shifts of 0."""
    norm = nn.BatchNorm2d(channels)
    nn.init.normal_(norm.weight, 1.0, INITIAL_STD)
    return norm
