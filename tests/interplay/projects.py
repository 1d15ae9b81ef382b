"""A project to play with: a copy of this one with a small study, whose jobs the stand-in does in no time."""

import importlib.util
import json
import os
import re
import shutil
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from sagan_div.study.load import load
from sagan_div.workflow import fingerprint
from sagan_div.workflow.jobs import jobs
from sagan_div.workflow.kinds import PHASES
from support import Run, command, copy_project

STANDIN = Path(__file__).with_name("standin")
PLACES = {"torch.py": "torch.py", "arithmetic.py": "sagan_div/arithmetic.py", "run.py": "sagan_div/phases/run.py"}
CELL_JOBS = ("train_cell", "sample_cell", "score_cell")
ALL = {
    **dict.fromkeys(("fetch_data", "train_classifier", "reference_statistics", "real_vs_real"), 1),
    **dict.fromkeys(CELL_JOBS, 2),
    "report": 1,
}
EDITED = dict.fromkeys((*CELL_JOBS, "report"), 1)  # what one learning rate touches
TARGETS = ("all", "study", *PHASES[:-1])  # rules that only gather others
SMALL = {"datasets": ["digits"], "seeds": [0], "image_size": 16, "width": 8}


def _arithmetic() -> ModuleType:
    spec = importlib.util.spec_from_file_location("arithmetic", STANDIN / "arithmetic.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


arithmetic = _arithmetic()


def finished(done: Run) -> dict[str, int]:
    """How many jobs of each rule Snakemake reported as finished; the phases' own targets are no jobs."""
    rules = re.findall(r"Finished jobid: \d+ \(Rule: (\w+)\)", done.stdout + done.stderr)
    return dict(Counter(rule for rule in rules if rule not in TARGETS))


@dataclass(frozen=True)
class Project:
    """A working tree with its git repository and DVC cache."""

    path: Path

    def run(self, *words: object, status: int | None = 0, **environment: str) -> Run:
        """A command in the project; fails the test when its exit status is another."""
        done = command(*words, cwd=self.path, **{"PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": "1"} | environment)
        assert status is None or done.returncode == status, f"{words}\n{done.stdout}\n{done.stderr}"
        return done

    def jobs(self, *words: object, **environment: str) -> dict[str, int]:
        """How many jobs of each rule a command did."""
        done = self.run(*words, **environment)
        return finished(done)

    def planned(self, *words: str) -> dict[str, int]:
        """The jobs that a dry run of Snakemake announces."""
        done = self.run("snakemake", "-n", "--quiet", "rules", *words)
        rows = re.findall(r"^(\w+) +(\d+)$", done.stdout + done.stderr, re.M)
        return {rule: int(count) for rule, count in rows if rule not in ("total", *TARGETS)}

    def repro(self) -> dict[str, int]:
        return self.jobs("dvc", "repro", REPRO_PROFILE="profiles/ci")

    def compute(self, *words: str) -> dict[str, int]:
        return self.jobs("snakemake", *words, "--cores", "2", "--quiet", "rules")

    def commit(self, message: str) -> None:
        self.run("git", "add", "-A")
        self.run("git", "commit", "-qm", message)

    def study(self, change: Callable[[dict[str, Any]], object]) -> None:
        """Edit params.yaml."""
        file = self.path / "params.yaml"
        values = yaml.safe_load(file.read_text())
        change(values)
        file.write_text(yaml.safe_dump(values, sort_keys=False))

    def faster(self, method: str = "dcgan", rate: float = 0.5) -> None:
        """The edit of most tests: another learning rate for one method."""
        self.study(lambda values: values["methods"][method]["optimiser"].update(lr_critic=rate))

    def metrics(self) -> dict[str, Any]:
        """What lies in results/metrics."""
        files = sorted((self.path / "results/metrics").rglob("*.json"))
        return {"/".join(file.with_suffix("").parts[-2:]): json.loads(file.read_text()) for file in files}

    def right(self) -> dict[str, Any]:
        """What must lie there: the arithmetic of params.yaml, without Snakemake, DVC or anything made before."""
        with inside(self.path):
            study, texts = load(Path("params.yaml")), {}
            for job in jobs(study):
                texts |= arithmetic.contents(job, texts)
            scores = {path: texts[path] for job in jobs(study, "score") for path in job.outputs.values()}
            return {
                f"{dataset.name}/{method}": arithmetic.mean(study, dataset.name, method, scores)
                for dataset in study.datasets
                for method in study.methods
            }

    def edit(self, module: str, text: str = "\nANOTHER = 1\n") -> None:
        """Append to a module of the package, and write down what its code means now, as the pre-commit hook asks for."""
        file = self.path / "src/sagan_div" / module
        file.write_text(file.read_text() + text)
        self.run("sagan-div", "fingerprint", PYTHONPATH="src")

    def idle(self) -> None:
        """Both tools say that there is nothing to do, and the numbers are right."""
        assert self.planned() == {}
        done = self.run("dvc", "repro")
        assert "Data and pipelines are up to date" in done.stdout + done.stderr
        assert self.metrics() == self.right()

    def copy(self, to: Path) -> "Project":
        """All of it, with caches and dates."""
        shutil.copytree(self.path, to, symlinks=True)
        return Project(to)

    def clone(self, to: Path) -> "Project":
        """What git holds, with the same remote."""
        self.run("git", "clone", "-q", self.path, to)
        shutil.copy(self.path / ".dvc/config.local", to / ".dvc/config.local")
        return _user(Project(to))


@contextmanager
def inside(path: Path) -> Iterator[None]:
    """In a project's folder, with the code that lies there."""
    before, package = Path.cwd(), fingerprint.PACKAGE
    os.chdir(path)
    try:
        fingerprint.PACKAGE = path / "src/sagan_div"
        fingerprint.forget()
        yield
    finally:
        os.chdir(before)
        fingerprint.PACKAGE = package
        fingerprint.forget()


def start(path: Path, *, computing: bool = False) -> Project:
    """A project before its first run, as a git repository with a DVC remote beside it; `computing` leaves out the stand-in."""
    copy_project(path)
    for name, place in () if computing else PLACES.items():
        shutil.copy(STANDIN / name, path / "src" / place)
    project = Project(path)
    project.study(_shrink)
    project.run("git", "init", "-q")
    project.run("dvc", "remote", "add", "--local", "--default", "store", path.with_name("store"))
    _user(project).commit("start")
    return project


def _shrink(values: dict[str, Any]) -> None:
    values["methods"] = {name: values["methods"][name] for name in ("dcgan", "sagan-div-d")}
    values["score"] |= {"extractors": ["classifier"]}
    values |= SMALL


def _user(project: Project) -> Project:
    for key, value in (("user.email", "test@example.org"), ("user.name", "test")):
        project.run("git", "config", key, value)
    return project


def environment(**variables: str) -> dict[str, str]:
    """The surroundings of a command that a test starts and does not wait for."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return os.environ | {"PATH": path, "PYTHONPATH": "", "PYTHONDONTWRITEBYTECODE": "1"} | variables


def wait_for(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait until a condition holds; fails the test where it does not in time."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)
