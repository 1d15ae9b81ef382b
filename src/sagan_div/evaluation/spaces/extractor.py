"""A feature space: what its network makes of images, and how features are had of many of them."""

from collections.abc import Callable, Sized
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

Device = torch.device | str


class Images(Sized, Protocol):
    """uint8 images [N, C, S, S] that are had in slices: an array, a tensor, or files read when they are needed."""

    def __getitem__(self, chosen: slice, /) -> Any: ...


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
    head: Tensor  # of the linear layer behind the features, [classes, dimensions]
    bias: Tensor | None

    @property
    def identity(self) -> str:
        """What features must share to be compared."""
        return f"{self.name}:{self.digest}"

    @property
    def dimensions(self) -> int:
        return self.head.shape[1]

    @torch.inference_mode()
    def __call__(self, images: Tensor) -> Tensor:
        return self.network(images.to(self.device))

    def probabilities(self, features: np.ndarray) -> np.ndarray:
        """Class probabilities float64 [N, classes] of features [N, dimensions]."""
        bias = None if self.bias is None else self.bias.cpu()
        logits = F.linear(torch.from_numpy(features), self.head.cpu(), bias)
        result: np.ndarray = logits.double().softmax(1).numpy()
        return result


def extract(
    extractor: Extractor, images: Images, batch_size: int = 50, progress: Callable[[int], None] = lambda done: None
) -> np.ndarray:
    """Features float32 [N, d] of uint8 images [N, C, S, S], batch by batch. `progress` gets how many are done."""
    result = np.empty((len(images), extractor.dimensions), np.float32)
    for start in range(0, len(images), batch_size):
        batch = torch.as_tensor(images[start : start + batch_size])
        result[start : start + len(batch)] = extractor(batch).cpu().numpy()
        progress(start + len(batch))
    return result
