"""Streams of chance: each is its own, they are independent, and equal keys give equal numbers."""

import itertools
import subprocess
import sys

import numpy as np
import pytest
import torch
from scipy import stats

from sagan_div.data.randomness import Batches, initialising, key, latents, permutation, stream, uniform

PURPOSES = ("critic", "generator", "mix", "order", "sample")
WORD = np.uint64(2**32 - 1)


def multiplied(a: int, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The high and the low 64 bits of a constant times words of 64 bits."""
    a_high, a_low, b_high, b_low = np.uint64(a >> 32), np.uint64(a) & WORD, b >> np.uint64(32), b & WORD
    middle = a_high * b_low + (a_low * b_low >> np.uint64(32))
    crossed = a_low * b_high + (middle & WORD)
    return a_high * b_high + (middle >> np.uint64(32)) + (crossed >> np.uint64(32)), np.uint64(a) * b


def first_words(keys: np.ndarray) -> np.ndarray:
    """What Philox4x64-10 yields first under keys uint64 [N, 2], by the paper of Salmon et al. 2011; NumPy counts from 1."""
    zeros = np.zeros(len(keys), np.uint64)
    words, (k0, k1) = [zeros + np.uint64(1), zeros, zeros, zeros], keys.T.copy()
    for _ in range(10):
        (high0, low0), (high2, low2) = multiplied(0xD2E7470EE14C6C93, words[0]), multiplied(0xCA5A826395121157, words[2])
        words = [high2 ^ words[1] ^ k0, low2, high0 ^ words[3] ^ k1, low0]
        k0, k1 = k0 + np.uint64(0x9E3779B97F4A7C15), k1 + np.uint64(0xBB67AE8584CAA73B)
    return words[0]


def test_no_two_of_a_million_streams_draw_the_same() -> None:
    """Over seeds, purposes and steps, near ones and ones that differ beyond 32 bits alone."""
    seeds, steps = (0, 1, 2**32, 2**32 + 1), range(50_000)
    names = list(itertools.product(seeds, PURPOSES, steps))
    assert len(names) == 1_000_000
    keys = np.frombuffer(b"".join(key(*name).to_bytes(16, "little") for name in names), np.uint64).reshape(-1, 2)
    words = first_words(keys)
    assert len(np.unique(words)) == len(words)
    for place in (0, 1, 123_456, 999_999):
        assert stream(*names[place]).bit_generator.random_raw() == words[place]


@pytest.mark.parametrize("one", [("critic", 0), ("mix", 7)])
@pytest.mark.parametrize("other", [(1, "critic", 0), (2**32, "critic", 0), (0, "generator", 0), (0, "critic", 1)])
def test_streams_that_differ_in_one_part_are_independent(one: tuple[str, int], other: tuple[int, str, int]) -> None:
    """No correlation of their normals at any of 65 shifts, and no pattern in a table of 16 x 16 cells of their uniforms."""
    purpose, step = one
    seed, purpose_2, step_2 = other
    names = (0, purpose, step), (seed, purpose if purpose_2 == "critic" else purpose_2, step + step_2)
    a, b = (latents(*name, 1000, 100).flatten().double().numpy() for name in names)
    shifted = [float(np.corrcoef(a, np.roll(b, shift))[0, 1]) for shift in range(-32, 33)]
    assert np.abs(shifted).max() < 4.5 / np.sqrt(len(a))
    u, v = (uniform(*name, 100_000).numpy() for name in names)
    table = np.histogram2d(u, v, 16, [[0, 1], [0, 1]])[0]
    assert 1e-4 < stats.chisquare(table.ravel()).pvalue < 1 - 1e-4


def test_successive_steps_follow_their_distributions_as_a_whole() -> None:
    """A batch of every step is a sample of the distribution, and the first numbers of many steps are one too."""
    normals = np.concatenate([latents(3, "critic", step, 8, 10).flatten().numpy() for step in range(2000)])
    assert stats.kstest(normals, "norm").pvalue > 1e-3
    assert stats.kstest([uniform(3, "mix", step, 1).item() for step in range(5000)], "uniform").pvalue > 1e-3
    places = [permutation(3, "order", step, 50)[0].item() for step in range(5000)]
    assert stats.chisquare(np.bincount(places, minlength=50)).pvalue > 1e-3


def test_draws_have_their_types_and_ranges() -> None:
    assert (latents(0, "a", 0, 3, 5).shape, latents(0, "a", 0, 3, 5).dtype) == ((3, 5, 1, 1), torch.float32)
    drawn = uniform(0, "a", 0, 10_000)
    assert drawn.dtype == torch.float32
    assert 0 <= drawn.min() < drawn.max() < 1
    assert permutation(0, "a", 0, 40).dtype == torch.int64
    assert sorted(permutation(0, "a", 0, 40).tolist()) == list(range(40))


def test_another_process_draws_the_same_bits() -> None:
    script = (
        "from sagan_div.data.randomness import *; print(latents(1, 'a', 2, 2, 2).tolist(), permutation(1, 'a', 2, 9).tolist())"
    )
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True).stdout.strip()
    assert found == f"{latents(1, 'a', 2, 2, 2).tolist()} {permutation(1, 'a', 2, 9).tolist()}"


def test_networks_of_seeds_that_share_their_last_32_bits_differ_and_nothing_else_is_moved() -> None:
    before = torch.get_rng_state()
    drawn = []
    for seed in (0, 0, 1, 2**32):
        with initialising(seed, "networks"):
            drawn.append(torch.nn.Linear(4, 4).weight.detach().clone())
    assert torch.equal(drawn[0], drawn[1])
    assert not torch.equal(drawn[0], drawn[2])
    assert not torch.equal(drawn[0], drawn[3])
    assert torch.equal(torch.get_rng_state(), before)


def test_batches_follow_one_another_and_cover_each_pass_once() -> None:
    """Ten images in batches of four: the third one ends a pass and begins the next."""
    batches = Batches(0, 10, 4)
    found = [batches[step] for step in range(5)]
    assert [len(batch) for batch in found] == [4] * 5
    passes = torch.cat(found).view(2, 10)
    assert [sorted(each.tolist()) for each in passes] == [list(range(10))] * 2
    assert not torch.equal(passes[0], passes[1])
    assert torch.equal(Batches(0, 10, 4)[2], found[2])  # also when asked for first
