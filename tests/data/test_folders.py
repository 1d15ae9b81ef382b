"""Folders of images: read as they are, or refused with a name."""

import os
import re
import struct
import subprocess
import sys
import threading
import time
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from sagan_div.data import sources
from sagan_div.data.folders.budget import Budget
from sagan_div.data.images import Split, divided
from sagan_div.errors import UserError
from sagan_div.study.datasets import DatasetConfig

RNG = np.random.default_rng(0)


class Read:
    """Reads a folder with choices, and keeps what the user was told."""

    def __init__(self, root: Path) -> None:
        self.root, self.lines = root, list[str]()

    def __call__(self, **choices: Any) -> dict[str, Split]:
        dataset = DatasetConfig.model_validate({"pets": {"path": str(self.root), **choices}})
        splits, lines, _ = sources.read(dataset, None, print)
        self.lines = list(lines)
        return splits

    def refused(self, **choices: Any) -> str:
        with pytest.raises(UserError) as caught:
            self(**choices)
        assert "\n" not in str(caught.value)
        assert str(caught.value).isprintable()
        return str(caught.value)

    def count(self, **choices: Any) -> int:
        return sum(len(split.images) for split in self(**choices).values())

    @property
    def told(self) -> str:
        return "\n".join(self.lines)


@pytest.fixture
def read(tmp_path: Path) -> Read:
    return Read(tmp_path / "pets")


