"""The non-local block of Wang et al. 2018."""

from torch import Tensor, nn
from torch.nn import functional as F

from sagan_div.models.dot_product import Attention, attend


class NonLocalBlock(Attention):
    """x + norm(o(softmax(theta^T phi / sqrt(C/2)) g)), all of C/2 channels, norm's gain starting at 0.

    Wang et al. 2018, section 3.3 and 4.1; the scale and the pooled keys are those of facebookresearch/video-nonlocal-net:
    lib/models/nonlocal_helper.py. Its convolutions carry biases there; the norm's shift stands for the output's here.
    """

    def __init__(self, channels: int) -> None:
        inner = max(channels // 2, 1)
        super().__init__(channels, query=inner, value=inner)
        self.norm = nn.BatchNorm2d(channels)
        nn.init.zeros_(self.norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        pooled = F.max_pool2d(x, 2)
        scale = self.query.out_channels**-0.5
        attended = self.output(attend(self.query(x), self.key(pooled), self.value(pooled), scale))
        normalised: Tensor = self.norm(attended)
        return x + normalised


make = NonLocalBlock
