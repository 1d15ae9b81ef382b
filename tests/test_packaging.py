"""What is installed and what is stated about it: version, dependencies, locks, wheel, checkouts, and a host's own files."""

import ast
import json
import platform
import re
import shutil
import sys
import tomllib
import zipfile
from importlib.metadata import distribution, packages_distributions
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

import sagan_div
from sagan_div.report import paper
from support import ROOT, command

PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
PROJECT = PYPROJECT["project"]
EXTRAS = PROJECT["optional-dependencies"]
EVERYTHING = [line for lines in EXTRAS.values() for line in lines]
OPTIONAL = ("study", "onnx", "hub", "tensorboard", "s3")  # extras whose packages the code imports where it needs them
SOURCES = ROOT / "src" / "sagan_div"
CITATION = yaml.safe_load((ROOT / "CITATION.cff").read_text(encoding="utf-8"))
CODEMETA = json.loads((ROOT / "codemeta.json").read_text(encoding="utf-8"))


def asked(lines: list[str]) -> list[Requirement]:
    return [Requirement(line) for line in lines]


def names(lines: list[str]) -> set[str]:
    return {canonicalize_name(requirement.name) for requirement in asked(lines)}


def lock(name: str) -> dict[str, Requirement]:
    """The pins of a lock; every line is one, or a comment, or the lock below."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    pins = asked([line for line in lines if not line.startswith(("#", "-r requirements.lock"))])
    assert all(re.fullmatch(r"==[^*,]+", str(pin.specifier)) and not pin.url for pin in pins)
    found: dict[str, Requirement] = {canonicalize_name(pin.name): pin for pin in pins}
    assert len(found) == len(pins), f"{name} names a package twice"
    return found


RUNTIME, DEVELOPMENT = lock("requirements.lock"), lock("requirements-dev.lock")
PINS = RUNTIME | DEVELOPMENT


def version(name: str) -> str:
    return str(PINS[name].specifier).removeprefix("==")


# The version


def test_the_version_stands_in_one_place() -> None:
    assert re.fullmatch(r"\d+\.\d+\.\d+", sagan_div.__version__)
    assert "version" in PROJECT["dynamic"]
    assert PYPROJECT["tool"]["setuptools"]["dynamic"]["version"] == {"attr": "sagan_div.__version__"}
    assert CITATION["version"] == CODEMETA["version"] == sagan_div.__version__


def test_citation_codemeta_and_package_say_the_same() -> None:
    assert CITATION["keywords"] == CODEMETA["keywords"] == PROJECT["keywords"]
    assert CITATION["authors"] == PROJECT["authors"] == [{"name": author["name"]} for author in CODEMETA["author"]]
    assert CODEMETA["name"] == PROJECT["name"]
    assert CODEMETA["description"] == PROJECT["description"]
    assert CODEMETA["runtimePlatform"] == f"Python {PROJECT['requires-python']}"
    assert CODEMETA["softwareRequirements"] == EXTRAS["study"]
    assert CODEMETA["license"].rpartition("/")[2] == CITATION["license"] == PROJECT["license"]
    (reference,) = CITATION["references"]
    source = paper.facts()["source"]
    assert reference["title"] == CODEMETA["referencePublication"]["name"] == source["title"]
    assert reference["doi"] == source["doi"]
    assert CODEMETA["referencePublication"]["identifier"] == f"https://doi.org/{source['doi']}" == PROJECT["urls"]["Paper"]


def test_the_changelog_begins_with_this_version() -> None:
    headings = re.findall(r"^## \[(.+?)\] - (.+)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert headings[0][0] == sagan_div.__version__
    versions = [tuple(int(part) for part in version.split(".")) for version, _ in headings]
    assert versions == sorted(versions, reverse=True)
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", date) for _, date in headings[1:])  # only the first may be unreleased


# Dependencies and locks


def imported() -> set[str]:
    """The distributions that the package's modules import, anywhere in them."""
    modules = set[str]()
    for path in SOURCES.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                modules |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                modules.add(node.module.split(".")[0])
    provided = packages_distributions()
    foreign = modules - sys.stdlib_module_names - {"sagan_div", "pydantic_core"}  # pydantic pins its core itself
    return {canonicalize_name(provided[name][0]) if name in provided else name for name in foreign}