def image(path: Path, size: tuple[int, int] = (20, 20), value: Any = 7, mode: str = "L", **more: Any) -> Path:
    """A picture of one colour."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new(mode, size, value).save(path, **more)
    return path


def fill(folder: Path, count: int = 10, first: int = 0, **about: Any) -> None:
    for number in range(first, first + count):
        image(folder / f"{number}.png", **about)


def labels(splits: dict[str, Split]) -> list[int]:
    return sorted({int(label) for split in splits.values() if split.labels is not None for label in split.labels})


# Splits and classes


def test_a_folder_of_classes_is_what_its_images_are(read: Read) -> None:
    for number in range(10):
        image(read.root / "cats" / f"{number}.png", value=number)
        image(read.root / "dogs" / f"{number}.JPG", value=100 + number)
    splits = read()
    assert splits["train"].images.shape == (16, 1, 20, 20)
    for split in splits.values():
        assert split.labels is not None
        assert ((split.images[:, 0, 0, 0] > 50) == split.labels).all()
    assert "2 classes: cats (10), dogs (10)" in read.told


def test_the_held_out_fifth_is_that_of_all_images_in_order(read: Read) -> None:
    for number in range(13):
        image(read.root / f"{number:02d}.png", value=number)
    expected = divided(np.arange(13), None)
    for name, split in read().items():
        assert split.images[:, 0, 0, 0].tolist() == expected[name].images.tolist()


def test_mixed_sizes_and_colours_are_kept_at_the_smallest_side(read: Read) -> None:
    image(read.root / "train" / "wide.png", (40, 24), (200, 0, 0), "RGB")
    image(read.root / "train" / "grey.png", (30, 30))
    image(read.root / "test" / "a.png", (24, 50))
    image(read.root / "test" / "b.png", (25, 25))
    splits = read()
    assert splits["train"].images.shape == (2, 3, 24, 24)
    assert splits["train"].labels is None
    assert splits["train"].images[1, :, 0, 0].tolist() == [200, 0, 0]
    assert "files of 24x50 to 30x30 pixels" in read.told


@pytest.mark.parametrize(
    ("train", "test", "words"),
    [
        ("train", "test", "splits: train/ and test/"),
        ("Training", "Testing", "splits: Training/ and Testing/"),
        ("train", "val", "splits: train/ and val/, which is the test split, since there is no test/"),
        ("TRAIN", "valid", "splits: TRAIN/ and valid/"),
        ("archive/set/train", "archive/set/validation", "splits: train/ and validation/"),
    ],
)
def test_splits_by_any_of_their_names(read: Read, train: str, test: str, words: str) -> None:
    for split, count in ((train, 6), (test, 3)):
        fill(read.root / split / "cats", count)
        fill(read.root / split / "dogs", count, first=count)
    splits = read()
    assert (len(splits["train"].images), len(splits["test"].images)) == (12, 6)
    assert labels(splits) == [0, 1]
    assert words in read.told


def test_a_third_split_is_left_out_and_said(read: Read) -> None:
    for split in ("train", "val", "test"):
        fill(read.root / split, 4)
    assert read.count() == 8
    assert "val/ is left out with 4 images" in read.told


def test_two_folders_of_one_split_are_refused(read: Read) -> None:
    for split in ("train", "test", "val", "valid"):
        fill(read.root / split, 4)
    assert "val/ and valid/ are both the val split" in read.refused()


def test_splits_without_one_to_train_on_are_refused(read: Read) -> None:
    for split in ("test", "valid"):
        fill(read.root / split, 4)
    assert "pets: has test/ and valid/, and no train/; add it" in read.refused()


def test_classes_may_be_called_like_splits(read: Read) -> None:
    for name in ("bus", "train", "car"):
        fill(read.root / name, 4)
    assert labels(read()) == [0, 1, 2]


def test_classes_are_the_folders_below_the_split_whatever_lies_deeper(read: Read) -> None:
    for place in ("cats/2023", "cats/2024", "dogs"):
        fill(read.root / place, 4)
    read()
    assert "2 classes: cats (8), dogs (4)" in read.told


@pytest.mark.parametrize("labelled", ["train", "test"])
def test_labels_on_one_side_only(read: Read, labelled: str) -> None:
    for split in ("train", "test"):
        for name in ("cats", "dogs"):
            fill(read.root / split / (name if split == labelled else ""), 4, first=4 * (name == "dogs"))
    splits = read()
    if labelled == "train":
        assert splits["train"].labels is not None
        assert splits["test"].labels is None
        assert "the test split has no folders of classes: its labels are not known" in read.told
    else:
        assert labels(splits) == []
        assert "no labels: the training split has no folders of classes, those of the test split are not used" in read.told


def test_classes_that_differ_between_splits_are_named(read: Read) -> None:
    for place in ("train/cats", "train/dogs", "test/cats", "test/Dogs"):
        fill(read.root / place, 4)
    refused = read.refused()
    assert "only in the training split: dogs; only in the test split: Dogs" in refused
    assert labels(read(labels="none")) == []
    assert "no labels" in read.told


def test_a_stray_image_beside_folders_of_classes(read: Read) -> None:
    fill(read.root / "cats")
    fill(read.root / "dogs")
    image(read.root / "cover.png")
    assert re.search(r"pets/cover.png: lies beside folders of classes, cats, dogs; .*unfit: skip", read.refused())
    splits = read(unfit="skip")
    assert sum(len(split.images) for split in splits.values()) == 20
    assert labels(splits) == [0, 1]
    assert "left out, as `unfit: skip` says: 1 file: cover.png (lies beside" in read.told
    assert read.count(labels="none") == 21


def test_images_beside_the_splits(read: Read) -> None:
    for place in ("train", "test", "unlabelled"):
        fill(read.root / place, 4)
    assert "unlabelled/0.png (lies beside train/ and test/, in neither split)" in read.refused()
    assert read.count(unfit="skip") == 8


# What is no image of the dataset


def test_hidden_files_and_thumbnails_are_passed_over_and_said(read: Read) -> None:
    fill(read.root / "cats")
    fill(read.root / "dogs")
    for place in (".thumbnails", "cats/.ipynb_checkpoints", "__MACOSX/cats", "dogs/Thumbnails", "@eaDir"):
        fill(read.root / place, 2, size=(4, 4))
    image(read.root / "cats" / "._0.png")
    for name in (".DS_Store", "cats/Thumbs.db", "README.txt"):
        (read.root / name).write_text("no image")
    splits = read()
    assert sum(len(split.images) for split in splits.values()) == 20
    assert labels(splits) == [0, 1]
    assert "passed over: 4 hidden: .DS_Store, .thumbnails, cats/._0.png and 1 more" in read.told
    assert "3 thumbnails or a system's own: @eaDir, __MACOSX, dogs/Thumbnails" in read.told
    assert "2 no images: README.txt, cats/Thumbs.db" in read.told


def test_linked_folders_and_files_are_followed(read: Read, tmp_path: Path) -> None:
    fill(tmp_path / "store", 5)
    read.root.mkdir()
    (read.root / "train").symlink_to(tmp_path / "store")
    image(tmp_path / "one.png")
    for number in range(3):
        (read.root / "test").mkdir(exist_ok=True)
        (read.root / "test" / f"{number}.png").symlink_to(tmp_path / "one.png")
    assert {name: len(split.images) for name, split in read().items()} == {"train": 5, "test": 3}


@pytest.mark.parametrize(
    ("link", "target", "words"),
    [
        ("cats/back", "..", "pets/cats/back: leads back to ./"),
        ("cats/self", "self", "pets/cats/self: cannot be read (Too many levels of symbolic links)"),
        ("again", "cats", "pets/again: leads to the same folder as cats/"),
        ("cats/away.png", "nowhere.png", "pets/cats/away.png: is a link that leads nowhere"),
        ("gone", "/nowhere/at/all", "pets/gone: is a link that leads nowhere"),
    ],
)
def test_links_that_lead_nowhere_or_back_are_named(read: Read, link: str, target: str, words: str) -> None:
    fill(read.root / "cats")
    fill(read.root / "dogs")
    (read.root / link).symlink_to(target)
    assert words in read.refused()
    assert read.count(unfit="skip") == 20


def test_links_that_branch_without_end_are_read_once(read: Read) -> None:
    """Two links to the next folder at each of forty levels: 2^40 ways."""
    fill(read.root / "0")
    for level in range(40):
        folder = read.root / str(level)
        folder.mkdir(exist_ok=True)
        for side in "ab":
            (folder / side).symlink_to(f"../{level + 1}")
    (read.root / "40").mkdir()
    assert "80 files cannot be used" in read.refused()


def test_names_of_any_bytes(read: Read) -> None:
    for name in (b"caf\xe9", b"two\nlines"):
        for number in range(4):
            image(read.root / os.fsdecode(name) / f"{number}.png")
    assert labels(read()) == [0, 1]
    assert read.told.encode().decode().count("\n") == len(read.lines) - 1
    bad = read.root / os.fsdecode(b"caf\xe9") / os.fsdecode(b"\xff\n.png")
    bad.write_bytes(b"no image")
    assert r"caf\udce9/\udcff\n.png: is not an image" in read.refused()


def test_a_home_folder_is_found(read: Read, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(read.root)
    monkeypatch.setenv("HOME", str(tmp_path))
    splits = sources.load(DatasetConfig.model_validate({"pets": "~/pets"}), None, print)
    assert len(splits["train"].images) == 8


@pytest.mark.parametrize(
    ("prepare", "words"),
    [
        (lambda folder: None, "there is no such folder"),
        (lambda folder: folder.write_text("no folder"), "is a file, not a folder of images"),
        (lambda folder: folder.mkdir(), "pets: holds 0 images, at least 4 are needed"),
        (lambda folder: fill(folder, 2), "pets: holds 2 images, at least 4 are needed"),
        (lambda folder: (folder.mkdir(), (folder / "a.txt").touch()), "beside: 1 no images: a.txt"),
        (lambda folder: (fill(folder, 4), (folder / "a.heic").touch()), "a.heic: is in a format that is not read"),
        (lambda folder: (fill(folder, 4), os.mkfifo(folder / "a.png")), "a.png: is no regular file"),
    ],
)
def test_an_unusable_folder_is_named(read: Read, prepare: Callable[[Path], Any], words: str) -> None:
    prepare(read.root)
    assert words in read.refused()


# Images


def test_an_outlier_is_named_instead_of_shrinking_all_to_its_size(read: Read) -> None:
    fill(read.root, 20, size=(100, 120))
    image(read.root / "favicon.png", (4, 4))
    assert "pets/favicon.png: has 4x4 pixels, less than half the median side of 100" in read.refused()
    assert read(unfit="skip")["train"].images.shape == (16, 1, 100, 100)
    assert read(minimum_side=4)["train"].images.shape[2:] == (4, 4)
    assert "less than minimum_side, 101" in read.refused(minimum_side=101)


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def png(width: int, height: int, *more: bytes, rows: bytes = b"") -> bytes:
    """A grey PNG that claims a size and holds what rows it does."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + b"".join(more) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def frames(path: Path, **more: Any) -> None:
    image(path, save_all=True, append_images=[Image.new("L", (20, 20), 99)], **more)


