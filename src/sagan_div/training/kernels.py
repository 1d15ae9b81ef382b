"""Layers whose first and second derivatives are known in closed form, with less work than autograd's own.

The gradient penalty differentiates twice. Maps are [N, C, H, W], channels last in memory. Measured: docs/performance.md.
"""

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable
from torch.nn import functional as F

THIN = 4  # channels: convolutions of so few run at a few percent of the processor's speed, matrix products do not


def _call(function: type[torch.autograd.Function], *values: Any) -> Tensor:
    """The function's value, as a node of the graph where one is built: a node's upkeep takes longer than a small layer."""
    result: Tensor = function.apply(*values) if torch.is_grad_enabled() else function.forward(_NoGraph(), *values)
    return result


class _NoGraph:
    """In place of a node's context, where nothing will be differentiated."""

    def save_for_backward(self, *_: Tensor) -> None: ...

    def set_materialize_grads(self, _: bool) -> None: ...


# --- (de)convolutions with 4x4 kernels, stride 2, padding 1: each the other's gradient ----------------------------------


def down(x: Tensor, weight: Tensor) -> Tensor:
    """Maps [N, c, 2S, 2S], kernels [C, c, 4, 4] -> [N, C, S, S]: a convolution, or the gradient of the deconvolution up."""
    shape = (len(x), len(weight), x.shape[2] // 2, x.shape[3] // 2)
    return _call(_Down, x, weight, _kernels_node(x, weight, shape))


def up(y: Tensor, weight: Tensor) -> Tensor:
    """Maps [N, C, S, S], kernels [C, c, 4, 4] -> [N, c, 2S, 2S]: a deconvolution, or the gradient of the convolution down."""
    shape = (len(y), weight.shape[1], 2 * y.shape[2], 2 * y.shape[3])
    return _call(_Up, y, weight, _kernels_node(y, weight, shape))


class _Down(torch.autograd.Function):
    """Autograd's own second derivative of a convolution takes other paths, with copies."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, kernels: Tensor | None) -> Tensor:
        ctx.save_for_backward(weight)
        ctx.set_materialize_grads(False)
        x, weight = _products(x, weight)
        return F.conv2d(_channels_last(x), weight, stride=2, padding=1)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor | None) -> tuple[Tensor | None, None, Tensor | None]:
        (weight,) = ctx.saved_tensors
        if gradient is None:
            return None, None, None
        maps, _, kernels = ctx.needs_input_grad
        return up(gradient, weight) if maps else None, None, gradient if kernels else None


class _Up(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, y: Tensor, weight: Tensor, kernels: Tensor | None) -> Tensor:
        ctx.save_for_backward(weight)
        ctx.set_materialize_grads(False)
        y, weight = _products(y, weight)
        if weight.shape[1] > THIN or y.device.type != "cpu":
            return F.conv_transpose2d(_channels_last(y), weight, stride=2, padding=1)
        pixels = _channels_last(y).permute(1, 0, 2, 3)
        return _assembled((weight.flatten(1).t() @ pixels.flatten(1)).view(-1, *pixels.shape[1:]))

    @staticmethod
    def backward(ctx: Any, gradient: Tensor | None) -> tuple[Tensor | None, None, Tensor | None]:
        (weight,) = ctx.saved_tensors
        if gradient is None:
            return None, None, None
        maps, _, kernels = ctx.needs_input_grad
        return down(gradient, weight) if maps else None, None, gradient if kernels else None


def _assembled(patches: Tensor) -> Tensor:
    """Patches [c * 4 * 4, N, S, S], two pixels apart -> their overlapping sum [N, c, 2S, 2S]: F.fold's sums in F.fold's order.

    Row 2 a + p of a patch at i falls on row 2 (i + a) + p - 1: for each a and b (of the columns) one sum of whole maps.
    """
    count, side = patches.shape[1:3]
    parts = patches.view(-1, 2, 2, 2, 2, count, side, side)  # c, a, p, b, q, N, i, j
    parts = parts.float() if parts.dtype == torch.bfloat16 else parts
    maps = parts.new_zeros(len(parts), 2, 2, count, side + 1, side + 1)
    for a in (0, 1):
        for b in (0, 1):
            maps[..., a : a + side, b : b + side].add_(parts[:, a, :, b])
    whole = maps.permute(3, 0, 4, 1, 5, 2).reshape(count, -1, 2 * side + 2, 2 * side + 2)
    return whole[:, :, 1:-1, 1:-1].to(patches.dtype)


def _kernels_node(x: Tensor, weight: Tensor, shape: tuple[int, ...]) -> Tensor | None:
    """The node that a gradient of maps of this shape takes to the kernels, where they want one."""
    return _call(_Kernels, x.detach(), weight, shape) if torch.is_grad_enabled() and weight.requires_grad else None


class _Kernels(torch.autograd.Function):
    """The way of a gradient to the kernels, as a node of its own: the penalty's gradient by the image does not walk it.

    Its value is a stand-in of the shape of the maps [N, c, h, w] that the kernels make of `x`.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, shape: tuple[int, ...]) -> Tensor:
        ctx.save_for_backward(*_products(x, weight))
        ctx.dtype = weight.dtype
        return x.new_zeros(()).expand(shape)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[None, Tensor, None]:
        x, weight = ctx.saved_tensors
        wide, narrow = (x, gradient) if x.shape[2] > gradient.shape[2] else (gradient, x)
        return None, _kernel_gradient(wide, narrow, weight).to(ctx.dtype), None


