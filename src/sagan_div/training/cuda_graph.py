"""A training cycle as one CUDA graph."""

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from sagan_div.data.randomness import Draws

Cycle = Callable[[Draws], None]


class Captured:
    """A cycle recorded once as a CUDA graph and replayed: one launch where the host made thousands."""

    WARM_UP = 3  # cycles outside the graph, in which libraries choose and allocate; their effect is undone

    def __init__(self, cycle: Cycle, drawn: Draws, changed: Callable[[], Mapping[str, Tensor]]) -> None:
        self.drawn = drawn
        before = {name: tensor.clone() for name, tensor in changed().items()}
        side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        side.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(side):
            for _ in range(self.WARM_UP):
                cycle(drawn)
        torch.cuda.current_stream().wait_stream(side)
        for name, tensor in changed().items():
            tensor.detach().copy_(before[name]) if name in before else tensor.detach().zero_()  # Adam's, before its first step
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            cycle(drawn)

    def __call__(self, drawn: Draws) -> None:
        for static, fresh in zip(self.drawn, drawn, strict=True):
            static.copy_(fresh.pin_memory(), non_blocking=True)  # so that the host draws while the device computes
        self.graph.replay()
