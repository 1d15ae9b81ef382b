"""Fetching, verifying and decoding: from a folder, over HTTP on loopback, and everything that can be wrong with it."""

import http.server
import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torchvision

from sagan_div.data import sources
from sagan_div.data.images import Split
from sagan_div.errors import UserError
from sagan_div.study.schema import DatasetConfig
from support import OFFICIAL, md5s


def load(name: str, mirror: Path | str | None = None) -> dict[str, Split]:
    return sources.load(DatasetConfig(name=name), None if mirror is None else str(mirror), lambda text: None)


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


@pytest.mark.parametrize("how", ["cut", "no HTTP"])
def test_a_host_that_fails_is_one_line_and_the_next_one_serves(how: str, small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pytorch/vision#8752: a connection that is closed in the middle of a file."""
    monkeypatch.delenv("SAGAN_DIV_MIRROR", raising=False)

    def start(fails: bool) -> str:
        class Host(http.server.BaseHTTPRequestHandler):
            def log_message(self, *words: object) -> None:
                pass

            def do_GET(self) -> None:
                content = (small / "mnist" / self.path.rsplit("/", 1)[-1]).read_bytes()
                if fails and how == "no HTTP":
                    self.wfile.write(b"220 ready\r\n\r\n")
                else:
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(content)))
                    self.end_headers()
                    self.wfile.write(content[: len(content) // 2] if fails else content)
                self.close_connection = True

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Host)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}/"

    bad = start(fails=True)
    for mirror in (bad, bad + "my mirror"):
        with pytest.raises(UserError, match="mnist: cannot fetch train-images"):
            load("mnist", mirror)
    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", [bad, start(fails=False)])
    assert len(load("mnist")["train"].images) == 40


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
