"""Fetching, verifying and decoding: from a folder, over HTTP on loopback, and everything that can be wrong with it."""

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torchvision
from PIL import Image

from sagan_div.data import sources
from sagan_div.data.images import Split
from sagan_div.errors import UserError
from sagan_div.study.schema import DatasetConfig
from support import OFFICIAL, md5s


def load(name: str, mirror: Path | str | None = None, folder: Path | None = None) -> dict[str, Split]:
    dataset = DatasetConfig(name=name, folder=None if folder is None else str(folder))
    return sources.load(dataset, None if mirror is None else str(mirror), lambda text: None)


@pytest.fixture
def small(small_archives: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Small archives that carry the published names; only their checksums are their own."""
    monkeypatch.setattr(torchvision.datasets.MNIST, "resources", md5s(small_archives / "mnist"))
    return small_archives


def test_archives_are_read_from_a_folder_and_over_http_alike(small: Path, serve: Any) -> None:
    from_folder, from_url = load("mnist", small), load("mnist", serve(small))
    for split, count in (("train", 40), ("test", 20)):
        assert from_folder[split].images.shape == (count, 1, 28, 28)
        assert from_folder[split].images.dtype == np.uint8
        assert (from_folder[split].labels == np.arange(count) % 10).all()
        assert (from_folder[split].images == from_url[split].images).all()


def test_the_environment_names_a_mirror(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SAGAN_DIV_MIRROR", str(small))
    assert len(load("mnist")["train"].images) == 40


@pytest.mark.parametrize("name", ["mnist", "fashion-mnist"])
def test_the_official_archives_over_http(name: str, serve: Any) -> None:
    if not OFFICIAL.is_dir():
        pytest.skip("the official archives are not at hand")
    splits = load(name, serve(OFFICIAL))
    assert splits["train"].images.shape == (60000, 1, 28, 28)
    assert splits["test"].images.shape == (10000, 1, 28, 28)
    assert splits["train"].labels is not None
    assert np.bincount(splits["train"].labels).sum() == 60000
    reader = torchvision.datasets.mnist.read_image_file  # an independent decoder
    import gzip
    import tempfile

    with tempfile.NamedTemporaryFile() as raw:
        raw.write(gzip.decompress((OFFICIAL / name / "t10k-images-idx3-ubyte.gz").read_bytes()))
        raw.flush()
        assert (reader(raw.name).numpy() == splits["test"].images[:, 0]).all()


@pytest.mark.parametrize("damage", ["truncated", "changed", "absent"])
def test_a_damaged_archive_is_refused_before_it_is_decoded(small: Path, tmp_path: Path, damage: str) -> None:
    mirror = tmp_path / "mirror"
    shutil.copytree(small, mirror)
    archive = mirror / "mnist" / "t10k-images-idx3-ubyte.gz"
    content = archive.read_bytes()
    archive.unlink()
    if damage != "absent":
        archive.write_bytes(content[:-20] if damage == "truncated" else content[:50] + b"x" + content[51:])
    with pytest.raises(UserError) as caught:
        load("mnist", mirror)
    assert str(archive) in str(caught.value)
    assert ("No such file" if damage == "absent" else "damaged or truncated, its MD5 is") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_network_names_the_mirror(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SAGAN_DIV_MIRROR", raising=False)
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", ["http://127.0.0.1:9/"])
    with pytest.raises(UserError, match=r"mnist: cannot fetch .*--mirror or SAGAN_DIV_MIRROR"):
        load("mnist")


def test_digits_are_real_and_split_once() -> None:
    splits = load("digits")
    assert len(splits["train"].images) + len(splits["test"].images) == 1797
    assert (splits["train"].images == load("digits")["train"].images).all()
    assert splits["train"].images.max() == 255
    assert splits["train"].labels is not None
    assert set(splits["train"].labels) == set(range(10))


def picture(path: Path, size: tuple[int, int] = (20, 20), mode: str = "L", value: int = 7) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value if mode == "L" else (value, 0, 0)).save(path)


def test_a_folder_of_classes(tmp_path: Path) -> None:
    for number in range(10):
        picture(tmp_path / "cats" / f"{number}.png", value=number)
        picture(tmp_path / "dogs" / f"{number}.JPG", value=100 + number)
    splits = load("pets", folder=tmp_path)
    assert splits["train"].images.shape == (16, 1, 20, 20)
    assert splits["test"].labels is not None
    for split in splits.values():
        assert split.labels is not None
        assert ((split.images[:, 0, 0, 0] > 50) == split.labels).all()


def test_a_folder_of_mixed_sizes_colours_and_splits_without_labels(tmp_path: Path) -> None:
    picture(tmp_path / "train" / "wide.png", (40, 24), "RGB", 200)
    picture(tmp_path / "train" / "grey.png", (30, 30))
    picture(tmp_path / "test" / "a.png", (24, 50))
    picture(tmp_path / "test" / "b.png", (25, 25))
    splits = load("mixed", folder=tmp_path)
    assert splits["train"].images.shape == (2, 3, 24, 24)
    assert splits["train"].labels is None
    assert splits["train"].images[1, :, 0, 0].tolist() == [200, 0, 0]


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (lambda folder: None, "there is no such folder"),
        (lambda folder: folder.mkdir(), "holds 0 images, at least 2 are needed"),
        (lambda folder: picture(folder / "one.png"), "holds 1 images, at least 2 are needed"),
        (lambda folder: (picture(folder / "a.png"), (folder / "b.png").write_text("no image")), "b.png: is not an image"),
        (
            lambda folder: (picture(folder / "a.png"), Image.new("I;16", (9, 9)).save(folder / "b.png")),
            "b.png: has more than 8 bits per channel",
        ),
    ],
)
def test_an_unusable_folder_is_named(tmp_path: Path, prepare: Any, words: str) -> None:
    prepare(tmp_path / "images")
    with pytest.raises(UserError, match=words):
        load("mine", folder=tmp_path / "images")
