"""Dot-product attention over the positions of maps: what the attention forms share."""

import torch
from torch import Tensor, nn

PIECE = 2**20  # attention weights that a processor keeps in its cache: it takes the images in pieces of so many


class Attention(nn.Module):
    """Maps [N, C, H, W] -> [N, C, H, W], each position attending to all others; four 1x1 convolutions without biases.

    A form whose attended maps enter with one learnt weight calls it `gamma`: training's history follows it.
    """

    def __init__(self, channels: int, query: int, value: int) -> None:
        """Convolutions to `query` channels for query and key, to `value` for the value, and from there back to `channels`."""
        super().__init__()
        self.query = _pointwise(channels, query)
        self.key = _pointwise(channels, query)
        self.value = _pointwise(channels, value)
        self.output = _pointwise(value, channels)

    @property
    def convolutions(self) -> tuple[nn.Conv2d, ...]:
        """Query, key, value and output, in this order."""
        return self.query, self.key, self.value, self.output


def _pointwise(inputs: int, outputs: int) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, kernel_size=1, bias=False)


def attend(query: Tensor, key: Tensor, value: Tensor, scale: float = 1.0) -> Tensor:
    """Maps [N, c, H, W], [N, c, h, w], [N, d, h, w] -> [N, d, H, W]: softmax over the key positions, per query."""
    queries, keys, values = query.flatten(2).transpose(1, 2), key.flatten(2), value.flatten(2).transpose(1, 2)
    if scale != 1:
        queries = queries * scale
    if query.device.type == "cpu" and not _is_recorded():
        count = max(1, PIECE // (queries.shape[1] * keys.shape[2]))
        pieces = [slice(start, start + count) for start in range(0, len(query), count)]
        attended = torch.cat([_weigh(queries[i], keys[i], values[i]) for i in pieces])
    else:
        attended = _weigh(queries, keys, values)
    return attended.transpose(1, 2).view(*value.shape[:2], *query.shape[2:])  # channels last: nothing was copied


def _weigh(queries: Tensor, keys: Tensor, values: Tensor) -> Tensor:
    return torch.bmm(torch.bmm(queries, keys).softmax(dim=-1), values)


def _is_recorded() -> bool:
    """Whether this call is exported or traced for other batch sizes than its own, of which no piece may be written down."""
    return bool(torch.compiler.is_exporting() or torch.jit.is_tracing())  # type: ignore[attr-defined, no-untyped-call]
