"""Table 1 of the paper: the generator and the critic, composed from a method's settings.

At 64x64 and width 64 these are the paper's networks. Each halving of the image size drops the widest layer.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm
from torch.nn.utils.parametrize import is_parametrized
from torch.utils.flop_counter import FlopCounterMode

from sagan_div.models.attention import ATTENTION, SaganAttention
from sagan_div.study import schema as config

INITIAL_STD = 0.02  # N(0, 0.02) on every convolution, as in DCGAN (A19)


class Shape(NamedTuple):
    """What the networks' sizes follow from: images [channels, image_size, image_size] and latents [latent, 1, 1]."""

    image_size: int
    channels: int
    width: int
    latent: int

    @property
    def widths(self) -> list[int]:
        """Channels of the critic's hidden layers, narrowest first: 64, 128, 256, 512 at 64x64 and width 64."""
        return [self.width << i for i in range(int(math.log2(self.image_size)) - 2)]


class Generator(nn.Sequential):
    """Latents [N, latent, 1, 1] -> images [N, channels, size, size] in (-1, 1) (Table 1, left)."""

    def __init__(self, settings: config.GeneratorConfig, shape: Shape) -> None:
        widths = [shape.latent, *reversed(shape.widths), shape.channels]
        blocks = [
            self._block(settings, inputs, outputs, first=i == 0, last=i == len(widths) - 2)
            for i, (inputs, outputs) in enumerate(pairwise(widths))
        ]
        super().__init__(*blocks)

    @staticmethod
    def _block(settings: config.GeneratorConfig, inputs: int, outputs: int, first: bool, last: bool) -> nn.Sequential:
        """Deconvolution, norm, ReLU and, last, attention (A12); the final one has neither norm nor attention (A4, A5)."""
        spectral = settings.spectral == "all" or (settings.spectral == "hidden" and not last)
        stride, padding = (1, 0) if first else (2, 1)
        plain = nn.ConvTranspose2d(inputs, outputs, 4, stride, padding, bias=False)
        deconvolution = _initialised(plain, spectral, settings.bias)
        if last:
            return nn.Sequential(deconvolution, nn.Tanh())
        layers = [deconvolution, *_norm(settings.norm, outputs), nn.ReLU(inplace=True)]
        if settings.attention != "none":
            module = ATTENTION[settings.attention](outputs)
            for convolution in (module.query, module.key, module.value, module.output):
                _initialised(convolution, settings.attention_spectral)
            layers.append(module)
        return nn.Sequential(*layers)


class Critic(nn.Sequential):
    """Images [N, channels, size, size] -> scores [N], one per image and without a sigmoid (Table 1, right)."""

    def __init__(self, settings: config.CriticConfig, shape: Shape) -> None:
        widths = [shape.channels, *shape.widths]
        blocks = [
            self._block(settings, inputs, outputs, number) for number, (inputs, outputs) in enumerate(pairwise(widths), start=1)
        ]
        score = nn.Conv2d(widths[-1], 1, 4, stride=1, padding=0, bias=False)
        super().__init__(*blocks, nn.Sequential(_initialised(score, settings.spectral == "all", settings.bias), nn.Flatten(0)))

    @staticmethod
    def _block(settings: config.CriticConfig, inputs: int, outputs: int, number: int) -> nn.Sequential:
        """Convolution, norm, leaky ReLU."""
        plain = nn.Conv2d(inputs, outputs, 4, stride=2, padding=1, bias=False)
        convolution = _initialised(plain, settings.spectral != "none", settings.bias)
        norm = settings.norm if number >= settings.norm_from else "none"
        leaky = nn.LeakyReLU(settings.slope, inplace=True)
        return nn.Sequential(convolution, *_norm(norm, outputs), leaky)


def _norm(name: str, channels: int) -> Iterator[nn.Module]:
    if name == "batch":
        norm = nn.BatchNorm2d(channels)
        nn.init.normal_(norm.weight, 1.0, INITIAL_STD)
        yield norm
    elif name == "instance":
        yield nn.InstanceNorm2d(channels)  # PyTorch's default: no affine parameters, no running statistics (A11)
    elif name == "layer":
        yield nn.GroupNorm(1, channels)  # one group: statistics over (C, H, W), as WGAN-div's official critic


def _initialised(convolution: nn.Conv2d | nn.ConvTranspose2d, spectral: bool, bias: bool = False) -> nn.Module:
    """Weights drawn from N(0, 0.02), then spectral norm registered, whose warm-up must see the final weights.

    On a deconvolution PyTorch normalises the (out, in * h * w) matrix, as on a convolution. Biases start from 0 and draw
    nothing: with and without them the weights are the same.
    """
    nn.init.normal_(convolution.weight, 0.0, INITIAL_STD)
    if bias:
        convolution.bias = nn.Parameter(torch.zeros(convolution.out_channels))
    return spectral_norm(convolution) if spectral else convolution


def build(method: config.MethodConfig, shape: Shape, seed: int) -> tuple[Generator, Critic]:
    """Both networks of a method, initialised from the seed alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return Generator(method.generator, shape), Critic(method.critic, shape)


def attention_gammas(generator: Generator) -> list[float]:
    """How far each attention module of SAGAN's form is open: 0 at the start."""
    modules = [module for module in generator.modules() if isinstance(module, SaganAttention)]
    return [float(module.gamma.detach()) for module in modules]


@torch.no_grad()
def largest_singular_value(network: Generator | Critic) -> float:
    """Of all (de)convolutions as they are applied, each an (out, in * h * w) matrix."""
    with _evaluating(network):
        found = [_singular_value(layer) for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)]
    return float(torch.stack(found).max())


def _singular_value(layer: nn.Conv2d | nn.ConvTranspose2d) -> Tensor:
    matrix = (layer.weight.transpose(0, 1) if isinstance(layer, nn.ConvTranspose2d) else layer.weight).flatten(1)
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.t()
    squares: Tensor = torch.linalg.eigvalsh((wide @ wide.t()).double())
    return squares[-1].clamp_min(0).sqrt()


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
    with torch.no_grad(), _evaluating(network):
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


@contextmanager
def _evaluating(network: nn.Module) -> Iterator[None]:
    training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(training)


def _title(layer: nn.Module) -> str:
    names = {"ConvTranspose2d": "deconv", "Conv2d": "conv", "GroupNorm": "LayerNorm", "Flatten": "score"}
    bare = type(layer).__name__.removeprefix("Parametrized")
    return names.get(bare, bare) + (" + SN" if any(map(is_parametrized, layer.modules())) else "")


def _kernel(layer: nn.Module) -> str:
    if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d):
        return f"{layer.kernel_size[0]} / {layer.stride[0]} / {layer.padding[0]}"
    return ""
