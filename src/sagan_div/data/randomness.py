"""Every random number is drawn from (seed, purpose, step): nothing to save, nothing to replay.

The method is no part of it, so that methods with the same seed see the same images and latents: their runs are paired.

A stream is NumPy's Philox4x64-10 (Salmon et al. 2011, doi 10.1145/2063384.2063405) under a key of its own: 128 bits of a
SHA-256. Generators of PyTorch are no streams: on a CPU they keep 32 bits of a seed, and among a million of them over a
hundred pairs are equal. Of one version of NumPy, whole numbers, permutations and uniform numbers are the same bits on every
platform; so are normal ones but for rare values in the tails, where the C library's logarithm and exponential take part.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor


def key(seed: int, purpose: str, step: int = 0) -> int:
    """128 bits that a stream has to itself: among n streams two are equal with a probability of n^2 / 2^129."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{purpose}/{step}".encode()).digest()[:16], "little")


def stream(seed: int, purpose: str, step: int = 0) -> np.random.Generator:
    """A generator of its own for one purpose at one step."""
    return np.random.Generator(np.random.Philox(key=key(seed, purpose, step)))


def latents(seed: int, purpose: str, step: int, count: int, size: int) -> Tensor:
    """z ~ N(0, I): float32 [count, size, 1, 1] (A18)."""
    return torch.from_numpy(stream(seed, purpose, step).standard_normal((count, size, 1, 1), dtype=np.float32))


def uniform(seed: int, purpose: str, step: int, count: int) -> Tensor:
    """U(0, 1): float32 [count]."""
    return torch.from_numpy(stream(seed, purpose, step).random(count, dtype=np.float32))


def permutation(seed: int, purpose: str, step: int, count: int) -> Tensor:
    """0 to count - 1 in random order: int64 [count]."""
    return torch.from_numpy(stream(seed, purpose, step).permutation(count))


@contextmanager
def initialising(seed: int, purpose: str) -> Iterator[None]:
    """What PyTorch's own modules draw on the CPU inside the block follows from (seed, purpose) alone.

    Its generator takes 32 bits, so these are the hash's: seeds that differ anywhere start from different networks, but for one
    pair in 2^32.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(key(seed, purpose) % 2**32)
        yield


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
            self._epoch, self._order = epoch, permutation(self.seed, "order", epoch, self.count)
        return self._order
