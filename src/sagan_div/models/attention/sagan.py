"""The self-attention module of SAGAN (Zhang et al. 2019)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from sagan_div.models.dot_product import Attention, attend


class SaganAttention(Attention):
    """gamma * o(softmax(theta^T phi) g) + x, with phi and g pooled 2x2 and gamma starting at 0.

    Query and key have C/8 channels, the value C/2, as in the official code (brain-research/self-attention-gan: non_local.py);
    the paper's text has C/8 for the value and no pooling.
    """

    def __init__(self, channels: int) -> None:
        super().__init__(channels, query=max(channels // 8, 1), value=max(channels // 2, 1))
        self.gamma = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        key, value = F.max_pool2d(self.key(x), 2), F.max_pool2d(self.value(x), 2)
        attended: Tensor = self.output(attend(self.query(x), key, value))
        return x + self.gamma * attended


make = SaganAttention
