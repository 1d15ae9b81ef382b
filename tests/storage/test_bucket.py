"""A bucket seen through Snakemake's storage, without a run of it."""

import hashlib
from pathlib import Path
from types import SimpleNamespace

import pytest
from buckets import FOLDER, Objects
from snakemake.logging import logger
from snakemake_interface_storage_plugins.registry import StoragePluginRegistry

from sagan_div.errors import UserError
from sagan_div.workflow.bucket import SMALL, Bucket
from sagan_div.workflow.snakemake_storage import Storage, root_of

RESULTS = Path("results")
METRICS = RESULTS / "score/metrics.json"


@pytest.fixture
def objects(s3: str) -> Objects:
    return Objects.new(s3)


def seen(objects: Objects, tmp_path: Path, prefix: str | None = None) -> Bucket:
    plugin = StoragePluginRegistry().get_plugin("s3")
    settings = plugin.settings_cls(endpoint_url=objects.url, access_key="test", secret_key="test")
    provider = plugin.storage_provider(local_prefix=tmp_path / "s3", logger=logger, settings=settings, is_default=True)
    workflow = SimpleNamespace(
        storage_settings=SimpleNamespace(default_storage_prefix=prefix or f"s3://{objects.bucket}/{FOLDER}"),
        storage_registry=SimpleNamespace(default_storage_provider=provider),
    )
    return Bucket(Storage(workflow), [RESULTS])


def test_what_is_there_is_told_by_one_listing(objects: Objects, tmp_path: Path) -> None:
    objects.put(str(METRICS), b"12345")
    objects.put("results-of-others/score/metrics.json", b"")
    bucket = seen(objects, tmp_path)
    assert bucket.exists(METRICS)
    assert not bucket.exists(RESULTS / "score")
    assert not bucket.exists(Path("results-of-others/score/metrics.json"))
    objects.delete(str(METRICS))
    assert bucket.exists(METRICS)  # it was not asked again
    assert not seen(objects, tmp_path).exists(METRICS)


@pytest.mark.parametrize("ending", ["", "/"])
def test_a_bucket_needs_no_folder(objects: Objects, tmp_path: Path, ending: str) -> None:
    objects._s3.put_object(Bucket=objects.bucket, Key=str(METRICS), Body=b"12345")
    bucket = seen(objects, tmp_path, f"s3://{objects.bucket}{ending}")
    assert bucket.read([METRICS]) == {METRICS: b"12345"}


def test_a_file_is_another_by_its_size_or_by_the_bytes_that_were_read(objects: Objects, tmp_path: Path) -> None:
    objects.put(str(METRICS), b"12345")
    bucket, digest = seen(objects, tmp_path), hashlib.sha256(b"12345").hexdigest()
    with bucket.comparing([]) as is_other:
        assert not is_other(METRICS, digest, 5)
        assert not is_other(METRICS, digest, None)  # of a record that tells no size
        assert is_other(METRICS, digest, 6)
        assert is_other(METRICS, None, 5)
        assert bucket.read([METRICS, RESULTS / "none.json"]) == {METRICS: b"12345"}
        assert is_other(METRICS, "0" * 64, 5)
        assert not is_other(METRICS, digest, 6)


def test_small_files_are_read_and_large_ones_are_not(objects: Objects, tmp_path: Path) -> None:
    large = RESULTS / "large.safetensors"
    objects.put(str(METRICS), b"54321")
    objects.put(str(large), bytes(SMALL + 1))
    bucket = seen(objects, tmp_path)
    with bucket.comparing([METRICS, large, RESULTS / "none.json"]) as is_other:
        assert is_other(METRICS, hashlib.sha256(b"12345").hexdigest(), 5)
        assert not is_other(large, "0" * 64, SMALL + 1)


@pytest.mark.slow
def test_more_objects_than_a_page_of_a_listing_has(objects: Objects, tmp_path: Path) -> None:
    for number in range(1100):
        objects.put(f"results/{number}", b"")
    bucket = seen(objects, tmp_path)
    assert all(bucket.exists(RESULTS / str(number)) for number in range(1100))


def test_a_bucket_that_is_not_there_is_empty(objects: Objects, tmp_path: Path) -> None:
    assert not seen(objects, tmp_path, "s3://none-of-this-name/folder").exists(METRICS)


def test_copies_that_are_not_what_the_bucket_has_are_deleted(objects: Objects, tmp_path: Path) -> None:
    bucket = seen(objects, tmp_path)
    ours, other = (tmp_path / "s3" / objects.bucket / FOLDER / "results" / name for name in ("ours", "other"))
    for copy in (ours, other):
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(b"12345")
    digest = hashlib.sha256(b"12345").hexdigest()
    bucket.prepare({RESULTS / "ours": digest, RESULTS / "other": "0" * 64, RESULTS / "none": digest})
    assert (ours.exists(), other.exists()) == (True, False)


def test_jobs_are_rooted_where_snakemake_keeps_copies() -> None:
    assert root_of("results/x.json", Path("results/x.json")) == Path()
    assert root_of(".snakemake/storage/s3/b/f/results/x.json", Path("results/x.json")) == Path(".snakemake/storage/s3/b/f")
    assert root_of("/scratch/b/results/x.json", Path("results/x.json")) == Path("/scratch/b")
    with pytest.raises(UserError, match=r"results/x\.json: the default storage calls its copy"):
        root_of("/scratch/0a1b2c", Path("results/x.json"))