def progressive(path: Path, scans: int) -> None:
    """A progressive JPEG whose first scan is there many times."""
    Image.fromarray(RNG.integers(0, 256, (64, 64), np.uint8)).save(path, "JPEG", progressive=True)
    whole = path.read_bytes()
    first = whole.index(b"\xff\xda")
    tables = whole.index(b"\xff\xc4", first)
    path.write_bytes(whole[:first] + whole[first:tables] * scans + whole[tables:])


HOSTILE: list[tuple[str, Callable[[Path], Any], str]] = [
    ("a.png", lambda path: path.write_bytes(b""), "is not an image"),
    ("a.png", lambda path: path.write_text("<html>"), "is not an image"),
    ("a.jpg", lambda path: path.write_bytes(image(path).read_bytes()[:-100]), "is not an image that can be read whole"),
    ("a.png", lambda path: path.write_bytes(image(path, (300, 300)).read_bytes()[:-40]), "is not an image"),
    ("a.ppm", lambda path: path.write_bytes(b"P6 20 20 255\n" + bytes(100)), "is not an image"),
    ("a.ppm", lambda path: path.write_bytes(b"P6 20"), "is not an image"),
    ("a.ppm", lambda path: path.write_bytes(b"P3 20 20 255\n1 2 x"), "is not an image"),
    ("a.pgm", lambda path: path.write_bytes(b"P5 20 20 65535\n" + bytes(800)), "has more than 8 bits per channel"),
    ("a.ppm", lambda path: path.write_bytes(b"P6 20 20 65535\n" + bytes(2400)), "has more than 8 bits per channel"),
    ("a.png", lambda path: Image.new("I;16", (20, 20)).save(path), "has more than 8 bits per channel"),
    ("a.tif", lambda path: Image.new("F", (20, 20)).save(path), "has more than 8 bits per channel"),
    ("a.gif", frames, "has several frames or pages"),
    ("a.png", frames, "has several frames or pages"),
    ("a.tiff", frames, "has several frames or pages"),
    ("a.webp", lambda path: frames(path, lossless=True), "has several frames or pages"),
    ("a.png", lambda path: path.write_bytes(png(20_000, 20_000)), "has more than 100 million pixels"),
    ("a.png", lambda path: path.write_bytes(png(11_000, 11_000)), "has 11,000 x 11,000 pixels, more than 100 million"),
    ("a.png", lambda path: path.write_bytes(png(5_000, 5_000)), "is not an image that can be read whole"),
    ("a.png", lambda path: path.write_bytes(png(0, 7)), "is not an image"),
    (
        "a.png",
        lambda path: path.write_bytes(png(20, 20, chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"-" * 70_000_000)))),
        "is not an image that can be read whole",
    ),
    ("a.png", lambda path: path.write_bytes(png(20, 20, chunk(b"pHYs", b"\1"), rows=bytes(420))), "is not an image"),
    ("a.jpg", lambda path: progressive(path, 200), "is a JPEG of more than 100 scans"),
    ("a.webp", lambda path: os.truncate(image(path), 2**30), "is a file of more than 512 MiB"),
    ("a.png", lambda path: path.write_text("%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 20 20\n"), "is not an image"),
]


