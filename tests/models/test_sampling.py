"""Samples: deterministic, mapped like every other image, and readable by whoever gets the file."""

from pathlib import Path

import pytest
import torch

from sagan_div.errors import UserError
from sagan_div.models import checkpoints, networks, sampling
from sagan_div.settings import plain
from sagan_div.study.load import load
from support import ROOT, train_settings

SHAPE = networks.Shape(image_size=16, channels=1, width=8, latent=16)
STUDY = load(ROOT / "params.yaml", sets=["datasets=[digits]", "image_size=16", "width=8", "latent=16"])
CPU = torch.device("cpu")


def saved(folder: Path, method: str = "dcgan") -> Path:
    settings = train_settings(STUDY, method)
    generator, critic = networks.build(STUDY.methods[method], SHAPE, seed=0)
    about = {"settings": plain(settings), "channels": 1}
    checkpoints.save(folder / "best.safetensors", checkpoints.tensors_of(generator=generator, critic=critic), about)
    return folder / "best.safetensors"


@pytest.mark.parametrize("method", list(STUDY.methods))
def test_a_checkpoint_draws_what_its_network_drew(method: str, tmp_path: Path) -> None:
    built, _ = networks.build(STUDY.methods[method], SHAPE, seed=0)
    loaded, shape, settings = sampling.load_generator(saved(tmp_path, method), CPU)
    assert (shape, settings.method) == (SHAPE, method)
    assert torch.equal(sampling.draw(loaded, 16, 20, 8, 0, "test"), sampling.draw(built, 16, 20, 8, 0, "test"))


def test_samples_depend_on_seed_and_purpose_and_on_nothing_else(tmp_path: Path) -> None:
    generator, _, _ = sampling.load_generator(saved(tmp_path), CPU)
    torch.manual_seed(1)
    first = sampling.draw(generator, 16, 20, 8, 0, "test")
    torch.manual_seed(2)
    assert torch.equal(first, sampling.draw(generator, 16, 20, 8, 0, "test"))
    assert torch.equal(first[:10], sampling.draw(generator, 16, 10, 8, 0, "test"))  # more samples keep the first ones
    assert not torch.equal(first, sampling.draw(generator, 16, 20, 8, 1, "test"))
    assert not torch.equal(first, sampling.draw(generator, 16, 20, 8, 0, "other"))


def test_drawing_leaves_the_networks_mode_as_it_was() -> None:
    generator, _ = networks.build(STUDY.methods["dcgan"], SHAPE, seed=0)
    before = {name: value.clone() for name, value in generator.state_dict().items()}
    sampling.draw(generator.train(), 16, 8, 8, 0, "test")
    assert generator.training
    assert all(torch.equal(before[name], value) for name, value in generator.state_dict().items())


def test_values_are_rounded_by_one_map_for_all() -> None:
    values = torch.tensor([-1.0, -0.999, 0.0, 0.003, 1.0])
    assert sampling.to_uint8(values).tolist() == [0, 0, 128, 128, 255]
    with pytest.raises(UserError, match="not a number: the generator has diverged"):
        sampling.to_uint8(torch.tensor([0.5, torch.nan]))
    everything = torch.arange(256, dtype=torch.uint8)
    from sagan_div.data.images import to_float

    assert torch.equal(sampling.to_uint8(to_float(everything)), everything)


def test_foreign_and_damaged_checkpoints_are_named(tmp_path: Path) -> None:
    checkpoint = saved(tmp_path)
    checkpoint.write_bytes(checkpoint.read_bytes()[:-10])
    with pytest.raises(UserError, match=r"best.safetensors: is truncated"):
        sampling.load_generator(checkpoint, CPU)
    checkpoints.save(checkpoint, {"x": torch.zeros(1)}, {})
    with pytest.raises(UserError, match=r"best.safetensors: holds no generator"):
        sampling.load_generator(checkpoint, CPU)
