"""How the networks are applied: as they read (eager), or by the same numbers with less work (fast); and how a cycle is run.

The fast pass walks through the same modules, with maps channels last in memory, and takes a layer's fast form from `kernels`
where it has one. Measured: docs/performance.md.
"""

import ctypes
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from sagan_div.data.randomness import Draws
from sagan_div.models.networks import Critic, Generator
from sagan_div.study.schema import CriticConfig, TrainConfig
from sagan_div.training import kernels
from sagan_div.training.cuda_graph import Captured, Cycle

Apply = Callable[[Generator | Critic, Tensor], Tensor]  # latents -> images, or images -> scores


def eager(network: Generator | Critic, x: Tensor) -> Tensor:
    """The modules one after the other, as PyTorch runs them."""
    result: Tensor = network(x)
    return _wide(result)


def fast(network: Generator | Critic, x: Tensor) -> Tensor:
    """The same modules one after the other, each in its fast form where it has one."""
    for block in network:
        assert isinstance(block, nn.Sequential)
        for layer in block:
            x = _fast_layer(layer, x)
    return _wide(x)


def _wide(x: Tensor) -> Tensor:
    """At least float32: bfloat16 is for products, not for sums."""
    return x.float() if x.dtype == torch.bfloat16 else x


APPLY: dict[str, Apply] = {"eager": eager, "fast": fast}


def scores(critic: Callable[[Tensor], Tensor], settings: CriticConfig, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
    """Scores [B] of real and of generated images: of one pass, unless a batch norm would mix them."""
    if settings.norm == "batch":
        return critic(real), critic(fake)
    score_real, score_fake = critic(torch.cat([real, fake])).chunk(2)
    return score_real, score_fake


def _fast_layer(layer: nn.Module, x: Tensor) -> Tensor:
    match layer:
        case nn.Conv2d(kernel_size=(4, 4), stride=(2, 2)):
            return _biased(kernels.down(x, layer.weight), layer)
        case nn.ConvTranspose2d(kernel_size=(4, 4), stride=(2, 2)):
            return _biased(kernels.up(x, layer.weight), layer)
        case nn.ConvTranspose2d() if x.shape[-1] == 1:
            return _biased(kernels.from_latents(x, layer.weight), layer)
        case nn.Conv2d() if x.shape[-2:] == layer.weight.shape[-2:] != (1, 1):
            return _biased((x.flatten(1) @ layer.weight.flatten(1).t()).view(-1, layer.out_channels, 1, 1), layer)
        case nn.ReLU():
            return x.relu()  # not in place: the norm before it needs its result
        case nn.LeakyReLU():
            return kernels.leaky(x, layer.negative_slope)
        case nn.InstanceNorm2d():
            return kernels.normalise(_wide(x), (2, 3), layer.eps)
        case nn.GroupNorm():  # of one group
            gain, shift = layer.weight.view(1, -1, 1, 1), layer.bias.view(1, -1, 1, 1)
            return torch.addcmul(shift, kernels.normalise(_wide(x), (1, 2, 3), layer.eps), gain)
        case _:
            result: Tensor = layer(x)
            return result


def _biased(maps: Tensor, layer: nn.Conv2d | nn.ConvTranspose2d) -> Tensor:
    return maps if layer.bias is None else maps + layer.bias.to(maps.dtype).view(1, -1, 1, 1)


# --- a cycle on this machine: its memory, its arithmetic, one graph of it on a GPU -----------------------------------------


def prepared(
    cycle: Cycle, drawn: Draws, changed: Callable[[], Mapping[str, Tensor]], settings: TrainConfig, device: torch.device
) -> Cycle:
    """The cycle as this machine runs it best: on a GPU as one graph, which `drawn` gives the shapes.

    `changed` names all tensors that a cycle changes. Without a GPU, or with the eager engine, it is called as it is.
    """
    _keep_memory()

    def work(draws: Draws) -> None:
        with _arithmetic(settings, device):
            cycle(draws)

    if settings.engine == "fast" and device.type == "cuda":
        return Captured(work, drawn.to(device), changed)
    return lambda draws: work(draws.to(device))


def wait(device: torch.device) -> None:
    """Until the device has done all that is queued on it, so that a clock sees it."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def _keep_memory() -> None:
    """Ask Linux's C library to keep what a cycle frees for the next one: new pages cost up to a fifth of a cycle's time."""
    trim_threshold, mmap_threshold, bytes_kept = -1, -3, 2**30
    adjust = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if adjust:
        adjust(trim_threshold, bytes_kept)
        adjust(mmap_threshold, bytes_kept)


@contextmanager
def _arithmetic(settings: TrainConfig, device: torch.device) -> Iterator[None]:
    """Products in bfloat16 where wanted, sums and norms in float32; on a GPU the fast engine multiplies float32 as TF32."""
    matmul, tf32 = torch.backends.cuda.matmul, _tf32(settings)
    before, matmul.allow_tf32 = matmul.allow_tf32, tf32
    deterministic = torch.are_deterministic_algorithms_enabled()
    try:
        with (
            torch.backends.cudnn.flags(enabled=True, deterministic=deterministic, allow_tf32=tf32),
            torch.autocast(device.type, torch.bfloat16, enabled=settings.precision == "bfloat16", cache_enabled=False),
        ):
            yield
    finally:
        matmul.allow_tf32 = before


def _tf32(settings: TrainConfig) -> bool:
    """Whether a GPU may multiply float32 as TF32, of ten bits."""
    return settings.engine == "fast"