def _kernel_gradient(x: Tensor, y: Tensor, weight: Tensor) -> Tensor:
    """Of <y, down(x, weight)> with respect to the kernels."""
    x, y = _channels_last(x.to(weight.dtype)), _channels_last(y.to(weight.dtype))
    places = ([0], [2, 2], [1, 1], [1, 1], False, [0, 0], 1)
    gradient: Tensor = torch.ops.aten.convolution_backward(y, x, weight, *places, [False, True, False])[1]
    return gradient


def _products(x: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    """In the precision that autocast gives to products."""
    kind = x.device.type
    dtype = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else torch.promote_types(x.dtype, weight.dtype)
    return x.to(dtype), weight.to(dtype)


def _channels_last(x: Tensor) -> Tensor:
    """In channels-last strides; maps of one channel are so in any strides, but PyTorch goes by how they are written."""
    if x.shape[1] == 1:
        x = x.contiguous()
        return x.as_strided(x.shape, (x.stride(0), 1, x.shape[3], 1))
    return x.contiguous(memory_format=torch.channels_last)


def from_latents(z: Tensor, weight: Tensor) -> Tensor:
    """Latents [N, latent, 1, 1] -> [N, C, 4, 4], channels last: every latent meets the whole kernel."""
    maps = (z.flatten(1) @ weight.flatten(1)).view(len(z), *weight.shape[1:])
    return maps.contiguous(memory_format=torch.channels_last)


# --- the leaky ReLU, which has no second derivative ---------------------------------------------------------------------


def leaky(x: Tensor, slope: float) -> Tensor:
    """The leaky ReLU: PyTorch's own value and gradient."""
    return _call(_Leaky, x, slope)


class _Leaky(torch.autograd.Function):
    """PyTorch's own hands zeros on from its second derivative, and a convolution's gradient of zeros costs as much as any."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, slope: float) -> Tensor:
        y = F.leaky_relu(x, slope)
        ctx.save_for_backward(y)
        ctx.slope = slope
        ctx.set_materialize_grads(False)
        return y

    @staticmethod
    def backward(ctx: Any, gradient: Tensor | None) -> tuple[Tensor | None, None]:
        (y,) = ctx.saved_tensors
        return None if gradient is None else _call(_LeakyGradient, gradient, y.detach(), ctx.slope), None


class _LeakyGradient(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gradient: Tensor, y: Tensor, slope: float) -> Tensor:
        ctx.save_for_backward(y)
        ctx.slope = slope
        result: Tensor = torch.ops.aten.leaky_relu_backward(_channels_last(gradient), y, slope, True)
        return result

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        (y,) = ctx.saved_tensors
        return torch.ops.aten.leaky_relu_backward(gradient, y, ctx.slope, True), None, None


# --- instance and layer norm, whose second derivative autograd spells out in two dozen passes over memory --------------


def normalise(x: Tensor, dims: tuple[int, ...], eps: float) -> Tensor:
    """(x - mean) / sqrt(variance + eps) over `dims`."""
    return _call(_Normalise, x, dims, eps)


class _Normalise(torch.autograd.Function):
    """y = (x - mean) * rate with rate = 1 / sqrt(variance + eps), over `dims`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, dims: tuple[int, ...], eps: float) -> Tensor:
        centred = x - x.mean(dims, keepdim=True)
        rate = ((centred * centred).mean(dims, keepdim=True) + eps).rsqrt()  # torch.var_mean takes ten times as long
        y = centred.mul_(rate)
        ctx.save_for_backward(x, y, rate)
        ctx.dims = dims
        return y

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        x, y, rate = ctx.saved_tensors
        return _call(_NormaliseGradient, gradient, x, y.detach(), rate, ctx.dims), None, None


class _NormaliseGradient(torch.autograd.Function):
    """d = rate * (g - mean(g) - y mean(g y)): linear in g, and through y and rate a function of x."""

    @staticmethod
    def forward(ctx: Any, g: Tensor, x: Tensor, y: Tensor, rate: Tensor, dims: tuple[int, ...]) -> Tensor:
        mean_g, mean_gy = g.mean(dims, keepdim=True), (g * y).mean(dims, keepdim=True)
        d = torch.addcmul(g - mean_g, y, mean_gy, value=-1).mul_(rate)
        ctx.save_for_backward(g, y, rate, d, mean_g, mean_gy)
        ctx.dims = dims
        return d

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, v: Tensor) -> tuple[Tensor, Tensor, None, None, None]:
        """For v the gradient with respect to d, and w d's own formula for v: with respect to g it is w; with respect to x
        -rate * (rate * (mean(v g) - mean(v) mean(g) - mean(v y) mean(g y)) y + mean(g y) w + mean(v y) d).
        """
        g, y, rate, d, mean_g, mean_gy = ctx.saved_tensors
        mean_v, mean_vy = v.mean(ctx.dims, keepdim=True), (v * y).mean(ctx.dims, keepdim=True)
        w = torch.addcmul(v - mean_v, y, mean_vy, value=-1).mul_(rate)
        curvature = ((v * g).mean(ctx.dims, keepdim=True) - mean_v * mean_g - mean_vy * mean_gy) * rate
        along_x = (y * (curvature * -rate)).addcmul_(w, mean_gy * -rate).addcmul_(d, mean_vy * -rate)
        return w, along_x, None, None, None
