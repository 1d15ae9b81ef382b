"""A seeded random network in a TorchScript file, and what mapping describes it."""

from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from sagan_div import files


class Network(nn.Module):
    """Images [B, 3, 12, 12] -> logits [B, 5] and features [B, 6], or the features alone, or something that is none."""

    def __init__(self) -> None:
        super().__init__()
        self.convolution, self.head = nn.Conv2d(3, 6, 5), nn.Linear(6, 5)

    def forward(self, images: Tensor, doubled: bool = False) -> tuple[Tensor, Tensor]:
        features = torch.relu(self.convolution(images)).mean((2, 3))
        if doubled:
            features = features * 2
        return self.head(features), features[:, :, None, None]


def torchscript(path: Path, **changed: Any) -> dict[str, Any]:
    """Write the network; returns its mapping as it stands in params.yaml."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        torch.jit.script(Network().eval()).save(str(path))
    about = {"name": "random-net", "file": str(path), "sha256": files.sha256(path), "size": 12, "range": [-1, 1]}
    return about | {"mean": [0.1, 0.2, 0.3], "std": [0.5], "output": 1} | changed
