"""A project to play with: a copy of this one with a small study, whose jobs the stand-in does in no time."""

import importlib.util
import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import yaml

from sagan_div.study.load import load
from sagan_div.workflow import plan
from support import ROOT, Run, command

STANDIN = Path(__file__).with_name("standin")
PLACES = {
    "torch.py": "torch.py",
    "arithmetic.py": "sagan_div/arithmetic.py",
    "phases.py": "sagan_div/phases/__init__.py",
    "writing.py": "sagan_div/report/writing.py",
}
LISTED = (
    *("params.yaml", "workflow", "profiles", "src"),
    *("dvc.yaml", ".dvc/config", ".dvc/plots", ".dvcignore", ".gitignore"),
)
# the jobs of the small study
ALL = {"fetch": 1, "classifier": 1, "statistics": 1, "floor": 1, "cell": 2, "draw": 2, "measure": 2, "report": 1}
EDITED = {"cell": 1, "draw": 1, "measure": 1, "report": 1}  # what one learning rate touches
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
    return dict(Counter(rule for rule in rules if rule not in plan.PHASES[:-1]))


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
        return {rule: int(count) for rule, count in rows if rule != "total"}

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
        before = Path.cwd()
        os.chdir(self.path)
        try:
            study, texts = load(Path("params.yaml")), {}
            for phase in plan.PHASES[:-1]:
                for job in plan.jobs(study, phase):
                    texts |= arithmetic.contents(job, texts)
            scores = {path: texts[path] for job in plan.jobs(study, "score") for path in job.outputs.values()}
            return {
                f"{dataset.name}/{method}": arithmetic.mean(study, dataset.name, method, scores)
                for dataset in study.datasets
                for method in study.methods
            }
        finally:
            os.chdir(before)

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


def start(path: Path, *, computing: bool = False) -> Project:
    """A project before its first run, as a git repository with a DVC remote beside it; `computing` leaves out the stand-in."""
    for name in LISTED:
        source, target = ROOT / name, path / name
        target.parent.mkdir(parents=True, exist_ok=True)
        skip = shutil.ignore_patterns("__pycache__", "*.egg-info")
        shutil.copytree(source, target, ignore=skip) if source.is_dir() else shutil.copy(source, target)
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
