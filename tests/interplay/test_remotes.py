"""Results travel over a remote: here S3, spoken to a server on loopback."""

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from projects import ALL, start

pytest.importorskip("dvc_s3", reason="dvc-s3 is not installed")
SERVER = shutil.which("moto_server")
KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}


@pytest.fixture
def s3(tmp_path: Path) -> Iterator[str]:
    """The URL of an S3 server with an empty bucket `results`."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with (tmp_path / "s3.log").open("w") as log:
        server = subprocess.Popen([str(SERVER), "-H", "127.0.0.1", "-p", str(port)], stdout=log, stderr=log)
    bucket = urllib.request.Request(f"{url}/results", method="PUT")
    for _ in range(100):
        try:
            urllib.request.urlopen(bucket).close()
            break
        except OSError:
            time.sleep(0.3)
    yield url
    server.terminate()
    server.wait()


@pytest.mark.slow
@pytest.mark.skipif(SERVER is None, reason="moto's server is not installed")
def test_results_travel_over_s3(s3: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in KEYS.items():
        monkeypatch.setitem(os.environ, name, value)
    project = start(tmp_path / "project")
    project.run("dvc", "remote", "add", "--local", "--default", "cloud", "s3://results/sagan-div")
    project.run("dvc", "remote", "modify", "--local", "cloud", "endpointurl", s3)
    assert project.compute() == ALL
    assert project.repro() == {}  # DVC records what Snakemake has made
    project.commit("computed")
    project.run("dvc", "push", "-q")
    clone = project.clone(tmp_path / "clone")
    clone.run("dvc", "pull", "-q")
    clone.idle()
