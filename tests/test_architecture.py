"""The package's shape: arrows between wings point downward, modules and functions stay small, and starting is quick."""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import ROOT, TINY, copy_project

PACKAGE = ROOT / "src/sagan_div"
WINGS = (  # from the ground up; each imports from wings below it, and those of one line from each other's only where said
    ("base",),
    ("losses",),
    ("study",),
    ("workflow", "data"),
    ("models",),
    ("training", "evaluation"),
    ("report",),
    ("phases",),
    ("cli",),
)
FLOOR = {wing: number for number, wings in enumerate(WINGS) for wing in wings}
HEAVY = {"torch", "torchvision", "scipy", "sklearn", "matplotlib"}


def modules() -> dict[str, ast.Module]:
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts).removesuffix(".__init__")
        found[name] = ast.parse(path.read_text(encoding="utf-8"))
    return found


MODULES = modules()


def imported(tree: ast.AST) -> Iterator[str]:
    """The modules of the package that a module imports, wherever in it."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "sagan_div":
            base = node.module.removeprefix("sagan_div").lstrip(".")
            for alias in node.names:
                inside = f"{base}.{alias.name}".lstrip(".")
                yield inside if inside in MODULES else base
        elif isinstance(node, ast.Import):
            yield from (alias.name.removeprefix("sagan_div.") for alias in node.names if alias.name.startswith("sagan_div."))


def wing(module: str) -> str:
    first = module.split(".")[0]
    if first == "config":  # a door for notebooks
        return "cli"
    return first if first in FLOOR and (PACKAGE / first).is_dir() else "base"


@pytest.mark.parametrize("module", [name for name in MODULES if name not in ("", "__init__")])
def test_arrows_point_downward(module: str) -> None:
    ours = wing(module)
    for other in set(imported(MODULES[module])):
        theirs = wing(other)
        assert theirs == ours or FLOOR[theirs] < FLOOR[ours], f"{module} ({ours}) imports {other} ({theirs})"


def test_no_imports_go_in_circles() -> None:
    edges = {name: {other for other in imported(tree) if other != name} for name, tree in MODULES.items()}
    while edges:
        leaves = {name for name, others in edges.items() if not others & edges.keys()}
        assert leaves, f"in a circle: {sorted(edges)}"
        edges = {name: others for name, others in edges.items() if name not in leaves}


def test_modules_and_functions_stay_small() -> None:
    for path in PACKAGE.rglob("*.py"):
        assert len(path.read_text(encoding="utf-8").splitlines()) <= 300, path
    for name, tree in MODULES.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert (node.end_lineno or 0) - node.lineno < 40, f"{name}.{node.name}"


SCRIPT = """
import sys
from sagan_div.cli.main import main
sys.argv = ["sagan-div", *sys.argv[1:]]
try:
    main()
except SystemExit as stop:
    assert stop.code in (0, None), stop.code
print("loaded:", *sorted({name.partition(".")[0] for name in sys.modules}))
"""


@pytest.fixture(scope="module")
def computed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the tiny study computed."""
    folder = tmp_path_factory.mktemp("quick") / "project"
    copy_project(folder)
    (folder / "tiny.yaml").write_text(TINY)
    words = ["snakemake", "--cores", "2", "--configfile", "tiny.yaml", "--quiet", "all"]
    subprocess.run(words, cwd=folder, env=surroundings(folder), check=True, capture_output=True)
    return folder


def surroundings(folder: Path) -> dict[str, str]:
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return os.environ | {"PATH": path, "PYTHONPATH": str(folder / "src")}


def loaded(folder: Path, script: str, *words: str, **more: str) -> set[str]:
    done = subprocess.run(
        [sys.executable, "-c", script, *words], cwd=folder, env=surroundings(folder) | more, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split()[1:])


@pytest.mark.parametrize(
    "words",
    [
        ("--help",),
        ("train", "--help"),
        ("summary", "--overlay", "tiny.yaml"),
        ("compare", "results/tiny", "results/tiny"),
        ("prune", "--overlay", "tiny.yaml"),
        ("check", "--overlay", "tiny.yaml"),
        ("adopt", "workflow/overlays/full.yaml"),
    ],
    ids=lambda words: words[0],
)
def test_commands_that_compute_nothing_load_nothing_heavy(computed: Path, words: tuple[str, ...]) -> None:
    params = (computed / "params.yaml").read_text()
    try:
        assert loaded(computed, SCRIPT, *words) & HEAVY == set()
    finally:
        (computed / "params.yaml").write_text(params)


def test_completion_loads_nothing_heavy(computed: Path) -> None:
    script = SCRIPT.replace("main()\n", "main()\n", 1).replace("stop.code in (0, None)", "True")
    words = {"_SAGAN_DIV_COMPLETE": "bash_complete", "COMP_WORDS": "sagan-div train --method ", "COMP_CWORD": "3"}
    done = loaded(computed, script.replace('["sagan-div", *sys.argv[1:]]', '["sagan-div"]'), **words)
    assert done & HEAVY == set()


def test_parsing_the_workflow_loads_nothing_heavy(computed: Path) -> None:
    script = """
import sys
from snakemake.cli import main
try:
    main(["-n", "--quiet", "all", "--configfile", "tiny.yaml"])
except SystemExit as stop:
    assert stop.code in (0, None), stop.code
print("loaded:", *sorted({name.partition(".")[0] for name in sys.modules}))
"""
    found = loaded(computed, script)
    assert "sagan_div" in found
    assert found & {"torch", "torchvision", "scipy", "sklearn"} == set()


def test_a_job_loads_little_beside_torch(computed: Path) -> None:
    """What only other jobs need: plotting, tables, torchvision."""
    for work in ("train", "sample", "score"):
        script = f"import sys, sagan_div.phases.run, sagan_div.phases.{work}\n" + SCRIPT.splitlines()[-1]
        assert loaded(computed, script) & {"torchvision", "matplotlib", "pandas", "sklearn", "snakemake", "dvc"} == set(), work
