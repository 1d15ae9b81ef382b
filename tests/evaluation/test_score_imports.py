"""What data/ and evaluation/ import: little, and nothing of what stands above them."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import ROOT

PACKAGE = ROOT / "src" / "sagan_div"
BASE = {"errors", "files", "arrays", "settings", "terminal", "mirror", "image_files", "contents"}
HEAVY = {"torchvision", "pandas", "sklearn", "matplotlib", "scipy.stats", "pytorch_fid", "PIL"}


def imported(statements: str) -> set[str]:
    """The modules that a process of its own has loaded after these import statements."""
    line = f"{statements}\nimport sys; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", line], env={"PYTHONPATH": str(PACKAGE.parent)}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_a_score_needs_little_beside_torch() -> None:
    """Of every metric; Inception's network alone needs torchvision."""
    every = "[import_module(each.module) for each in chosen(METRICS, [32])]"
    found = imported(
        "import sagan_div.phases.score\nfrom importlib import import_module\n"
        f"from sagan_div.study.metrics import METRICS, chosen\n{every}"
    )
    assert not HEAVY & found


@pytest.mark.parametrize("module", ["study.metrics", "files", "evaluation.spaces.weights", "data.fetch"])
def test_what_only_reads_text_needs_no_arrays(module: str) -> None:
    assert not {"numpy", "torch"} & imported(f"import sagan_div.{module}")


def packages(path: Path) -> Iterator[str]:
    """The parts of our package that a module imports from."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "sagan_div":
            inside = node.module.split(".")[1:] or [alias.name for alias in node.names]
            yield inside[0]


@pytest.mark.parametrize(
    ("part", "below"),
    [("data", {"study", "data"}), ("evaluation", {"losses", "study", "data", "models", "training", "evaluation"})],
)
def test_a_part_imports_only_what_is_below_it(part: str, below: set[str]) -> None:
    found = {path: set(packages(path)) - BASE - below for path in (PACKAGE / part).rglob("*.py")}
    assert not {path: names for path, names in found.items() if names}
