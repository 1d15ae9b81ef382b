"""The attention modules against naive loops in float64, and what they are at the start."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from sagan_div.models import attention
from sagan_div.models.attention.sagan import SaganAttention
from sagan_div.models.attention.wang import NonLocalBlock

SIDES = (4, 6)  # unequal, so that rows and columns can't be mistaken for each other


def seeded(module: torch.nn.Module) -> torch.nn.Module:
    """The module in float64 with all parameters drawn anew: none is at a value that hides an error."""
    torch.manual_seed(0)
    for parameter in module.double().parameters():
        torch.nn.init.normal_(parameter, 0.3, 0.5)
    return module


def maps(channels: int) -> Tensor:
    return torch.randn(2, channels, *SIDES, dtype=torch.float64, generator=torch.Generator().manual_seed(1))


def pointwise(convolution: torch.nn.Conv2d, image: np.ndarray) -> np.ndarray:
    """A 1x1 convolution of [C, H, W], position by position."""
    matrix = convolution.weight.detach().numpy()[:, :, 0, 0]
    found = np.zeros((len(matrix), *image.shape[1:]))
    for y in range(image.shape[1]):
        for x in range(image.shape[2]):
            for out in range(len(matrix)):
                found[out, y, x] = sum(matrix[out, c] * image[c, y, x] for c in range(len(image)))
    return found


def pooled(image: np.ndarray) -> np.ndarray:
    """The maximum of each 2x2 square."""
    channels, height, width = image.shape
    found = np.zeros((channels, height // 2, width // 2))
    for c in range(channels):
        for y in range(height // 2):
            for x in range(width // 2):
                found[c, y, x] = max(image[c, 2 * y + i, 2 * x + j] for i in (0, 1) for j in (0, 1))
    return found


def attended(query: np.ndarray, key: np.ndarray, value: np.ndarray, scale: float) -> np.ndarray:
    """For each position, the mean of the values weighted by the softmax over key positions."""
    found = np.zeros((len(value), *query.shape[1:]))
    positions = [(v, u) for v in range(key.shape[1]) for u in range(key.shape[2])]
    for y in range(query.shape[1]):
        for x in range(query.shape[2]):
            logits = [scale * sum(query[c, y, x] * key[c, v, u] for c in range(len(query))) for v, u in positions]
            weights = [math.exp(logit - max(logits)) for logit in logits]
            for weight, (v, u) in zip(weights, positions, strict=True):
                found[:, y, x] += weight / sum(weights) * value[:, v, u]
    return found


def test_sagan_s_form_against_a_naive_loop() -> None:
    module, x = seeded(SaganAttention(16)), maps(16)
    expected = []
    for image in x.numpy():
        key, value = pooled(pointwise(module.key, image)), pooled(pointwise(module.value, image))
        output = pointwise(module.output, attended(pointwise(module.query, image), key, value, scale=1))
        expected.append(image + module.gamma.item() * output)
    np.testing.assert_allclose(module(x).detach().numpy(), expected, rtol=1e-10)


def test_wang_s_form_against_a_naive_loop() -> None:
    module, x = seeded(NonLocalBlock(16)), maps(16)
    outputs = []
    for image in x.numpy():
        key, value = pointwise(module.key, pooled(image)), pointwise(module.value, pooled(image))
        outputs.append(pointwise(module.output, attended(pointwise(module.query, image), key, value, scale=8**-0.5)))
    y = np.stack(outputs)
    mean, variance = y.mean((0, 2, 3), keepdims=True), y.var((0, 2, 3), keepdims=True)
    gain, shift = (p.detach().numpy()[:, None, None] for p in (module.norm.weight, module.norm.bias))
    expected = x.numpy() + gain * (y - mean) / np.sqrt(variance + 1e-5) + shift
    np.testing.assert_allclose(module.train()(x).detach().numpy(), expected, rtol=1e-10)


def test_widths_are_an_eighth_and_a_half_in_sagan_s_form_and_a_half_in_wang_s() -> None:
    sagan, wang = SaganAttention(64), NonLocalBlock(64)
    assert [tuple(c.weight.shape[:2]) for c in (sagan.query, sagan.key, sagan.value, sagan.output)] == [
        (8, 64),
        (8, 64),
        (32, 64),
        (64, 32),
    ]
    assert [tuple(c.weight.shape[:2]) for c in (wang.query, wang.key, wang.value, wang.output)] == [(32, 64)] * 3 + [(64, 32)]
    assert sum(p.numel() for p in sagan.parameters()) == 10 * 64 * 64 // 8 + 1


@pytest.mark.parametrize("channels", [1, 4])
def test_narrow_maps_keep_one_channel(channels: int) -> None:
    for name in attention.names():
        assert attention.make(name, channels)(torch.randn(2, channels, 4, 4)).shape == (2, channels, 4, 4)


@pytest.mark.parametrize("name", attention.names())
def test_at_the_start_it_passes_its_input_on_and_only_its_gain_learns(name: str) -> None:
    module, x = attention.make(name, 16), torch.randn(2, 16, 8, 8)
    y = module(x)
    assert torch.equal(y, x)
    (y * torch.randn_like(y)).sum().backward()
    gain = module.gamma if isinstance(module, SaganAttention) else module.norm.weight
    assert gain.grad is not None
    assert gain.grad.abs().max() > 0
    for convolution in (module.query, module.key, module.value, module.output):
        assert convolution.weight.grad is None or convolution.weight.grad.abs().max() == 0


@pytest.mark.parametrize("name", attention.names())
def test_gradients_against_finite_differences(name: str) -> None:
    module = seeded(attention.make(name, 8))
    x = torch.randn(2, 8, 4, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(module, x)
    assert torch.autograd.gradcheck(lambda *_: module(x.detach()), tuple(module.parameters()))


def test_a_permutation_of_the_squares_permutes_the_output() -> None:
    """Attention knows no neighbourhood but the 2x2 squares of its pooling."""
    module, x = seeded(SaganAttention(8)), torch.randn(1, 8, 4, 4, dtype=torch.float64)

    def turned(image: Tensor) -> Tensor:
        return image.roll(2, dims=3)

    assert torch.allclose(module(turned(x)), turned(module(x)))