def test_dependencies_are_what_the_code_imports() -> None:
    required = names(PROJECT["dependencies"])
    assert imported() <= required | names([line for name in OPTIONAL for line in EXTRAS[name]])
    assert required <= imported()


def test_messages_name_extras_that_there_are() -> None:
    named = {
        name for path in SOURCES.rglob("*.py") for name in re.findall(r"sagan-div\[(\w+)\]", path.read_text(encoding="utf-8"))
    }
    assert named == set(OPTIONAL)


def test_the_runtime_lock_is_what_a_study_needs_and_no_more() -> None:
    assert wanted(RUNTIME) == closure(PROJECT["dependencies"] + EXTRAS["study"])
    assert not {"pytest", "onnx", "moto", "dvc-s3", "ruff", "mypy", "sphinx", "tensorboard", "dvclive"} & RUNTIME.keys()


def test_the_development_lock_adds_the_other_extras() -> None:
    assert not DEVELOPMENT.keys() & RUNTIME.keys()
    assert wanted(DEVELOPMENT) == closure(PROJECT["dependencies"] + EVERYTHING) - RUNTIME.keys()


@pytest.mark.parametrize("python", [python for python in ("3.12", "3.13") if python > platform.python_version()])
def test_the_locks_fit_newer_pythons(python: str) -> None:
    there = {"python_version": python, "python_full_version": f"{python}.0"}
    closure(PROJECT["dependencies"] + EVERYTHING, **there)
    for name in wanted(PINS, **there):
        for allowed in distribution(name).metadata.get_all("Requires-Python") or []:
            assert SpecifierSet(allowed).contains(f"{python}.5"), f"{PINS[name]} asks for Python {allowed}"


def wanted(pins: dict[str, Requirement], **environment: str) -> set[str]:
    """The packages that pip installs of a lock."""
    return {name for name, pin in pins.items() if not pin.marker or pin.marker.evaluate(environment)}


def closure(lines: list[str], **environment: str) -> set[str]:
    """The packages that requirements lead to, in this environment where nothing else is said; pins satisfy each on the way."""
    seen, todo = set[tuple[str, str]](), [line for line in asked(lines) if not line.marker or line.marker.evaluate(environment)]
    while todo:
        requirement = todo.pop()
        name = canonicalize_name(requirement.name)
        assert name in PINS, f"{requirement} is in no lock: `make lock`"
        assert requirement.specifier.contains(version(name), prereleases=True), f"{PINS[name]} is not {requirement}"
        for extra in {"", *requirement.extras} - {extra for package, extra in seen if package == name}:
            seen.add((name, extra))
            children = asked(distribution(name).requires or [])
            todo += [child for child in children if not child.marker or child.marker.evaluate({**environment, "extra": extra})]
    return {name for name, _ in seen}


def test_the_pins_on_which_the_interplay_was_measured_stay() -> None:
    study = {requirement.name: str(requirement.specifier) for requirement in asked(EXTRAS["study"])}
    assert study == {name: f"=={version(name)}" for name in ("snakemake", "dvc", "pytorch-fid")}


# What is shipped


