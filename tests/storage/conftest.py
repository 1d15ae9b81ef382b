"""A bucket on loopback, and a study in it."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "interplay"))
pytest.importorskip("snakemake_storage_plugin_s3", reason="Snakemake's storage plugin for S3 is not installed")
moto = pytest.importorskip("moto.server", reason="moto's server is not installed")

from buckets import KEYS, Objects, WorkingFolder  # noqa: E402 (where `projects` is found is said above)


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The URL of an S3 server."""
    before = {name: os.environ.get(name) for name in KEYS}
    os.environ |= KEYS
    server = moto.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()
    for name, value in before.items():
        os.environ.pop(name) if value is None else os.environ.update({name: value})


@pytest.fixture(scope="session")
def project(s3: str, tmp_path_factory: pytest.TempPathFactory) -> WorkingFolder:
    """The small study before its first run, with a profile that names an empty bucket."""
    return WorkingFolder.first(tmp_path_factory.mktemp("storage") / "project", Objects.new(s3))


@pytest.fixture(scope="session")
def full(project: WorkingFolder) -> WorkingFolder:
    """Its bucket has all of its results."""
    project.fill()
    return project


@pytest.fixture
def fresh(full: WorkingFolder, tmp_path: Path) -> WorkingFolder:
    """A fresh checkout: the working folder knows nothing of what was made, a bucket of its own has it all."""
    return full.checkout(tmp_path / "project", full.objects.copied())
