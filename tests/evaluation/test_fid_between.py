"""FID between two places: the digits of the pytorch-fid command, and one line for whatever is wrong with a place."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sagan_div.errors import UserError
from sagan_div.evaluation import arithmetic, fid_between, places
from sagan_div.evaluation.frechet import Moments
from sagan_div.evaluation.spaces.extractor import extract
from sagan_div.evaluation.spaces.inception import inception_extractor
from sagan_div.evaluation.statistics import load_statistics, save_statistics
from support import ROOT, as_folder, command, digits, pytorch_fid


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> np.ndarray:
    return digits(64)[0][6:18].numpy()


def our_fid(a: Path, b: Path, *words: object) -> str:
    """The last line of our command, likewise with one thread."""
    done = command("sagan-div", "fid", a, b, "--mode", "exact", "--device", "cpu", "--threads", 1, *words, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1].replace("FID: ", "FID:  ")  # theirs has two spaces


def in_many_formats(images: np.ndarray, path: Path) -> Path:
    """A folder of grey and coloured pictures, with and without loss."""
    path.mkdir()
    for i, image in enumerate(images[:, 0]):
        coloured = np.stack([image, 255 - image, np.roll(image, i, 0)], axis=-1)
        Image.fromarray(coloured if i % 3 else image).save(path / f"{i:05}.{('png', 'jpg', 'bmp', 'jpeg')[i % 4]}")
    return path


def test_exact_statistics_are_pytorch_fids(weights: Path, samples: np.ndarray, tmp_path: Path) -> None:
    """Of grey and coloured pictures with a remainder after the batches; samples have the features of their PNGs."""
    folder = in_many_formats(samples[:8], tmp_path / "a")
    pytorch_fid(weights, "--save-stats", folder, tmp_path / "theirs.npz", "--batch-size", 3)
    theirs = load_statistics(tmp_path / "theirs.npz")
    extractor = inception_extractor(weights, "cpu", "exact")
    ours = arithmetic.exact_moments(extract(extractor, places.Folder(folder), 3), extractor.identity)
    assert np.array_equal(ours.mean, theirs.mean)
    assert np.array_equal(ours.covariance, theirs.covariance)
    pictures = places.Folder(as_folder(samples[:3], tmp_path / "b"))
    exact = extract(extractor, pictures)
    assert np.array_equal(extract(extractor, samples[:3]), exact)
    fast = extract(inception_extractor(weights, "cpu"), samples[:3])
    assert not np.array_equal(fast, exact)
    assert np.linalg.norm(fast - exact) / np.linalg.norm(exact) < 1e-4


def test_exact_fid_of_statistics_prints_the_digits_of_pytorch_fid(weights: Path, tmp_path: Path) -> None:
    """Of full rank and without, as either tool writes them. A matrix root of 2048 dimensions would take a minute."""
    random = np.random.default_rng(0)
    few, many = (arithmetic.exact_moments(np.maximum(random.normal(size=(n, 150)), 0).astype(np.float32)) for n in (40, 400))
    save_statistics(tmp_path / "ours.npz", few)
    np.savez_compressed(tmp_path / "theirs.npz", mu=many.mean, sigma=many.covariance)
    both = tmp_path / "ours.npz", tmp_path / "theirs.npz"
    assert our_fid(*both) == pytorch_fid(weights, *both).splitlines()[-1]


@pytest.mark.slow
def test_exact_fid_prints_the_digits_of_pytorch_fid(weights: Path, samples: np.ndarray, tmp_path: Path) -> None:
    """Statistics that they wrote against samples, and statistics that we wrote from samples against a folder, read by them."""
    a, b = samples[:7], samples[7:]
    folder_a, folder_b = as_folder(a, tmp_path / "a"), as_folder(b, tmp_path / "b")
    np.savez(tmp_path / "b-samples.npz", images=b)
    pytorch_fid(weights, "--save-stats", folder_a, tmp_path / "theirs.npz")
    extractor = inception_extractor(weights, "cpu", "exact")
    ours = arithmetic.exact_moments(extract(extractor, a), extractor.identity)
    save_statistics(tmp_path / "ours.npz", ours)
    expected = pytorch_fid(weights, tmp_path / "ours.npz", folder_b).splitlines()[-1]
    found = our_fid(tmp_path / "theirs.npz", tmp_path / "b-samples.npz", "--weights", weights)
    assert found == expected
    fast = fid_between.fid(tmp_path / "theirs.npz", folder_b, weights, "cpu", note=lambda text: None)
    assert fast == pytest.approx(float(found.split()[-1]), rel=1e-5)
    assert fast > 1


# Places


@pytest.fixture
def notes() -> list[str]:
    return []


@pytest.fixture
def line(tmp_path: Path, weights: Path, notes: list[str]) -> Callable[[Path], str]:
    """The one line that FID between a place and intact statistics ends with."""
    save_statistics(tmp_path / "intact.npz", Moments(9, np.zeros(2048), np.eye(2048)))

    def run(place: Path) -> str:
        with pytest.raises(UserError) as caught:
            fid_between.fid(place, tmp_path / "intact.npz", weights, "cpu", note=notes.append)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    return run


def test_bad_folders_are_a_line_each(
    tmp_path: Path, line: Callable[[Path], str], samples: np.ndarray, notes: list[str]
) -> None:
    folder = tmp_path / "a"
    folder.mkdir()
    assert "a: has no images" in line(folder)
    Image.fromarray(samples[0, 0]).save(folder / "0.png")
    (folder / "notes.TXT").write_text("hello")
    assert "a: the covariance of 1 image is not defined" in line(folder)
    assert "1 files are no images to pytorch-fid and are left out: notes.TXT" in notes[0]
    assert "1 images give 2048 features no covariance of full rank" in notes[1]
    Image.fromarray(samples[0, 0, :32]).save(folder / "1.png")
    assert "1.png: is 64x32 pixels, 0.png is 64x64" in line(folder)
    (folder / "1.png").write_text("hello")
    assert "1.png: is not an image" in line(folder)
    Image.fromarray(samples[0, 0].astype(np.uint16) * 257).save(folder / "1.png")
    assert "1.png: has more than 8 bits" in line(folder)
    (folder / "1.png").write_bytes((folder / "0.png").read_bytes()[:-60])
    assert "1.png: is not an image that can be read whole" in line(folder)
    (folder / "1.png").unlink()
    for name in ("1.png", "2.png", "3.png", "4.png", "bad\udce9\n.png"):
        (folder / name).symlink_to("nowhere")
    refused = line(folder)
    assert "a: 5 files cannot be used: 1.png (is a link that leads nowhere), 2.png" in refused
    assert "and 2 more; mend them" in refused
    for name in ("1.png", "2.png", "3.png", "4.png"):
        (folder / name).unlink()
    assert r"bad\udce9\n.png: is a link that leads nowhere" in line(folder)


def test_hostile_images_are_a_line_each(tmp_path: Path, line: Callable[[Path], str]) -> None:
    """What claims 400 million pixels, and a text chunk that unpacks to more than Pillow allows."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    def png(side: int, *more: bytes) -> bytes:
        return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)) + b"".join(more)

    folder = tmp_path / "a"
    folder.mkdir()
    for content, words in (
        (png(20_000, chunk(b"IDAT", b"")), "has more than 100 million pixels"),
        (png(64, chunk(b"zTXt", b"Comment\0\0" + zlib.compress(b"-" * 70_000_000))), "Decompressed data too large"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 20 20\n", "is not an image"),
    ):
        (folder / "0.png").write_bytes(content)
        assert "a/0.png: " in line(folder)
        assert words in line(folder)


def test_what_pytorch_fid_has_no_eye_for_is_said(tmp_path: Path, weights: Path) -> None:
    random, exif = np.random.default_rng(0), Image.Exif()
    exif[274] = 6
    first, second = (Image.fromarray(random.integers(0, 256, (64, 64, 4), np.uint8)) for _ in range(2))
    first.save(tmp_path / "a.png")
    first.convert("RGB").save(tmp_path / "b.png", exif=exif)
    first.convert("RGB").save(tmp_path / "c.tif", save_all=True, append_images=[second.convert("RGB")])
    first.convert("RGB").save(tmp_path / "d.png")
    found = places.Folder(tmp_path)
    assert {what: [file.name for file in files] for what, files in found.ignored.items()} == {
        "transparency": ["a.png"],
        "a turn in EXIF": ["b.png"],
        "frames or pages behind the first": ["c.tif"],
    }
    assert (found[0:4] == np.asarray(first)[..., :3].transpose(2, 0, 1)).all()
    notes: list[str] = []
    places.features(tmp_path, found, inception_extractor(weights, "cpu", "fast"), 4, notes.append)
    assert "as pytorch-fid does, transparency of 1 image is left out of account: a.png" in "\n".join(notes)


def test_bad_archives_are_a_line_each(tmp_path: Path, line: Callable[[Path], str]) -> None:
    def saved(**arrays: np.ndarray) -> Path:
        np.savez(tmp_path / "a.npz", **arrays)  # type: ignore[arg-type]
        return tmp_path / "a.npz"

    assert "a.npz: holds no statistics (arrays mu and sigma), but picture" in line(saved(picture=np.zeros(3)))
    assert "a.npz: its images are float64 (2, 1, 8, 8)" in line(saved(images=np.zeros((2, 1, 8, 8))))
    assert "a.npz: its images are uint8 (2, 8, 8)" in line(saved(images=np.zeros((2, 8, 8), np.uint8)))
    assert "a.npz, " in line(saved(mu=np.zeros(64), sigma=np.eye(64)))
    assert "64 and of 2048 features cannot be compared" in line(saved(mu=np.zeros(64), sigma=np.eye(64)))
    assert "nowhere: does not exist" in line(tmp_path / "nowhere")


def test_statistics_of_other_weights_are_refused(tmp_path: Path, weights: Path, samples: np.ndarray) -> None:
    save_statistics(tmp_path / "a.npz", Moments(9, np.zeros(2048), np.eye(2048), "inception:other"))
    np.savez(tmp_path / "b.npz", images=samples[:2])
    with pytest.raises(UserError, match="statistics of inception:other and of inception:"):
        fid_between.fid(tmp_path / "a.npz", tmp_path / "b.npz", weights, "cpu", note=lambda text: None)


def test_statistics_alone_need_no_weights(tmp_path: Path, samples: np.ndarray) -> None:
    for name, shift in (("a", 0.0), ("b", 2.0)):
        save_statistics(tmp_path / f"{name}.npz", Moments(9, np.full(3, shift), np.eye(3)))
    assert fid_between.fid(tmp_path / "a.npz", tmp_path / "b.npz", None, "cpu") == pytest.approx(12)
    np.savez(tmp_path / "c.npz", images=samples)
    with pytest.raises(UserError, match="need Inception's weights"):
        fid_between.fid(tmp_path / "a.npz", tmp_path / "c.npz", None, "cpu")


def test_a_folder_is_read_as_pytorch_fid_reads_it(tmp_path: Path) -> None:
    fid_score = pytest.importorskip("pytorch_fid.fid_score")
    assert {f".{ending}" for ending in fid_score.IMAGE_EXTENSIONS} == places.ENDINGS
    gray = np.random.default_rng(0).integers(0, 256, (9, 9), np.uint8)
    for name, mode in (("b.png", "L"), ("a.png", "P"), ("c.bmp", "RGB"), ("d.png", "LA"), ("E.PNG", "L")):
        Image.fromarray(gray).convert(mode).save(tmp_path / name)
    found = places.Folder(tmp_path)
    assert [file.name for file in found.files] == ["a.png", "b.png", "c.bmp", "d.png"]
    assert np.array_equal(found[1:3], np.broadcast_to(gray, (2, 3, 9, 9)))
