"""What a study will take: sizes follow from the networks, the samples and the images' channels."""

import pytest
import torch

from sagan_div.models.networks import Shape, build
from sagan_div.study.load import load
from sagan_div.training import estimate
from support import ROOT, train_settings

STUDY = load(
    ROOT / "params.yaml",
    sets=["datasets=[digits]", "image_size=16", "width=8", "latent=16", "train.batch_size=8", "train.images=1000"],
)


@pytest.fixture(autouse=True)
def _few_cycles(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate, "CYCLES", 2)


@pytest.mark.parametrize("channels", [1, 3])
def test_the_disk_holds_two_checkpoints_and_the_samples_of_each_cell(channels: int) -> None:
    found = estimate.measure(train_settings(STUDY, "sngan"), torch.device("cpu"), cells=4, samples=50, channels=channels)
    networks = build(STUDY.methods["sngan"], Shape(16, channels, 8, 16), 0)
    state = [tensor for network in networks for tensor in network.state_dict().values()]
    kept = sum(tensor.element_size() * tensor.numel() for tensor in state)
    assert found.gigabytes == pytest.approx(4 * (2 * kept + 50 * channels * 16 * 16) / 1e9, rel=1e-12)
    assert (found.method, found.cells, found.cycles) == ("sngan", 4, 2)


def test_hours_are_those_of_all_cycles_of_all_cells() -> None:
    found = estimate.measure(train_settings(STUDY, "dcgan"), torch.device("cpu"), cells=3)
    assert found.device_hours == pytest.approx(3 * 1000 / 8 * found.seconds_per_cycle / 3600, rel=1e-12)