@pytest.mark.parametrize(
    ("name", "write", "words"), HOSTILE, ids=[f"{number}-{each[0]}" for number, each in enumerate(HOSTILE)]
)
def test_an_image_that_cannot_be_used_is_named(read: Read, name: str, write: Callable[[Path], Any], words: str) -> None:
    fill(read.root, 8)
    write(read.root / name)
    assert f"pets/{name}: {words}" in read.refused()
    assert read.count(unfit="skip") == 8


def test_deep_colour_is_named_though_pillow_halves_it(read: Read) -> None:
    fill(read.root, 8)
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 20, 20, 16, 2, 0, 0, 0))
    rows = chunk(b"IDAT", zlib.compress(bytes((1 + 20 * 6) * 20)))
    (read.root / "deep.png").write_bytes(b"\x89PNG\r\n\x1a\n" + head + rows + chunk(b"IEND", b""))
    assert Image.open(read.root / "deep.png").mode == "RGB"
    assert "deep.png: has more than 8 bits per channel" in read.refused()


def test_several_unfit_images_are_a_few_names_and_a_count(read: Read) -> None:
    fill(read.root, 8)
    for number in range(7):
        (read.root / f"bad{number}.png").write_text("no image")
    refused = read.refused()
    assert re.search(r"pets: 7 files cannot be used: bad0.png \(.*bad2.png \([^)]*\) and 4 more; mend or remove them", refused)
    assert len(refused) < 600


