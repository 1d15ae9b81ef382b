"""Files that are damaged, that lie, and that are bombs: one line each, before memory or time is spent. Nothing unpickled."""

import gzip
import hashlib
import io
import json
import os
import random
import struct
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from sagan_div import arrays
from sagan_div.data import archives
from sagan_div.data.samples import load_samples, save_samples, why_none
from sagan_div.errors import UserError
from sagan_div.evaluation import frechet, places
from sagan_div.evaluation.fid_between import fid
from sagan_div.evaluation.spaces import inception
from sagan_div.evaluation.spaces.classifier import Classifier, load_classifier, save_classifier
from sagan_div.evaluation.spaces.torchscript import torchscript_extractor
from sagan_div.evaluation.statistics import load_beside, load_statistics, save_statistics
from sagan_div.models import checkpoints, sampling
from sagan_div.models.networks import Generator, Shape
from sagan_div.settings import plain
from sagan_div.study.load import load
from sagan_div.study.schema import TorchScriptConfig
from support import ROOT, command, train_settings

CPU = torch.device("cpu")
Reader = Callable[[Path], object]


def generator(path: Path, **changes: Any) -> Path:
    """A small generator in a file, and what its header says instead of the truth."""
    settings = train_settings(load(ROOT / "params.yaml", sets=["width=4", "image_size=16", "latent=4"]), "dcgan")
    network = Generator(settings.recipe.generator, Shape(16, 1, 4, 4))
    about = {"settings": plain(settings), "channels": 1, "images": 100} | changes
    checkpoints.save(path, checkpoints.tensors_of(generator=network), about)
    return path


def idx(path: Path) -> None:
    images = np.random.default_rng(0).integers(0, 256, 100).astype(np.uint8).tobytes()
    path.write_bytes(gzip.compress(bytes([0, 0, 8, 3, 0, 0, 0, 4, 0, 0, 0, 5, 0, 0, 0, 5]) + images, mtime=0))


def features() -> np.ndarray:
    return np.random.default_rng(0).normal(size=(40, 6)).astype(np.float32)


def weights(path: Path, newer: bool) -> None:
    state = {"fc.weight": torch.zeros(3, 4), "b": torch.zeros(5)}
    torch.save(state, path, _use_new_zipfile_serialization=newer)


def torchscript(path: Path) -> None:
    torch.jit.script(torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.Flatten())).save(str(path))  # type: ignore[no-untyped-call]


