"""A device that is named is used or refused, and never replaced by another."""

import pytest
import torch

from sagan_div.cli.machine import find_device
from sagan_div.errors import UserError

MEND = r"or compute on the CPU with --device cpu \(`device: cpu` in a Snakemake profile\)$"


def pretend(monkeypatch: pytest.MonkeyPatch, devices: int, built: str | None = "13.0") -> None:
    """A PyTorch of some build that finds so many GPUs."""
    monkeypatch.setattr(torch.version, "cuda", built)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: devices > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: devices)


@pytest.mark.parametrize(
    ("devices", "built", "name", "why"),
    [
        (0, "13.0", "cuda", r"^--device cuda: PyTorch finds no CUDA device on this machine; ask for a node with a GPU, "),
        (0, None, "cuda:0", r"^--device cuda:0: PyTorch \S+ is built without CUDA; install its CUDA build, "),
        (2, "13.0", "cuda:2", r"^--device cuda:2: this machine offers PyTorch 2 CUDA devices, from cuda:0, "),
    ],
)
def test_a_gpu_that_is_not_there_is_refused(
    monkeypatch: pytest.MonkeyPatch, devices: int, built: str | None, name: str, why: str
) -> None:
    pretend(monkeypatch, devices, built)
    with pytest.raises(UserError, match=why + MEND):
        find_device(name)


def test_auto_takes_what_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    for devices, expected in ((0, "cpu"), (2, "cuda")):
        pretend(monkeypatch, devices)
        assert find_device("auto").type == expected
    assert find_device("cuda:1") == torch.device("cuda", 1)
