"""Table 1 for every method of a study: what its networks are, layer by layer."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache, partial

from sagan_div.models.describe import Layer, describe
from sagan_div.models.networks import Critic, Generator, Shape
from sagan_div.study import schema as config
from sagan_div.study.schema import Study

NORMS = {"BatchNorm2d": "batch", "InstanceNorm2d": "instance", "LayerNorm": "layer"}
ATTENTIONS = {"SaganAttention": "sagan", "NonLocalBlock": "wang"}
SPECTRAL = " + SN"  # how `describe` marks a layer with spectral norm


@dataclass(frozen=True)
class Block:
    """A row of Table 1: a (de)convolution with the norms and the attention around it. Work in MFLOP per image."""

    kernel: int
    stride: int
    padding: int
    output: tuple[int, ...]
    spectral: bool
    norm: str | None
    attention: str | None
    attention_spectral: bool
    parameters: int
    megaflops: float


@dataclass(frozen=True)
class Network:
    """A generator or critic: its blocks of layers, its parameters, and its work per image in MFLOP."""

    title: str
    blocks: tuple[tuple[Layer, ...], ...]

    @property
    def parameters(self) -> int:
        return sum(layer.parameters for block in self.blocks for layer in block)

    @property
    def megaflops(self) -> float:
        return sum(layer.flops for block in self.blocks for layer in block) / 1e6


Networks = dict[int, dict[str, tuple[Network, Network]]]  # channels of the images -> method -> generator and critic


def rows(network: Network) -> list[Block]:
    """The blocks of a network, each as a row."""
    return [_row(layers) for layers in network.blocks]


def _row(layers: tuple[Layer, ...]) -> Block:
    convolution, *others = layers
    kernel, stride, padding = map(int, convolution.kernel.split(" / "))
    bare = {layer.name.removesuffix(SPECTRAL): layer for layer in others}
    attention = next((name for name in bare if name in ATTENTIONS), None)
    return Block(
        kernel=kernel,
        stride=stride,
        padding=padding,
        output=layers[-1].output or (1,),
        spectral=convolution.name.endswith(SPECTRAL),
        norm=next((NORMS[name] for name in bare if name in NORMS), None),
        attention=ATTENTIONS[attention] if attention else None,
        attention_spectral=attention is not None and bare[attention].name.endswith(SPECTRAL),
        parameters=sum(layer.parameters for layer in layers),
        megaflops=sum(layer.flops for layer in layers) / 1e6,
    )


def networks(study: Study, channels: Iterable[int]) -> Networks:
    """Generator and critic of every method, for images of each of these numbers of channels."""
    return {count: _pairs(study, Shape(study.image_size, count, study.width, study.latent)) for count in channels}


def _pairs(study: Study, shape: Shape) -> dict[str, tuple[Network, Network]]:
    """Methods often share a network: each is built once."""
    generator, critic = cache(partial(_generator, shape)), cache(partial(_critic, shape))
    return {name: (generator(method.generator), critic(method.critic)) for name, method in study.methods.items()}


def _generator(shape: Shape, settings: config.GeneratorConfig) -> Network:
    return _network("Generator", Generator(settings, shape), shape)


def _critic(shape: Shape, settings: config.CriticConfig) -> Network:
    return _network("Critic", Critic(settings, shape), shape)


def _network(title: str, network: Generator | Critic, shape: Shape) -> Network:
    layers = describe(network, shape)
    numbers = sorted({layer.block for layer in layers})
    return Network(title, tuple(tuple(layer for layer in layers if layer.block == number) for number in numbers))
