"""Table 1 of the paper: the generator and the critic, composed from a method's settings.

At 64x64 and width 64 these are the paper's networks. Each halving of the image size drops the widest layer.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from typing import NamedTuple

from torch import nn

from sagan_div.data.randomness import initialising
from sagan_div.models import attention, norms
from sagan_div.models.initialisation import initialised
from sagan_div.study import schema as config


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
        norm = "none" if last else settings.norm
        plain = nn.ConvTranspose2d(inputs, outputs, 4, stride, padding, bias=False)
        deconvolution = initialised(plain, spectral, _biased(settings.bias, norm))
        if last:
            return nn.Sequential(deconvolution, nn.Tanh())
        layers = [deconvolution, *_norm(norm, outputs), nn.ReLU(inplace=True)]
        if settings.attention != "none":
            module = attention.make(settings.attention, outputs)
            for convolution in module.convolutions:
                initialised(convolution, settings.attention_spectral)
            layers.append(module)
        return nn.Sequential(*layers)


class Critic(nn.Sequential):
    """Images [N, channels, size, size] -> scores [N], one per image and without a sigmoid (Table 1, right)."""

    def __init__(self, settings: config.CriticConfig, shape: Shape) -> None:
        widths = [shape.channels, *shape.widths]
        blocks = [
            self._block(settings, inputs, outputs, number) for number, (inputs, outputs) in enumerate(pairwise(widths), start=1)
        ]
        plain = nn.Conv2d(widths[-1], 1, 4, stride=1, padding=0, bias=False)
        score = initialised(plain, settings.spectral == "all", _biased(settings.bias, norm="none"))
        super().__init__(*blocks, nn.Sequential(score, nn.Flatten(0)))

    @staticmethod
    def _block(settings: config.CriticConfig, inputs: int, outputs: int, number: int) -> nn.Sequential:
        """Convolution, norm, leaky ReLU."""
        norm = settings.norm if number >= settings.norm_from else "none"
        plain = nn.Conv2d(inputs, outputs, 4, stride=2, padding=1, bias=False)
        convolution = initialised(plain, settings.spectral != "none", _biased(settings.bias, norm))
        leaky = nn.LeakyReLU(settings.slope, inplace=True)
        return nn.Sequential(convolution, *_norm(norm, outputs), leaky)


def _biased(choice: config.Biases, norm: str) -> bool:
    """Whether a (de)convolution has biases, given the norm of its output; its weights' spectral norm is none such (A20)."""
    return choice == "all" or (choice == "where-no-norm" and norm == "none")


def _norm(name: str, channels: int) -> list[nn.Module]:
    return [] if name == "none" else [norms.make(name, channels)]


def build(method: config.MethodConfig, shape: Shape, seed: int) -> tuple[Generator, Critic]:
    """Both networks of a method, initialised from the seed alone."""
    with initialising(seed, "networks"):
        return Generator(method.generator, shape), Critic(method.critic, shape)


def attention_gammas(generator: Generator) -> list[float]:
    """The weight of each attention module whose form has one, as SAGAN's: 0 at the start."""
    gammas = [getattr(module, "gamma", None) for module in generator.modules()]  # what forms share is not imported here
    return [float(gamma.detach()) for gamma in gammas if gamma is not None]


@contextmanager
def evaluating(network: nn.Module) -> Iterator[None]:
    """The network in evaluation mode, and afterwards in the mode that it had."""
    training = network.training
    network.eval()
    try:
        yield
    finally:
        network.train(training)
