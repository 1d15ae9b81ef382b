"""How the first author's public code drew its FID images: one mini-batch, stretched, written again and again.

ChenKaiXuSan/DCGAN-PyTorch, WassersteinGAN-PyTorch, SNGAN_projection-PyTorch and GAN_implement: utils/utils.py,
save_sample_one_image. The real images and the generated ones of the last mini-batch of a pass went into two folders, each
image stretched to the full range of grey, until there were more than 10,000 files. docs/protocols.md tells more.
"""

from collections.abc import Iterator
from dataclasses import replace

import torch
from torch import Tensor

from sagan_div.data.images import to_float
from sagan_div.evaluation.frechet import Moments

FILES = 10_000  # the loop goes on until a folder holds more


def distinct(total: int, batch_size: int) -> int:
    """Images in the last mini-batch of a pass over `total`: of 60,000, 608 at 2,048 or 1,024, 96 at 512 to 128, 32 at 64."""
    return total % batch_size or batch_size


def copies(count: int) -> int:
    """How often each of `count` images is written: 17 times for 608, 105 for 96, 313 for 32."""
    return FILES // count + 1


def stretched(images: Tensor) -> Tensor:
    """Images uint8 [N, C, S, S], each one's darkest value at 0 and its brightest at 255.

    The arithmetic and rounding of torchvision's save_image(image, normalize=True) of an image in [-1, 1]; an image of a
    single value becomes black.
    """
    values = to_float(images)
    low, high = values.amin((1, 2, 3), keepdim=True), values.amax((1, 2, 3), keepdim=True)
    unit = (values - low) / (high - low).clamp(min=1e-5)
    return unit.mul(255).add(0.5).clamp(0, 255).to(torch.uint8)


def written(images: Tensor) -> Iterator[Tensor]:
    """The files that n images uint8 [n, C, S, S] become, one [C, S, S] after the other; more than 10,000 in whole copies."""
    once = stretched(images)
    for _ in range(copies(len(images))):
        yield from once


def repeated(once: Moments, times: int) -> Moments:
    """The moments of N features, each taken k times: the same mean, the covariance times (N - 1) k / (N k - 1)."""
    count = once.count * times
    factor = (once.count - 1) * times / (count - 1)
    deviations = None if once.deviations is None else once.deviations * factor**0.5
    return replace(once, count=count, covariance=once.covariance * factor, deviations=deviations)
