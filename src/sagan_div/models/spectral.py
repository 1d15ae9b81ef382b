"""How far a network's layers can stretch what they are given: singular values of its (de)convolutions."""

import torch
from torch import Tensor, nn

from sagan_div.models.networks import Critic, Generator, evaluating


@torch.no_grad()
def largest_singular_value(network: Generator | Critic) -> float:
    """Of all (de)convolutions as they are applied, each an (out, in * h * w) matrix."""
    with evaluating(network):
        found = [_singular_value(layer) for layer in network.modules() if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)]
    return float(torch.stack(found).max())


def _singular_value(layer: nn.Conv2d | nn.ConvTranspose2d) -> Tensor:
    matrix = (layer.weight.transpose(0, 1) if isinstance(layer, nn.ConvTranspose2d) else layer.weight).flatten(1)
    wide = matrix if matrix.shape[0] <= matrix.shape[1] else matrix.t()
    squares: Tensor = torch.linalg.eigvalsh((wide @ wide.t()).double())
    return squares[-1].clamp_min(0).sqrt()
