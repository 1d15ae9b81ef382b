"""A feature space: what its network makes of images, and how features are had of many of them."""

from collections.abc import Callable, Sized
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from sagan_div.errors import UserError

Device = torch.device | str


class Images(Sized, Protocol):
    """uint8 images [N, C, S, S] that are had in slices: an array, a tensor, or files read when they are needed."""

    def __getitem__(self, chosen: slice, /) -> Any: ...


def as_channels(images: Tensor, channels: int) -> Tensor:
    """uint8 [B, C, S, S] -> uint8 [B, channels, S, S]: grey ones repeated, or one of three equal channels. Raises UserError."""
    if images.shape[1] == channels or images.shape[1] == 1:
        return images.expand(-1, channels, -1, -1)
    if channels != 1 or not (images == images[:, :1]).all():
        raise UserError(f"the network takes {channels} channel, and these images are coloured; use another feature space")
    return images[:, :1]


def true_float32() -> AbstractContextManager[None]:
    """Convolutions in true float32 and in a fixed order, on a GPU too, so that its numbers are the CPU's."""
    return torch.backends.cudnn.flags(enabled=True, deterministic=True, allow_tf32=False)


@dataclass(frozen=True)
class Extractor:
    """A feature space: uint8 images [B, C, S, S] -> float32 features [B, dimensions] on `device`."""

    name: str
    digest: str  # SHA-256 of the weights
    device: Device
    network: Callable[[Tensor], Tensor]
    head: Tensor | None = None  # of the linear layer behind the features, [classes, dimensions]; none: it knows no classes
    bias: Tensor | None = None

    @property
    def identity(self) -> str:
        """What features must share to be compared."""
        return f"{self.name}:{self.digest}"

    @torch.inference_mode()
    def __call__(self, images: Tensor) -> Tensor:
        return self.network(images.to(self.device))

    def probabilities(self, features: np.ndarray) -> np.ndarray | None:
        """Class probabilities float64 [N, classes] of features [N, dimensions], where the network knows classes."""
        if self.head is None:
            return None
        bias = None if self.bias is None else self.bias.cpu()
        logits = F.linear(torch.from_numpy(features), self.head.cpu(), bias)
        result: np.ndarray = logits.double().softmax(1).numpy()
        return result


def extract(
    extractor: Extractor, images: Images, batch_size: int = 50, progress: Callable[[int], None] = lambda done: None
) -> np.ndarray:
    """Features float32 [N, d] of uint8 images [N, C, S, S], N >= 1, batch by batch. `progress` gets how many are done."""
    result = np.empty((0, 0), np.float32)
    for start in range(0, len(images), batch_size):
        found = extractor(torch.as_tensor(images[start : start + batch_size])).cpu().numpy()
        if start == 0:
            result = np.empty((len(images), found.shape[1]), np.float32)
        result[start : start + len(found)] = found
        progress(start + len(found))
    return result
