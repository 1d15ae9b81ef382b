"""What several tests share: the archives of a small dataset on a loopback server, and a copy of the project to work in."""

import functools
import gzip
import http.server
import runpy
import threading
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
from threadpoolctl import threadpool_limits

from sagan_div.evaluation.spaces.weights import WEIGHTS
from support import ROOT, TINY, copy_project, digits


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)
    threadpool_limits(1, "blas")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy of the project's own files, with the tiny study beside them."""
    copy = copy_project(tmp_path / "project")
    (copy / "tiny.yaml").write_text(TINY)
    return copy


def _idx(array: np.ndarray) -> bytes:
    header = bytes([0, 0, 8, array.ndim]) + b"".join(n.to_bytes(4, "big") for n in array.shape)
    return gzip.compress(header + array.astype(np.uint8).tobytes(), mtime=0)


@pytest.fixture(scope="session")
def small_archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Archives in MNIST's layout, with 40 and 20 images."""
    folder, random = tmp_path_factory.mktemp("archives") / "mnist", np.random.default_rng(0)
    folder.mkdir()
    for name, count in (("train", 40), ("t10k", 20)):
        (folder / f"{name}-images-idx3-ubyte.gz").write_bytes(_idx(random.integers(0, 256, (count, 28, 28))))
        (folder / f"{name}-labels-idx1-ubyte.gz").write_bytes(_idx(np.arange(count) % 10))
    return folder.parent


@pytest.fixture
def serve() -> Iterator[object]:
    """A function that serves a folder over HTTP on loopback and returns its URL."""
    servers: list[http.server.ThreadingHTTPServer] = []

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:
            pass

    def start(folder: Path) -> str:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture(scope="session")
def _s3() -> Iterator[str]:
    """The URL of an S3 server on loopback."""
    server = pytest.importorskip("moto.server", reason="moto's server is not installed").ThreadedMotoServer("127.0.0.1", 0)
    server.start()
    yield "http://{}:{}".format(*server.get_host_and_port())
    server.stop()


@pytest.fixture
def bucket(_s3: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty bucket, which commands reach by its URL."""
    pytest.importorskip("s3fs", reason="s3fs is not installed")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", _s3)
    for path, method in (("moto-api/reset", "POST"), ("study", "PUT")):
        urllib.request.urlopen(urllib.request.Request(f"{_s3}/{path}", method=method)).close()
    return "s3://study"


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A seeded random Inception in the layout of the real one, under its name, where the pytorch-fid command looks for it."""
    pytest.importorskip("pytorch_fid")
    path = tmp_path_factory.mktemp("torch") / "hub" / "checkpoints" / WEIGHTS.name
    path.parent.mkdir(parents=True)
    runpy.run_path(str(ROOT / "benchmarks" / "scoring.py"))["random_inception"](path, digits(64)[0][:6])
    assert len(torch.load(path, weights_only=True)) == 566  # as in the real file
    return path