@pytest.mark.parametrize(
    ("background", "mode", "clear", "half"),
    [
        ("white", "RGBA", (10, 20, 30, 0), (0, 0, 0, 128)),
        ("black", "RGBA", (10, 20, 30, 0), (255, 255, 255, 128)),
        ("white", "LA", (10, 0), (0, 128)),
    ],
)
def test_what_is_transparent_shows_the_background(
    read: Read, background: str, mode: str, clear: tuple[int, ...], half: tuple[int, ...]
) -> None:
    for split in ("train", "test"):
        image(read.root / split / "clear.png", value=clear, mode=mode)
        image(read.root / split / "half.png", value=half, mode=mode)
    for split in read(background=background).values():
        assert split.images.shape[1] == (1 if mode == "LA" else 3)
        assert (split.images[0] == (255 if background == "white" else 0)).all()
        assert (split.images[1] == 127).all() or (split.images[1] == 128).all()


def test_transparency_of_palettes_and_single_colours(read: Read) -> None:
    grey = Image.new("L", (20, 20), 5)
    palette = Image.new("P", (20, 20), 0)
    palette.putpalette([200, 0, 0, 0, 200, 0])
    for split in ("train", "test"):
        (read.root / split).mkdir(parents=True)
        grey.save(read.root / split / "0.png", transparency=5)
        palette.save(read.root / split / "1.png", transparency=0)
        palette.save(read.root / split / "2.gif")
    images = read()["train"].images
    assert (images[0] == 255).all()
    assert (images[1] == 255).all()
    assert images[2, :, 9, 9].tolist() == [200, 0, 0]


def test_exif_turns_an_image_upright_and_inks_become_colours(read: Read) -> None:
    """Against Pillow's own arithmetic on the upright image."""
    wide = Image.fromarray(np.repeat(np.arange(40, dtype=np.uint8)[None, :, None] * 6, 20, 0).repeat(3, 2))
    exif = Image.Exif()
    exif[274] = 6  # shown turned clockwise by a quarter
    for split in ("train", "test"):
        (read.root / split).mkdir(parents=True)
        wide.save(read.root / split / "0.png", exif=exif)
        Image.new("CMYK", (20, 20), (0, 255, 255, 0)).save(read.root / split / "1.tif")
    images = read()["train"].images
    assert (images[0] == np.asarray(wide.crop((10, 0, 30, 20)).transpose(Image.Transpose.ROTATE_270)).transpose(2, 0, 1)).all()
    assert images[1, :, 9, 9].tolist() == [255, 0, 0]


def test_photos_with_a_second_picture_behind_them_are_read(read: Read) -> None:
    """MPO, which phones write as .jpg."""
    for number in range(5):
        first = read.root / f"{number}.jpg"
        image(first, format="MPO", save_all=True, append_images=[Image.new("L", (10, 10))], value=9 * number)
        assert Image.open(first).format == "MPO"
    assert read.count() == 5


