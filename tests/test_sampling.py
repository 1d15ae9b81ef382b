"""Samples: deterministic, mapped like every other image, and readable by whoever gets the file."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sagan_div.errors import UserError
from sagan_div.models import checkpoints, networks, sampling
from sagan_div.settings import plain
from sagan_div.study.load import load
from sagan_div.workflow import plan
from support import ROOT

SHAPE = networks.Shape(image_size=16, channels=1, width=8, latent=16)
STUDY = load(ROOT / "params.yaml", sets=["datasets=[digits]", "image_size=16", "width=8", "latent=16"])
CPU = torch.device("cpu")


def saved(folder: Path, method: str = "dcgan") -> Path:
    settings = plan.settings(STUDY, "train", "digits", method, 0)
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
    everything = torch.arange(256, dtype=torch.uint8)
    from sagan_div.data.datasets import to_float

    assert torch.equal(sampling.to_uint8(to_float(everything)), everything)


def test_samples_are_written_and_read_back(tmp_path: Path) -> None:
    images = torch.randint(0, 256, (5, 1, 16, 16), dtype=torch.uint8)
    sampling.save_samples(tmp_path / "samples.npz", images)
    assert torch.equal(sampling.load_samples(tmp_path / "samples.npz"), images)
    sampling.save_samples(tmp_path / "again.npz", images)
    assert (tmp_path / "samples.npz").read_bytes() == (tmp_path / "again.npz").read_bytes()


def test_foreign_and_damaged_files_are_named(tmp_path: Path) -> None:
    path = tmp_path / "samples.npz"
    np.savez(path, arr_0=np.zeros(3))
    with pytest.raises(UserError, match=r"samples.npz: expected `images` as uint8 \[N, C, H, W\]; found arr_0"):
        sampling.load_samples(path)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(UserError, match=r"samples.npz: is damaged"):
        sampling.load_samples(path)
    np.savez(path, images=np.array([{"a": 1}]))  # pickled
    with pytest.raises(UserError, match=r"samples.npz: is damaged"):
        sampling.load_samples(path)
    checkpoint = saved(tmp_path)
    checkpoint.write_bytes(checkpoint.read_bytes()[:-10])
    with pytest.raises(UserError, match=r"best.safetensors: is truncated"):
        sampling.load_generator(checkpoint, CPU)
    checkpoints.save(checkpoint, {"x": torch.zeros(1)}, {})
    with pytest.raises(UserError, match=r"best.safetensors: holds no generator"):
        sampling.load_generator(checkpoint, CPU)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_grid_shows_every_image_in_its_place(channels: int) -> None:
    images = torch.arange(6, dtype=torch.uint8).view(6, 1, 1, 1).expand(6, channels, 4, 4) * 40
    sheet = np.asarray(sampling.grid(images, columns=3))
    assert sheet.shape[:2] == (9, 14)
    assert [int(np.atleast_1d(sheet[row, column])[0]) for row in (0, 5) for column in (0, 5, 10)] == [0, 40, 80, 120, 160, 200]
    assert int(np.atleast_1d(sheet[4, 0])[0]) == 255
    assert isinstance(sampling.grid(images, 3), Image.Image)
