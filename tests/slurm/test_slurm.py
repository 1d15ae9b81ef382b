"""The study on a cluster: a real Slurm on loopback, whose jobs are cancelled and whose node fails in the middle."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cluster import Cluster, lacking, until

sys.path.append(str(Path(__file__).parent.parent / "interplay"))
from projects import Project, start

pytest.importorskip("snakemake_executor_plugin_slurm", reason="snakemake-executor-plugin-slurm is not installed")
pytestmark = [pytest.mark.slow, pytest.mark.skipif(lacking() is not None, reason=str(lacking()))]
ON_CLUSTER = (
    *("snakemake", "--profile", "profiles/slurm", "--slurm-status-command", "squeue"),
    *("--slurm-init-seconds-before-status-checks", "2", "--default-resources", "mem_mb=500", "runtime=5"),
    *("--set-resources", *(f"{rule}:gpu=0" for rule in ("classifier", "statistics", "cell", "draw", "measure"))),
)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    running = Cluster(tmp_path_factory.mktemp("slurm"))
    running.start()
    yield running
    running.stop()


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return start(tmp_path / "project")


def submit(project: Project, cluster: Cluster, **environment: str) -> subprocess.Popen[str]:
    """Snakemake on the login node, at work."""
    path = f"{cluster.folder}/bin:{Path(sys.executable).parent}:{cluster.environment['PATH']}"
    variables = os.environ | cluster.environment | {"PATH": path, "PYTHONPATH": ""} | environment
    pipe = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    return subprocess.Popen(ON_CLUSTER, cwd=project.path, env=variables, **pipe)  # type: ignore[call-overload,no-any-return]


def test_a_cancelled_job_and_a_failed_node_cost_no_result(project: Project, cluster: Cluster) -> None:
    project.compute("reference")
    snakemake = submit(project, cluster, STANDIN_SECONDS="8")
    until(lambda: cluster.running("cell"), "a cell on the cluster", 240)
    cluster("scancel", cluster.running("cell")[0])
    until(lambda: cluster.running("draw"), "samples on the cluster", 240)
    cluster.down()
    cluster("scontrol", "update", f"NodeName={cluster.node}", "State=DOWN", "Reason=test")
    cluster.up()
    cluster("scontrol", "update", f"NodeName={cluster.node}", "State=RESUME")
    said, _ = snakemake.communicate(timeout=400)
    assert snakemake.returncode == 0, said
    assert "Trying to restart" in said
    assert project.metrics() == project.right()
    assert project.planned() == {}
