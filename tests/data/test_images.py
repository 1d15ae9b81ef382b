"""Images as arrays and as files: resizing, ranges, samples, grids."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sagan_div.data.images import parts, resized, shuffled, to_float
from sagan_div.data.pictures import grid
from sagan_div.data.samples import load_samples, save_samples
from sagan_div.errors import UserError


@pytest.mark.parametrize("size", [16, 32, 64])
@pytest.mark.parametrize("shape", [(8, 8), (28, 28), (37, 50)])
def test_resizing_is_torchvisions_resize_of_pictures(size: int, shape: tuple[int, int]) -> None:
    """Pillow's bilinear filter, image by image, is what torchvision's Resize applies; all at once it must give the same."""
    images = np.random.default_rng(0).integers(0, 256, (20, 1, *shape)).astype(np.uint8)
    one_by_one = [np.asarray(Image.fromarray(i[0]).resize((size, size), Image.Resampling.BILINEAR)) for i in images]
    assert (resized(images, size)[:, 0].numpy() == np.stack(one_by_one)).all()


def test_resizing_does_not_mix_images_or_channels() -> None:
    images = np.random.default_rng(0).integers(0, 256, (1100, 3, 8, 8)).astype(np.uint8)
    whole = resized(images, 16)
    assert torch.equal(whole[1050:1060, 2], resized(images[1050:1060, 2:], 16)[:, 0])
    assert torch.equal(resized(images[:0], 16), whole[:0])


def test_values_are_mapped_to_the_range_of_tanh() -> None:
    assert to_float(torch.tensor([0, 255], dtype=torch.uint8)).tolist() == [-1.0, 1.0]


def test_samples_are_written_and_read_back(tmp_path: Path) -> None:
    images = torch.randint(0, 256, (5, 1, 16, 16), dtype=torch.uint8)
    save_samples(tmp_path / "samples.npz", images)
    assert torch.equal(load_samples(tmp_path / "samples.npz"), images)
    save_samples(tmp_path / "again.npz", images)
    assert (tmp_path / "samples.npz").read_bytes() == (tmp_path / "again.npz").read_bytes()


def test_foreign_and_damaged_samples_are_named(tmp_path: Path) -> None:
    path = tmp_path / "samples.npz"
    np.savez(path, arr_0=np.zeros(3))
    with pytest.raises(UserError, match=r"samples.npz: expected `images` as uint8 \[N, C, H, W\]; found arr_0"):
        load_samples(path)
    path.write_bytes(path.read_bytes()[:40])
    with pytest.raises(UserError, match=r"samples.npz: is damaged"):
        load_samples(path)
    np.savez(path, images=np.array([{"a": 1}]))  # pickled
    with pytest.raises(UserError, match=r"samples.npz: is damaged"):
        load_samples(path)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_grid_shows_every_image_in_its_place(channels: int) -> None:
    images = torch.arange(6, dtype=torch.uint8).view(6, 1, 1, 1).expand(6, channels, 4, 4) * 40
    sheet = np.asarray(grid(images, columns=3))
    assert sheet.shape[:2] == (9, 14)
    assert [int(np.atleast_1d(sheet[row, column])[0]) for row in (0, 5) for column in (0, 5, 10)] == [0, 40, 80, 120, 160, 200]
    assert int(np.atleast_1d(sheet[4, 0])[0]) == 255
    assert isinstance(grid(images, 3), Image.Image)


def test_each_training_image_rates_or_is_there_for_scores_and_which_is_random() -> None:
    scores, rating = parts(1000, 300)
    assert len(rating) == 300
    assert sorted(torch.cat([scores, rating]).tolist()) == list(range(1000))
    for places in (scores, rating):  # neither the first nor the last of the file, and in no order of it
        assert abs(places.double().mean() - 499.5) < 4 * 289 / len(places) ** 0.5
        assert abs(np.corrcoef(places, range(len(places)))[0, 1]) < 4 / len(places) ** 0.5
    assert torch.equal(parts(1000, 10).scores[:700], scores)  # whatever rates, scores begin with the same images


def test_ratings_that_leave_no_image_for_scores_are_refused() -> None:
    with pytest.raises(UserError, match=r"^train.rating_count: 1,000 images for ratings leave none of 1,000"):
        parts(1000, 1000)


def test_the_order_of_images_follows_from_its_seed_alone() -> None:
    assert torch.equal(shuffled(100), shuffled(100))
    assert not torch.equal(shuffled(100), shuffled(100, seed=1))
