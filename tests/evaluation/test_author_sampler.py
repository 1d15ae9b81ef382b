"""The author's sampler, against torchvision's own files and pytorch-fid's own formula; distances between few images."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from pytorch_fid.fid_score import calculate_frechet_distance
from torch import Tensor
from torchvision.transforms import functional as transforms
from torchvision.utils import save_image

from sagan_div.data.pictures import save_pictures
from sagan_div.evaluation import author_sampler, real_vs_real
from sagan_div.evaluation.frechet import frechet_distance, moments


def seeded(*shape: int, low: int = 0, high: int = 256, seed: int = 0) -> Tensor:
    return torch.randint(low, high, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def features(count: int, dimensions: int = 24, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    return np.maximum(random.normal(size=(count, dimensions)) * np.linspace(0.2, 2, dimensions), 0).astype(np.float32)


@pytest.mark.parametrize(
    ("batch_size", "count", "times", "files"),
    [(2048, 608, 17, 10_336), (1024, 608, 17, 10_336), (512, 96, 105, 10_080), (128, 96, 105, 10_080), (64, 32, 313, 10_016)],
)
def test_the_last_mini_batch_of_a_pass_over_60_000_images(batch_size: int, count: int, times: int, files: int) -> None:
    assert author_sampler.distinct(60_000, batch_size) == count
    assert author_sampler.copies(count) == times
    assert count * times == files > 10_000 >= count * (times - 1)


def test_a_whole_last_batch_and_a_batch_that_is_larger_than_the_data() -> None:
    assert author_sampler.distinct(60_000, 32) == 32
    assert author_sampler.distinct(500, 2048) == 500
    assert [author_sampler.copies(count) for count in (10_000, 10_001)] == [2, 1]


@pytest.mark.parametrize("channels", [1, 3])
def test_the_stretch_is_torchvision_s_to_the_last_bit(channels: int, tmp_path: Path) -> None:
    """Each image's file as save_image(image, normalize=True) writes it, read back; every range of grey that there is."""
    spans = [(low, high) for low in range(0, 250, 23) for high in range(low + 1, 256, 7)] + [
        (7, 7),
        (0, 254),
        (0, 255),
        (1, 255),
    ]
    images = torch.cat([seeded(1, channels, 8, 8, low=low, high=high + 1, seed=high) for low, high in spans])
    images[:, 0, 0, 0], images[:, 0, 0, 1] = (torch.tensor(side, dtype=torch.uint8) for side in zip(*spans, strict=True))
    found = author_sampler.stretched(images)
    for index, image in enumerate(images):
        array = image[0].numpy() if channels == 1 else image.permute(1, 2, 0).numpy()
        tensor = transforms.normalize(transforms.to_tensor(Image.fromarray(array)), [0.5], [0.5])
        save_image(tensor, tmp_path / "image.png", normalize=True)
        with Image.open(tmp_path / "image.png") as picture:
            written = np.asarray(picture.convert("RGB")).transpose(2, 0, 1)
        assert np.array_equal(found[index].expand(3, -1, -1).numpy(), written), spans[index]


def test_the_folder_holds_the_stretched_images_again_and_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(author_sampler, "FILES", 20)
    images = seeded(6, 1, 4, 4)
    save_pictures(tmp_path / "real", author_sampler.written(images))
    names = sorted((tmp_path / "real").iterdir(), key=lambda path: int(path.stem))
    assert [path.name for path in names] == [f"{i:05d}.png" for i in range(24)]  # more than 20, in whole copies
    pixels = np.stack([np.asarray(Image.open(path)) for path in names])
    assert np.array_equal(pixels, np.tile(author_sampler.stretched(images)[:, 0].numpy(), (4, 1, 1)))
    assert np.array_equal(pixels, np.stack([image[0].numpy() for image in author_sampler.written(images)]))


