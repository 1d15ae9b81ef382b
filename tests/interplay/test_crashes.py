"""Whatever is killed and whichever disk is full: the study ends with the numbers of an undisturbed run, and loses no cell."""

import base64
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from projects import Project, finished, start

from sagan_div.study import schema as config
from sagan_div.study.load import load
from sagan_div.workflow.jobs import jobs

pytestmark = pytest.mark.slow
COMMANDS = {"snakemake": ("snakemake", "--cores", "2", "--resources", "gpu=2"), "dvc": ("dvc", "repro")}
DEVICES = {"CUDA_VISIBLE_DEVICES": "a,b", "STANDIN_SECONDS": "0.4"}


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Project:
    return start(tmp_path_factory.mktemp("crashes") / "project")


@pytest.mark.parametrize("seed", range(20))
def test_after_a_kill_the_study_ends_as_if_nothing_had_happened(fresh: Project, tmp_path: Path, seed: int) -> None:
    draw = random.Random(seed)
    project = fresh.copy(tmp_path / "project")
    tool = draw.choice(sorted(COMMANDS))
    victim = draw.choice([tool, "snakemake", "sagan-div"])
    with launched(project, COMMANDS[tool], TMPDIR=str(tmp_path)) as running:
        time.sleep(draw.uniform(2, 12))
        family = [running, *running.children(recursive=True)]
        killed = [each for each in family if name(each) == victim][:1]
        for each in killed:
            each.kill()
        psutil.wait_procs(family, timeout=60)
    done = {path: path.read_text() for path in complete(project)}
    project.run("snakemake", "--unlock")  # the documented mend
    after = finished(project.run("dvc", "repro", TMPDIR=str(tmp_path), **DEVICES))
    assert project.metrics() == project.right()
    assert {path: path.read_text() for path in done} == done, f"{victim} killed, then again: {after}"
    project.idle()


@pytest.mark.skipif(os.geteuid() != 0, reason="a small file system needs root")
def test_a_full_disk_fails_one_cell_with_one_line(fresh: Project, tmp_path: Path) -> None:
    project = fresh.copy(tmp_path / "project")
    project.compute("train", "reference")
    small = project.path / "results/sample"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=48k", "tmpfs", small], check=True)
    try:
        failed = project.run("snakemake", "sample", "--cores", "1", "--keep-going", status=1, STANDIN_PADDING="10000")
        assert finished(failed).get("sample_cell") == 1
        lines = [log.read_text() for log in (project.path / "logs/main/sample").rglob("*.log") if log.stat().st_size]
        assert len(lines) == 1
        assert "cannot be written (No space left on device); free or choose another place" in lines[0]
        assert len(lines[0].splitlines()) == 1
        (whole,) = small.rglob("record.json")
        assert {path.parent for path in small.rglob("*") if path.is_file()} == {whole.parent}
        subprocess.run(["mount", "-o", "remount,size=1m", small], check=True)
        assert project.compute() == {"sample_cell": 1, "score_cell": 2, "report": 1}
        assert project.metrics() == project.right()
    finally:
        subprocess.run(["umount", small], check=True)


def launched(project: Project, words: tuple[str, ...], **environment: str) -> psutil.Popen:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    variables = os.environ | DEVICES | {"PATH": path, "PYTHONPATH": ""} | environment
    return psutil.Popen(words, cwd=project.path, env=variables, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def name(process: psutil.Process) -> str:
    """The command that a Python process runs."""
    try:
        return next((Path(word).name for word in process.cmdline()[:3] if Path(word).name in (*COMMANDS, "sagan-div")), "")
    except psutil.Error:
        return ""


def complete(project: Project) -> list[Path]:
    """The records of the jobs that Snakemake saw end; what an orphan ended after it is done again."""
    markers = (project.path / ".snakemake/incomplete").glob("*")
    unseen = {base64.urlsafe_b64decode(marker.name).decode() for marker in markers}
    records = [each.record for each in jobs(study(project))]
    return [project.path / path for path in records if (project.path / path).exists() and str(path) not in unseen]


def study(project: Project) -> config.Study:
    return load(project.path / "params.yaml")
