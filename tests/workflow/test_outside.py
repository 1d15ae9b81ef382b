"""The workflow in a folder of somebody else's: as a module of their Snakefile, and as snakedeploy writes it."""

import shutil
import sys
from pathlib import Path

import pytest
import yaml
from test_rules import planned

from support import TINY, command, copy_project

MODULE = """
configfile: "config/config.yaml"

module sagan_div:
    snakefile: "{home}/workflow/Snakefile"
    config: config

use rule * from sagan_div as sagan_div_*

rule mine:
    default_target: True
    input: rules.sagan_div_report.output.page
    output: "mine.txt"
    shell: "grep -c '^<html' {{input}} > {{output}}"
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project, where the workflow lies and nothing may be written."""
    folder = tmp_path_factory.mktemp("home") / "project"
    copy_project(folder)
    return folder


def written(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if "__pycache__" not in path.parts}


def test_a_module_runs_with_config_and_results_in_its_callers_folder(home: Path, tmp_path: Path) -> None:
    before = written(home)
    (tmp_path / "config").mkdir()
    tiny = yaml.safe_load(TINY) | {"methods": ["dcgan"]}
    (tmp_path / "config/config.yaml").write_text(yaml.safe_dump(tiny))
    (tmp_path / "Snakefile").write_text(MODULE.format(home=home))
    done = command("snakemake", "--cores", "2", "--quiet", "rules", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "mine.txt").read_text() == "1\n"
    assert (tmp_path / "results/tiny/train/digits/dcgan/seed0/best.safetensors").is_file()
    again = command("snakemake", "-n", cwd=tmp_path)
    assert "Nothing to be done" in again.stdout + again.stderr
    assert written(home) == before


@pytest.mark.skipif(shutil.which("snakedeploy", path=str(Path(sys.executable).parent)) is None, reason="snakedeploy is missing")
def test_snakedeploy_writes_a_folder_that_runs(home: Path, tmp_path: Path) -> None:
    """With the path of the project where a hosted address would stand."""
    words = ("snakedeploy", "deploy-workflow", home, tmp_path / "deployed", "--name", "sagan-div", "--branch", "main")
    deployed = command(*words, cwd=tmp_path)
    assert deployed.returncode == 0, deployed.stderr
    folder = tmp_path / "deployed"
    snakefile = folder / "workflow/Snakefile"
    text = snakefile.read_text()
    assert '"workflow/Snakefile"' in text  # what snakedeploy writes of a folder is relative to nothing
    snakefile.write_text(text.replace('"workflow/Snakefile"', f'"{home}/workflow/Snakefile"'))
    config = folder / "config/config.yaml"
    values = yaml.safe_load(config.read_text())
    assert planned(cwd=folder)["train_cell"] == 2 * 3 * len(values["methods"])
    del values["methods"]["sngan"]
    values["seeds"] = [5]
    config.write_text(yaml.safe_dump(values))
    assert planned(cwd=folder)["train_cell"] == 2 * len(values["methods"])
    shutil.rmtree(folder / ".snakemake", ignore_errors=True)
    config.write_text(yaml.safe_dump(values | {"trian": {}}))
    refused = command("snakemake", "-n", cwd=folder)
    assert refused.returncode != 0
    assert "trian: unknown key (did you mean 'train'?)" in refused.stderr
