"""Table 1 for every method of a study: what its networks are, layer by layer."""

from dataclasses import dataclass
from functools import cache, partial

from sagan_div.models.describe import Layer, describe
from sagan_div.models.networks import Critic, Generator, Shape
from sagan_div.study import schema as config
from sagan_div.study.schema import Study

CHANNELS = 1  # of the networks that are described: the paper's images are grey
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


def block(layers: tuple[Layer, ...]) -> Block:
    """The layers of one block as a row."""
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


def networks(study: Study, channels: int = CHANNELS) -> dict[str, tuple[Network, Network]]:
    """Generator and critic of every method, for images of so many channels. Methods often share one: each is built once."""
    shape = Shape(study.image_size, channels, study.width, study.latent)
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
