"""What a network is, layer by layer, as in the paper's Table 1."""

from typing import NamedTuple

import torch
from torch import nn
from torch.nn.utils.parametrize import is_parametrized
from torch.utils.flop_counter import FlopCounterMode

from sagan_div.models.networks import Critic, Generator, Shape, evaluating


class Layer(NamedTuple):
    """A row of Table 1: what one layer makes of one image. FLOPs count two per multiply-add, elementwise work not at all."""

    block: int
    name: str
    kernel: str
    output: tuple[int, ...]
    parameters: int
    flops: int


def describe(network: Generator | Critic, shape: Shape) -> list[Layer]:
    """The layers of a network with output shape, parameters and FLOPs per image."""
    latent, image = (1, shape.latent, 1, 1), (1, shape.channels, shape.image_size, shape.image_size)
    value = torch.zeros(latent if isinstance(network, Generator) else image)
    rows = []
    with torch.no_grad(), evaluating(network):
        for number, block in enumerate(network, start=1):
            assert isinstance(block, nn.Sequential)
            for layer in block:
                with FlopCounterMode(display=False) as counter:
                    value = layer(value)
                parameters = sum(parameter.numel() for parameter in layer.parameters())
                rows.append(
                    Layer(number, _title(layer), _kernel(layer), tuple(value.shape[1:]), parameters, counter.get_total_flops())
                )
    return rows


def _title(layer: nn.Module) -> str:
    names = {"ConvTranspose2d": "deconv", "Conv2d": "conv", "GroupNorm": "LayerNorm", "Flatten": "score"}
    bare = type(layer).__name__.removeprefix("Parametrized")
    return names.get(bare, bare) + (" + SN" if any(map(is_parametrized, layer.modules())) else "")


def _kernel(layer: nn.Module) -> str:
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        return f"{layer.kernel_size[0]} / {layer.stride[0]} / {layer.padding[0]}"
    return ""