def test_a_large_photo_is_decoded_small_and_looks_the_same(read: Read) -> None:
    smooth = np.asarray(
        Image.fromarray(RNG.integers(0, 256, (6, 8, 3), np.uint8)).resize((1600, 1200), Image.Resampling.BICUBIC)
    )
    for number in range(4):
        read.root.mkdir(exist_ok=True)
        Image.fromarray(smooth).save(read.root / f"{number}.jpg", quality=95)
    found = read()["test"].images[0]
    expected = np.asarray(Image.fromarray(smooth[:, 200:1400]).resize((256, 256), Image.Resampling.BOX)).transpose(2, 0, 1)
    assert found.shape == (3, 256, 256)
    assert np.abs(found.astype(int) - expected).mean() < 1


BEFORE = """
import resource, sagan_div.data.sources
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
PEAK = """
import resource, sys
from sagan_div.data import sources
from sagan_div.study.datasets import DatasetConfig
sources.load(DatasetConfig.model_validate({"pets": sys.argv[1]}), None, print)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


@pytest.mark.parametrize("ending", ["jpg", pytest.param("png", marks=pytest.mark.slow)])
def test_memory_follows_what_is_kept(tmp_path: Path, ending: str) -> None:
    """11.4 MiB each at full size, 0.19 MiB as they are kept."""

    def peak(count: int) -> float:
        folder = tmp_path / str(count)
        first = image(folder / f"0.{ending}", (2000, 2000), (200, 30, 60), "RGB")
        for number in range(1, count):
            os.link(first, folder / f"{number}.{ending}")
        done = subprocess.run([sys.executable, "-c", PEAK, str(folder)], capture_output=True, text=True, check=True)
        return float(done.stdout.splitlines()[-1])

    assert (peak(45) - peak(5)) / 40 < 1


@pytest.mark.slow
def test_small_files_that_unpack_to_the_most_that_is_allowed_take_a_gigabyte(tmp_path: Path) -> None:
    clear = Image.new("P", (10_000, 10_000))
    clear.putpalette([200, 0, 0])
    clear.save(tmp_path / "0.png", transparency=0)
    for number in range(1, 5):
        os.link(tmp_path / "0.png", tmp_path / f"{number}.png")
    assert (tmp_path / "0.png").stat().st_size < 20_000
    done = subprocess.run([sys.executable, "-c", BEFORE + PEAK, str(tmp_path)], capture_output=True, text=True, check=True)
    before, after = map(float, done.stdout.splitlines())
    assert after - before < 1024


def test_threads_share_no_more_memory_than_there_is() -> None:
    budget, held, most = Budget(100), 0, 0
    lock = threading.Lock()

    def work(wanted: int) -> None:
        nonlocal held, most
        with budget.held(wanted):
            with lock:
                held += min(wanted, 100)
                most = max(most, held)
            time.sleep(0.001)
            with lock:
                held -= min(wanted, 100)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, [30, 60, 500, 10] * 20))
    assert (held, most <= 100) == (0, True)


def test_the_names_of_classes_are_recorded_in_the_order_of_their_numbers(read: Read) -> None:
    """Each class has a grey of its own, so that a name in the place of another would have the wrong one."""
    greys = {"10": 0, "2": 20, "<b>": 40, "\t": 60, "猫": 80}
    for name, grey in greys.items():
        fill(read.root / name, 5, value=grey)
    found = sources.read(DatasetConfig.model_validate({"pets": str(read.root)}), None, print)
    names = found.about["found"]["names"]
    train = found.splits["train"]
    assert train.labels is not None
    seen = {names[label]: int(picture.flat[0]) for picture, label in zip(train.images, train.labels, strict=True)}
    assert seen == {name.replace("\t", r"\t"): grey for name, grey in greys.items()}
    unlabelled = DatasetConfig.model_validate({"pets": {"path": str(read.root), "labels": "none"}})
    assert sources.read(unlabelled, None, print).about["found"]["names"] == []