@pytest.mark.parametrize(("count", "times"), [(40, 17), (12, 313), (5, 1)])
def test_moments_of_a_repeated_set_in_closed_form(count: int, times: int) -> None:
    once = features(count)
    found, expected = author_sampler.repeated(moments(once), times), np.tile(once.astype(np.float64), (times, 1))
    assert found.count == count * times
    np.testing.assert_allclose(found.mean, expected.mean(0), rtol=1e-12)
    np.testing.assert_allclose(found.covariance, np.cov(expected, rowvar=False), atol=1e-12)
    np.testing.assert_allclose(found.root @ found.root.T, found.covariance, atol=1e-12)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:Matrix is singular")  # in pytorch-fid's use of SciPy
@pytest.mark.parametrize("count", [8, 40])  # fewer images than features, and more
def test_the_distance_of_two_folders_is_pytorch_fid_s_on_all_their_files(count: int) -> None:
    real, fake = features(count, seed=1), 1.1 * features(count, seed=2)
    folders = [np.tile(side.astype(np.float64), (author_sampler.copies(count), 1)) for side in (real, fake)]
    statistics = [array for folder in folders for array in (folder.mean(0), np.cov(folder, rowvar=False))]
    (found,) = real_vs_real.blockwise(real, fake, count, draws=1, sampler="repeat-last-batch")
    assert found == pytest.approx(calculate_frechet_distance(*statistics), rel=1e-6)


def test_a_sampler_is_what_it_does_to_images_and_how_often_it_counts_them() -> None:
    images, a, b = seeded(3, 1, 4, 4, low=50, high=90), features(30), features(30, seed=1)
    assert torch.equal(real_vs_real.SAMPLERS["distinct"](images), images)
    assert torch.equal(real_vs_real.SAMPLERS["repeat-last-batch"](images), author_sampler.stretched(images))
    sides = moments(a), moments(b)
    assert real_vs_real.distance(a, b, "distinct") == frechet_distance(*sides)
    assert real_vs_real.distance(a, b, "repeat-last-batch") == frechet_distance(
        *(author_sampler.repeated(side, 334) for side in sides)
    )


def test_blocks_share_no_image_and_number_as_many_as_there_are() -> None:
    a, b = features(70), features(45, seed=1)
    found = real_vs_real.blockwise(a, b, 20, draws=10, sampler="distinct")
    expected = [frechet_distance(moments(a[i : i + 20]), moments(b[i : i + 20])) for i in (0, 20)]
    assert found == expected
    assert real_vs_real.blockwise(a, b, 20, draws=1, sampler="distinct") == expected[:1]
    assert real_vs_real.blockwise(a, b, 46, draws=10, sampler="distinct") == []


def test_halves_of_the_training_split_are_compared_and_one_of_them_with_the_test_split() -> None:
    train, test = features(200), features(60, seed=1)
    found = real_vs_real.real_vs_real(train, test, [16, 50, 90], draws=3, sampler="distinct")
    assert [(each.pair, each.images, len(each.fids)) for each in found] == [
        ("train-train", 16, 3),
        ("train-train", 50, 2),
        ("train-train", 90, 1),
        ("train-test", 16, 3),
        ("train-test", 50, 1),
    ]
    first, second = train[:100], train[100:]
    assert found[2].fids == [frechet_distance(moments(first[:90]), moments(second[:90]))]
    assert found[4].fids == [frechet_distance(moments(first[:50]), moments(test[:50]))]


def test_real_against_real_falls_with_the_number_of_images_and_is_lower_where_copies_count() -> None:
    train, test = features(4000), features(1000, seed=1)
    sound = real_vs_real.real_vs_real(train, test, [16, 64, 256, 1000], draws=10, sampler="distinct")
    means = [np.mean(each.fids) for each in sound if each.pair == "train-train"]
    assert means == sorted(means, reverse=True)
    assert means[0] > 20 * means[-1]
    repeated = real_vs_real.real_vs_real(train, test, [16], draws=10, sampler="repeat-last-batch")
    assert 15 / 16 * 0.9 < np.mean(repeated[0].fids) / means[0] < 1
