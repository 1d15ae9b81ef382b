"""Every random number is drawn from (seed, purpose, step): nothing to save, nothing to replay.

The method is no part of it, so that methods with the same seed see the same images and latents: their runs are paired.
"""

import hashlib
from typing import NamedTuple

import torch
from torch import Tensor


def stream(seed: int, purpose: str, step: int = 0) -> torch.Generator:
    """A generator of its own for one purpose at one step."""
    digest = hashlib.sha256(f"{seed}/{purpose}/{step}".encode()).digest()
    return torch.Generator().manual_seed(int.from_bytes(digest[:8], "little") >> 1)


def latents(seed: int, purpose: str, step: int, count: int, size: int) -> Tensor:
    """z ~ N(0, I): float32 [count, size, 1, 1] (A18)."""
    return torch.randn(count, size, 1, 1, generator=stream(seed, purpose, step))


class Draws(NamedTuple):
    """All that chance decides in a cycle of n critic steps and a generator step, each on batches of B."""

    images: Tensor  # indices of the real images, int64 [n, B]
    latents: Tensor  # of the critic steps, [n, B, latent, 1, 1]
    mix: Tensor  # U(0, 1) for the penalty's points, [n, B]
    generator: Tensor  # latents of the generator step, [B, latent, 1, 1]

    def to(self, device: torch.device) -> "Draws":
        return Draws(*(tensor.to(device) for tensor in self))


class Batches:
    """Indices of the images of critic step 0, 1, 2, …: each pass over the data is a permutation drawn from (seed, pass).

    A batch may span two passes: nothing is dropped, and a batch may be larger than the dataset (A37).
    """

    def __init__(self, seed: int, count: int, batch_size: int) -> None:
        self.seed, self.count, self.batch_size = seed, count, batch_size
        self._epoch, self._order = -1, torch.empty(0, dtype=torch.long)

    def __getitem__(self, step: int) -> Tensor:
        """Indices int64 [batch_size] of a critic step."""
        start, stop = step * self.batch_size, (step + 1) * self.batch_size
        parts = []
        while start < stop:
            epoch, offset = divmod(start, self.count)
            part = self._permutation(epoch)[offset : offset + stop - start]
            parts.append(part)
            start += len(part)
        return torch.cat(parts)

    def _permutation(self, epoch: int) -> Tensor:
        if epoch != self._epoch:
            self._epoch, self._order = epoch, torch.randperm(self.count, generator=stream(self.seed, "order", epoch))
        return self._order
