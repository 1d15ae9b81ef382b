"""The study on a cluster: a real Slurm on loopback, whose jobs are cancelled and whose node fails in the middle."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cluster import Cluster, lacking, until

sys.path.append(str(Path(__file__).parent.parent / "interplay"))
from projects import Project, start

pytest.importorskip("snakemake_executor_plugin_slurm", reason="snakemake-executor-plugin-slurm is not installed")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(lacking() is not None, reason=str(lacking()))]
ON_CLUSTER = (
    *("--profile", "profiles/slurm", "--slurm-status-command", "squeue"),
    *("--slurm-init-seconds-before-status-checks", "2"),
)
SMALL_JOBS = ("--default-resources", "device=cpu", "mem_mb=500", "runtime=5")
SIGNAL = "slurm_extra='--signal=TERM@120'"  # the profile's own, which --default-resources would replace


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    running = Cluster(tmp_path_factory.mktemp("slurm"))
    running.start()
    yield running
    running.stop()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return start(tmp_path / "project")


def submit(project: Project, cluster: Cluster, *words: str, **environment: str) -> subprocess.Popen[str]:
    """Snakemake on the login node, at work."""
    path = f"{cluster.folder}/bin:{Path(sys.executable).parent}:{cluster.environment['PATH']}"
    variables = os.environ | cluster.environment | {"PATH": path, "PYTHONPATH": ""} | environment
    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(["snakemake", *words, *ON_CLUSTER], cwd=project.path, env=variables, **pipe)  # type: ignore[call-overload,no-any-return]


def test_a_cancelled_job_and_a_failed_node_cost_no_result(project: Project, cluster: Cluster) -> None:
    project.compute("reference")
    snakemake = submit(project, cluster, *SMALL_JOBS, STANDIN_SECONDS="8")
    until(lambda: cluster.running("train_cell"), "a cell on the cluster", 240)
    cluster("scancel", cluster.running("train_cell")[0])
    until(lambda: cluster.running("sample_cell"), "samples on the cluster", 240)
    cluster.down()
    cluster("scontrol", "update", f"NodeName={cluster.node}", "State=DOWN", "Reason=test")
    cluster.up()
    cluster("scontrol", "update", f"NodeName={cluster.node}", "State=RESUME")
    said, _ = snakemake.communicate(timeout=400)
    assert snakemake.returncode == 0, said
    assert "Trying to restart" in said
    assert project.metrics() == project.right()
    assert project.planned() == {}


def test_a_node_without_the_gpu_that_jobs_compute_on_is_told_of_once(project: Project, cluster: Cluster) -> None:
    """As where Slurm gives a GPU that PyTorch cannot use: no job takes the CPU in its place, and none is tried again."""
    project.compute("reference")
    resources = ("device=cuda", "gpu=0", "mem_mb=500", "runtime=5")
    snakemake = submit(project, cluster, "train", "--default-resources", *resources)
    said, _ = snakemake.communicate(timeout=400)
    assert snakemake.returncode == 1, said
    told = [line for line in said.splitlines() if "--device cuda: PyTorch 0+cpu is built without CUDA; " in line]
    assert [line for line in told if line.startswith("train digits dcgan seed 0: ")], said
    assert "Trying to restart" not in said
    project.compute("train")


def test_training_outlives_its_time_limit(tmp_path: Path, cluster: Cluster) -> None:
    """Real training under a limit that is too short: SIGTERM, a saved state, a longer job that continues, the same bits."""
    undisturbed = start(tmp_path / "undisturbed", computing=True)
    undisturbed.study(_long_training)
    undisturbed.compute("reference")
    project = undisturbed.copy(tmp_path / "project")
    snakemake = submit(
        project, cluster, "train", "--default-resources", "device=cpu", "mem_mb=1000", "runtime=3 * attempt", SIGNAL
    )
    undisturbed.compute("train")
    said, _ = snakemake.communicate(timeout=900)
    assert snakemake.returncode == 0, said
    assert "Trying to restart" in said
    log = (project.path / "logs/main/train/digits/dcgan/seed0.log").read_text()  # of the second job
    assert 0 < log.count("in the classifier's space") < 20  # ratings; the first job had the others
    for name in ("best.safetensors", "last.safetensors", "history.csv", "growth.png"):
        (ours,), (theirs,) = ([*each.path.glob(f"results/train/*/*/*/{name}")] for each in (project, undisturbed))
        assert ours.read_bytes() == theirs.read_bytes()


def _long_training(values: dict[str, Any]) -> None:
    values["methods"] = {"dcgan": values["methods"]["dcgan"]}
    values["train"] |= {"images": 400_000, "rating_count": 50}
    values["classifier"] |= {"epochs": 1}
    values["score"]["reference"] |= {"count": 50}
