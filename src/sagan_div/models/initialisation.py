"""What convolutions start from: DCGAN's random weights, and spectral norm where a method has it."""

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

INITIAL_STD = 0.02  # N(0, 0.02) on every convolution, as in DCGAN (A19)


def initialised(convolution: nn.Conv2d | nn.ConvTranspose2d, spectral: bool, bias: bool = False) -> nn.Module:
    """Weights drawn from N(0, 0.02), then spectral norm registered, whose warm-up must see the final weights.

    On a deconvolution PyTorch normalises the (out, in * h * w) matrix, as on a convolution. Biases start from 0 and draw
    nothing: with and without them the weights are the same.
    """
    nn.init.normal_(convolution.weight, 0.0, INITIAL_STD)
    if bias:
        convolution.bias = nn.Parameter(torch.zeros(convolution.out_channels))
    return spectral_norm(convolution) if spectral else convolution
