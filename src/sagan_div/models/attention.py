"""Non-local (self-attention) modules: maps [N, C, H, W] -> [N, C, H, W], each position attending to all others."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

PIECE = 2**20  # attention weights that a processor keeps in its cache: it takes the images in pieces of so many


def _pointwise(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel_size=1, bias=False)


class SaganAttention(nn.Module):
    """gamma * o(softmax(theta^T phi) g) + x, with phi and g pooled 2x2 and gamma starting at 0.

    Query and key have C/8 channels, the value C/2, as in the official code (brain-research/self-attention-gan: non_local.py);
    the paper's text has C/8 for the value and no pooling.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.query = _pointwise(channels, max(channels // 8, 1))
        self.key = _pointwise(channels, max(channels // 8, 1))
        self.value = _pointwise(channels, max(channels // 2, 1))
        self.output = _pointwise(max(channels // 2, 1), channels)
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        key, value = F.max_pool2d(self.key(x), 2), F.max_pool2d(self.value(x), 2)
        attended: Tensor = self.output(_attend(self.query(x), key, value, scale=1.0))
        return x + self.gamma * attended


class NonLocalBlock(nn.Module):
    """x + norm(o(softmax(theta^T phi / sqrt(C/2)) g)), all of C/2 channels, norm's gain starting at 0.

    Wang et al. 2018, section 3.3 and 4.1; the scale and the pooled keys are those of facebookresearch/video-nonlocal-net:
    lib/models/nonlocal_helper.py. Its convolutions carry biases there; the norm's shift stands for the output's here.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        inner = max(channels // 2, 1)
        self.query = _pointwise(channels, inner)
        self.key = _pointwise(channels, inner)
        self.value = _pointwise(channels, inner)
        self.output = _pointwise(inner, channels)
        self.norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        pooled = F.max_pool2d(x, 2)
        scale = self.query.out_channels**-0.5
        attended = self.output(_attend(self.query(x), self.key(pooled), self.value(pooled), scale))
        normalised: Tensor = self.norm(attended)
        return x + normalised


def _attend(query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
    """Maps [N, c, H, W], [N, c, h, w], [N, d, h, w] -> [N, d, H, W]: softmax over the key positions, per query."""
    queries, keys, values = query.flatten(2).transpose(1, 2), key.flatten(2), value.flatten(2).transpose(1, 2)
    if scale != 1:
        queries = queries * scale
    if query.device.type == "cpu" and not _becomes_a_program():
        count = max(1, PIECE // (queries.shape[1] * keys.shape[2]))
        pieces = [slice(start, start + count) for start in range(0, len(query), count)]
        attended = torch.cat([_weigh(queries[i], keys[i], values[i]) for i in pieces])
    else:
        attended = _weigh(queries, keys, values)
    return attended.transpose(1, 2).view(*value.shape[:2], *query.shape[2:])  # channels last: nothing was copied


def _weigh(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    return torch.bmm(torch.bmm(queries, keys).softmax(dim=-1), values)


def _becomes_a_program() -> bool:
    """Whether this call is recorded for another batch size than its own, of which no piece may be written down."""
    return bool(torch.compiler.is_exporting() or torch.jit.is_tracing())  # type: ignore[attr-defined, no-untyped-call]


ATTENTION: dict[str, type[SaganAttention | NonLocalBlock]] = {"sagan": SaganAttention, "wang": NonLocalBlock}
