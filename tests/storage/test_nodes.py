"""Nodes that share nothing: a job starts in a folder of its own, by the words of Snakemake's executors for clouds."""

from pathlib import Path

import pytest
from buckets import WorkingFolder
from projects import Project

CELL = "dataset=digits,method=dcgan,seed=0"
NODE = (  # as `RealExecutor.format_job_exec` and `SpawnedJobArgsFactory.general_args` have them
    *("--mode", "remote", "--shared-fs-usage", "none", "--force", "--target-files-omit-workdir-adjustment", "--nolock"),
    *("--ignore-incomplete", "--max-inventory-time", "0", "--retries", "0", "--cores", "1", "--local-storage-prefix"),
)


def on_a_node(folder: WorkingFolder, to: Path, target: str) -> WorkingFolder:
    node, objects = folder.checkout(to), folder.objects
    storage = ("--default-storage-provider", "s3", "--default-storage-prefix", objects.prefix)
    job = ("--target-jobs", target, "--allowed-rules", target.partition(":")[0])
    words = (*job, *NODE, to / "its disk", *storage, "--storage-s3-endpoint-url", objects.url)
    Project(node.path).run("snakemake", *words)  # executors hand over what they need of a profile
    return node


@pytest.mark.slow
def test_jobs_of_one_cell_run_on_a_node_each(fresh: WorkingFolder, tmp_path: Path) -> None:
    before = fresh.metrics()
    fresh.faster()
    nodes = [
        on_a_node(fresh, tmp_path / rule, f"{rule}:{about}")
        for rule, about in (("train_cell", CELL), ("sample_cell", CELL), ("score_cell", CELL), ("report", ""))
    ]
    fresh.idle()
    assert fresh.metrics() != before
    assert not [path for node in nodes for name in ("results", "data", "logs") for path in node.path.glob(name)]
    assert "logs/main/train/digits/dcgan/seed0.log" in fresh.objects.names("logs/")


@pytest.mark.slow
def test_a_file_of_the_users_that_no_node_has_is_refused(fresh: WorkingFolder) -> None:
    pytest.importorskip("snakemake_executor_plugin_kubernetes", reason="Snakemake's executor for Kubernetes is not installed")
    network = {"name": "own", "file": "own.pt", "size": 32, "channels": 1, "range": [0, 1], "sha256": "0" * 64}
    (fresh.path / "own.pt").write_bytes(b"")
    fresh.study(lambda values: values["score"].update(extractors=["classifier", network]))
    assert fresh.planned()["reference_statistics"] == 1
    refused = fresh.run(
        "snakemake", "--executor", "kubernetes", "--jobs", "1", status=2
    )  # none is called before there is a plan
    assert (
        refused.stderr.splitlines()[-1] == "snakemake: own.pt: is not on the nodes; use a profile whose nodes share this folder"
    )