def as_space(path: Path) -> object:
    """A damaged network, although its digest is the one that was named."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return torchscript_extractor(TorchScriptConfig(name="mine", file=str(path), sha256=digest), CPU)


WRITTEN: dict[str, tuple[Callable[[Path], object], list[Reader]]] = {
    "samples.npz": (lambda path: save_samples(path, torch.zeros(20, 1, 8, 8, dtype=torch.uint8)), [load_samples, places.read]),
    "none.npz": (lambda path: save_samples(path, torch.zeros(0, 1, 8, 8, dtype=torch.uint8), "diverged"), [why_none]),
    "statistics.npz": (
        lambda path: save_statistics(path, frechet.moments(features(), "inception:abc"), features=features()),
        [load_statistics, lambda path: load_beside(path, "features")],
    ),
    "images.npy": (lambda path: arrays.write(path, np.zeros((20, 1, 8, 8), np.uint8)), [arrays.read]),
    "classifier.safetensors": (
        lambda path: save_classifier(path, Classifier(1, 10, 16), {}),
        [lambda path: load_classifier(path, CPU)],
    ),
    "generator.safetensors": (generator, [lambda path: sampling.load_generator(path, CPU)]),
    "newer.pth": (lambda path: weights(path, newer=True), [inception.load_weights]),
    "older.pth": (lambda path: weights(path, newer=False), [inception.load_weights]),
    "network.pt": (torchscript, [as_space]),
    "idx.gz": (idx, [lambda path: archives._idx(path.read_bytes(), path.name)]),
}


def mutated(whole: bytes, chance: random.Random) -> bytes:
    """A copy that is cut, or has bytes flipped, replaced by the ends of number ranges, or added; often near the beginning."""
    how, found = chance.randrange(4), bytearray(whole)
    if how == 0:
        return whole[: chance.randrange(len(whole))]
    for _ in range(chance.choice([1, 1, 2, 8])):
        at = chance.randrange(min(len(found), 300) if chance.random() < 0.6 else len(found))
        if how == 1:
            found[at] ^= 1 << chance.randrange(8)
        elif how == 2:
            found[at : at + 4] = bytes(chance.choice([0, 127, 128, 255, 57]) for _ in range(4))
        else:
            found.insert(at, chance.randrange(256))
    return bytes(found)


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.filterwarnings("ignore")
def test_whatever_becomes_of_a_file_it_is_read_or_refused_in_one_line(name: str, tmp_path: Path) -> None:
    write, readers = WRITTEN[name]
    path, chance, refusals = tmp_path / name, random.Random(name), list[str]()
    write(path)
    whole = path.read_bytes()
    for _ in range(150):
        path.write_bytes(mutated(whole, chance))
        for reader in readers:
            try:
                reader(path)
            except UserError as error:
                refusals.append(str(error))
    assert len(refusals) > 50
    assert all(text.isprintable() and name in text for text in refusals)


# Files that lie, one by one


def refusal(read: Reader, path: Path) -> str:
    with pytest.raises(UserError) as caught:
        read(path)
    text = str(caught.value)
    assert text.isprintable()
    assert len(text) < 600
    return text


def npz(path: Path, name: str, header: dict[str, Any], content: bytes = b"") -> Path:
    """An .npz with one array, whose header and content are as they are given."""
    text = repr(header).encode() + b"\n"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(f"{name}.npy", b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + content)
    return path


def test_arrays_that_claim_more_than_there_is(tmp_path: Path) -> None:
    header = {"descr": "|u1", "fortran_order": False, "shape": (1, 1, 1, 1)}
    for shape in ((80 * 10**12, 1, 1, 1), (2**31, 1, 1, 1), (-1, 1, 1, 1), (0, 10**30, 1, 1), (2**62, 2**62, 0, 1)):
        path = npz(tmp_path / "a.npz", "images", header | {"shape": shape})
        for read in (load_samples, places.read):
            assert "is damaged" in refusal(read, path)
        (tmp_path / "a.npy").write_bytes(zipfile.ZipFile(path).read("images.npy"))
        assert "is damaged" in refusal(arrays.read, tmp_path / "a.npy")


def test_an_array_is_refused_by_its_size_before_it_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "LARGEST", 10**6)
    np.savez_compressed(tmp_path / "a.npz", images=np.zeros((10**6, 1, 1, 1), np.uint8))
    assert (tmp_path / "a.npz").stat().st_size < 5000
    assert "its images has 1,000,128 bytes; at most 1,000,000 are read" in refusal(load_samples, tmp_path / "a.npz")


def test_pickles_are_refused_and_not_run(tmp_path: Path) -> None:
    ran = tmp_path / "ran"

    class Bad:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(ran),)

    bad: Any = np.array([Bad()], dtype=object)
    np.savez(tmp_path / "a.npz", images=bad, mu=bad, sigma=bad)
    np.save(tmp_path / "a.npy", bad)
    torch.save({"a": Bad()}, tmp_path / "a.pth")
    torch.save({"a": Bad()}, tmp_path / "b.pth", _use_new_zipfile_serialization=False)
    for read, name in ((load_samples, "a.npz"), (places.read, "a.npz"), (load_statistics, "a.npz"), (arrays.read, "a.npy")):
        assert "is damaged" in refusal(read, tmp_path / name)
    for name in ("a.pth", "b.pth"):
        assert "holds more than weights" in refusal(inception.load_weights, tmp_path / name)
    assert not ran.exists()


def test_devices_and_pipes_are_no_files(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    readers = (load_samples, places.read, load_statistics, arrays.read, checkpoints.load, inception.load_weights)
    for path in (pipe, Path("/dev/zero")):
        for read in readers:
            refusal(read, path)


def test_statistics_that_are_none(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"

    def line(**changes: Any) -> str:
        np.savez(path, **({"mu": np.zeros(3), "sigma": np.eye(3)} | changes))
        return refusal(lambda found: fid(found, found, None, CPU), path)

    assert "its count is no whole number" in line(count=np.array([1, 2]))
    assert "its count is no whole number" in line(count=-1)
    assert "its count is no whole number" in line(count="many")
    assert "its extractor is no line of text" in line(extractor=np.array(["a", "b"]))
    assert "its extractor is no line of text" in line(extractor="\x1b[2J")
    assert "its extractor is no line of text" in line(extractor="x" * 5000)
    assert "statistics of no features cannot be compared" in line(mu=np.zeros(0), sigma=np.zeros((0, 0)))
    assert "not (d,) and (d, d)" in line(mu=np.zeros(()), sigma=np.zeros(()))
    assert "it has the eigenvalue -0.1" in line(sigma=-0.1 * np.eye(3))
    assert "not finite" in line(mu=np.full(3, 1e200))
    assert "not finite" in line(sigma=np.full((3, 3), np.longdouble("1e4000")))
    assert "statistics of 8,193 features" in line(mu=np.zeros(8193), sigma=np.zeros((8193, 8193), np.float16))
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("\x1b[2J" * 500, b"")
    assert "holds no statistics" in refusal(load_statistics, path)


# Weights, archives


@pytest.mark.parametrize("content", [b"", b"x", b"PK\x03\x04", b"\x80\x02}q\x00.", bytes(200), b"<html>"])
def test_a_few_bytes_are_no_weights(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "w.pth").write_bytes(content)
    refusal(lambda path: inception.inception_extractor(path, CPU), tmp_path / "w.pth")


def test_weights_that_unpack_to_more_than_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inception, "LARGEST", 10**6)
    whole = io.BytesIO()
    torch.save({"a": torch.zeros(10**6)}, whole)
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(tmp_path / "w.pth", "w", zipfile.ZIP_DEFLATED) as target:
        for entry in source.infolist():
            target.writestr(entry.filename, source.read(entry))
    assert (tmp_path / "w.pth").stat().st_size < 10**5
    assert "has more than 1,000,000 bytes of weights" in refusal(inception.load_weights, tmp_path / "w.pth")


def test_archives_that_unpack_for_ever_or_are_others(tmp_path: Path) -> None:
    def line(content: bytes) -> str:
        return refusal(lambda path: archives._idx(content, path.name), tmp_path / "x.gz")

    zeros = io.BytesIO()
    with gzip.open(zeros, "wb", compresslevel=1) as file:
        for _ in range(70):
            file.write(bytes(2**20))
    assert "unpacks to more than 67,108,864 bytes" in line(zeros.getvalue())
    for content in (
        b"",
        bytes(3),
        bytes(4),
        b"\0\0\x08\x03\xff\xff\xff\xff",
        b"\0\0\x08\x01\0\0\0\x05abc",
        b"\0\0\x0d\x01\0\0\0\0",
    ):
        assert "no IDX file" in line(gzip.compress(content))
    for content in (b"", b"<html>", gzip.compress(bytes(100))[:-9]):
        assert "no IDX file" in line(content) if not content else "no intact gzip" in line(content)


# Checkpoints


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "null", "7", '"a"', "[" * 100_000, '{"settings": [], "channels": 1}'])
def test_headers_that_are_no_mapping_of_facts(tmp_path: Path, text: str) -> None:
    path = tmp_path / "g.safetensors"
    save_file({"a": torch.zeros(1)}, path, {checkpoints.FORMAT: text})
    refusal(lambda path: sampling.load_generator(path, CPU), path)
    refusal(lambda path: load_classifier(path, CPU), path)


@pytest.mark.parametrize(
    "changes",
    [
        {"channels": 10**9},
        {"channels": "1"},
        {"channels": True},
        {"images": "<script>"},
        {"fid": "low"},
        {"why": "\x1b[2J" * 100},
        {"diverged": ["here"]},
        {"width": 10**6},
        {"width": 10**30},
        {"latent": 10**9},
    ],
)
def test_checkpoints_that_claim_what_they_do_not_hold(tmp_path: Path, changes: dict[str, Any]) -> None:
    """A header of a network of terabytes costs none."""
    path = generator(tmp_path / "g.safetensors")
    about = checkpoints.load(path)[1]
    inside = {name: value for name, value in changes.items() if name in about["settings"]}
    generator(path, **{name: value for name, value in changes.items() if name not in inside})
    tensors, about = checkpoints.load(path)
    checkpoints.save(path, tensors, about | {"settings": about["settings"] | inside})
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # such as of an allocation that was tried
        refusal(lambda path: sampling.load_generator(path, CPU), path)


def test_a_classifier_for_images_of_any_size_is_not_built(tmp_path: Path) -> None:
    for size in (10**9, "large", [], None):
        checkpoints.save(tmp_path / "c.safetensors", Classifier(1, 10, 16).state_dict(), {"image_size": size})
        assert "no domain classifier" in refusal(lambda path: load_classifier(path, CPU), tmp_path / "c.safetensors")


def test_a_card_has_no_html_of_a_foreign_record(tmp_path: Path) -> None:
    script = "<script>alert(1)</script>"
    checkpoint = generator(tmp_path / "cell" / "best.safetensors")
    link = "[here](javascript:alert(1)) | more `code`\n# Title"
    record = {"settings": {}, "code": {}, "inputs": {}, "outputs": {}, "commit": script, "started": link}
    record |= {"hardware": {"cpu": script, script: 1}, "versions": {script: script}}
    (checkpoint.parent / "record.json").write_text(json.dumps(record))
    done = command("sagan-div", "export", checkpoint, "--out", tmp_path / "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    card = (tmp_path / "out" / "README.md").read_text()
    assert "&lt;script&gt;alert(1)" in card
    assert "<script" not in card
    assert "](javascript" not in card
    assert "\n# Title" not in card


@pytest.mark.parametrize("name", ["../../outside", "a" * 300, "a b", "$(touch x)", "{dataset}"])
def test_a_study_that_a_rule_hands_over_has_a_name(tmp_path: Path, name: str) -> None:
    settings = '{"dataset":{"name":"digits"}}'
    done = command("sagan-div", "data", "--settings", settings, "--study", name, cwd=tmp_path)
    assert done.returncode == 2
    assert "--study: " in done.line
    assert not list(tmp_path.iterdir())


def test_the_command_line_ends_with_status_2(tmp_path: Path) -> None:
    header = {"descr": "|u1", "fortran_order": False, "shape": (80 * 10**12, 1, 1, 1)}
    bomb = npz(tmp_path / "a.npz", "images", header)
    done = command("sagan-div", "fid", bomb, bomb, cwd=tmp_path)
    assert (done.returncode, done.line.startswith("sagan-div: ")) == (2, True)