def sources(folder: Path) -> Path:
    """What a build reads, copied, so that it leaves nothing in the working tree."""
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, folder / name)
    shutil.copytree(ROOT / "src", folder / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    return folder


def test_the_wheel_has_every_file_of_the_package(tmp_path: Path) -> None:
    (tmp_path / "from").mkdir()
    folder = sources(tmp_path / "from")
    flags = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--wheel-dir", tmp_path)
    done = command(sys.executable, "-m", "pip", "wheel", *flags, ".", cwd=folder)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    assert wheel.name == f"sagan_div-{sagan_div.__version__}-py3-none-any.whl"
    held = {name for name in zipfile.ZipFile(wheel).namelist() if name.startswith("sagan_div/")}
    shipped = [path for path in SOURCES.rglob("*") if path.is_file() and path.suffix != ".pyc"]
    assert held == {path.relative_to(ROOT / "src").as_posix() for path in shipped}
    assert {"sagan_div/py.typed", "sagan_div/report/page.html.jinja"} <= held


def test_a_checkout_with_converted_line_endings_has_the_bytes_of_the_commit(tmp_path: Path) -> None:
    done = command("git", "clone", "--quiet", "--config", "core.autocrlf=true", ROOT, tmp_path / "clone", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    listed = command("git", "ls-tree", "-r", "-z", "HEAD", cwd=ROOT).stdout.rstrip("\0").split("\0")
    entries = [re.fullmatch(r"(\d+) blob (\w+)\t(.+)", line) for line in listed]
    committed = {entry[3]: entry[2] for entry in entries if entry and entry[1] != "120000"}  # links have no line endings
    assert len(committed) > 200
    digests = command("git", "hash-object", "--no-filters", "--", *committed, cwd=tmp_path / "clone").stdout.split()
    assert dict(zip(committed, digests, strict=True)) == committed


# What a host's pages and a contributor's tools read


def test_hosted_ci_runs_the_same_script_on_every_python_that_is_promised() -> None:
    job = yaml.safe_load((ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8"))["jobs"]["run"]
    versions = job["strategy"]["matrix"]["python"]
    promised = [line.rsplit(" ", 1)[1] for line in PROJECT["classifiers"] if "Python :: 3." in line]
    assert versions == promised
    assert all(f"{version}.0" in SpecifierSet(PROJECT["requires-python"]) for version in versions)
    assert job["steps"][-1] == {"run": "bash .ci/run"}
    used = [step["uses"] for step in job["steps"] if "uses" in step]
    assert all(re.fullmatch(r"actions/(checkout|setup-python)@v\d+", action) for action in used)


@pytest.mark.parametrize("form", sorted((ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml")), ids=lambda path: path.stem)
def test_issue_forms_are_well_formed(form: Path) -> None:
    read: dict[str, Any] = yaml.safe_load(form.read_text(encoding="utf-8"))
    assert read.keys() == {"name", "description", "labels", "body"}
    fields = [field for field in read["body"] if field["type"] != "markdown"]
    assert len({field["id"] for field in fields}) == len(fields) >= 3
    assert all(field["type"] in ("input", "textarea") and field["attributes"]["label"] for field in fields)


def test_hooks_and_make_run_the_same_tools() -> None:
    hooks = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text(encoding="utf-8"))["repos"][0]["hooks"]
    assert all(hook["language"] == "system" for hook in hooks)
    commands = command("make", "--dry-run", "--always-make", "lint", cwd=ROOT).stdout
    tools = {hook["entry"].split()[0] for hook in hooks} - {".venv/bin/sagan-div"}
    assert tools == {f".venv/bin/{tool}" for tool in ("ruff", "snakefmt", "mypy", "codespell")}
    assert all(tool in commands for tool in tools)


@pytest.mark.parametrize("target", ["demo", "reproduce"])
def test_a_study_installs_no_tool_of_development(target: str) -> None:
    commands = command("make", "--dry-run", "--always-make", target, cwd=ROOT).stdout
    assert "-r requirements.lock" in commands
    assert "requirements-dev.lock" not in commands


CUDA = re.compile(r"cuda-.*|nvidia-.*|triton")


def test_what_the_lock_has_for_linux_alone_is_what_pytorch_needs_for_cuda() -> None:
    """`make demo TORCH=cpu` leaves it out, and nothing else."""
    on_linux_alone = {name for name, pin in RUNTIME.items() if pin.marker and "sys_platform" in str(pin.marker)}
    assert on_linux_alone == {name for name in RUNTIME if CUDA.fullmatch(name)} != set()


def test_cpu_wheels_that_cannot_be_had_are_told_in_one_line(tmp_path: Path) -> None:
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    given = ("TORCH=cpu", "CPU_WHEELS=http://127.0.0.1:9/", f"PYTHON={sys.executable}")
    done = command("make", "--no-print-directory", "demo", *given, cwd=tmp_path)  # `make test` may run this
    assert done.returncode == 2
    said = done.stdout.splitlines()[-1]  # make itself ends on stderr
    assert said.startswith("http://127.0.0.1:9/ cannot be reached or lacks these versions; leave out TORCH=cpu")
    assert not (tmp_path / ".venv/installed").exists()
