"""What a newcomer adds, by the how-to pages alone: their blocks are typed in a copy of the project, in the order of the page.

A block with a title is a file, or lines for one: `FILE`, `FILE, below LINE`, `FILE, above LINE`, `FILE, instead of LINE`.
Blocks of `sh` are run; those marked slow train something.
"""

import json
import re
import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from support import ROOT, Run, command, copy_project

PAGES = ROOT / "docs" / "howto"
BLOCK = re.compile(
    r"(?P<slow><!-- slow: .*? -->\n)?```(?P<kind>\w+)(?: title=(?P<q>['\"])(?P<title>.*?)(?P=q))?\n(?P<text>.*?)```", re.DOTALL
)
TITLE = re.compile(r"(?P<file>[^,]+)(?:, (?P<where>below|above|instead of) (?P<line>.+))?")


class Newcomer:
    """Someone with a copy of the project and a how-to page."""

    def __init__(self, folder: Path) -> None:
        self.path = copy_project(folder)
        identity = ("-c", "user.name=test", "-c", "user.email=test@example.org")
        for words in (("init", "-q"), ("add", "-A"), (*identity, "commit", "-qm", "start")):
            self.run("git", *words)

    def run(self, *words: object) -> Run:
        done = command(*words, cwd=self.path, PYTHONPATH=str(self.path / "src"))
        assert done.returncode == 0, f"{words}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
        return done

    def follow(self, page: str, *, slow: bool = False) -> str:
        """Does what a page says, up to what is slow unless that is wanted; returns what was printed.

        Fails where git sees a change that the page does not name, or one among results.
        """
        said, text = "", (PAGES / page).read_text(encoding="utf-8")
        for block in BLOCK.finditer(text):
            if block["title"]:
                self._write(block["title"], block["text"])
            elif block["kind"] == "sh" and (slow or not block["slow"]):
                done = self.run("bash", "-euo", "pipefail", "-c", block["text"])
                said += done.stdout + done.stderr
        changed = [line[3:].rstrip("/") for line in self.run("git", "status", "--short").stdout.splitlines()]
        assert [path for path in changed if path not in text or path.startswith("results")] == []
        return said

    def _write(self, title: str, text: str) -> None:
        """Writes a file of a block, or its lines where the title says."""
        place = TITLE.fullmatch(title)
        assert place
        file = self.path / place["file"]
        if place["where"] is None:
            assert not file.exists(), f"{file.name} is there already"
            file.write_text(text, encoding="utf-8")
            return
        lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
        (at,) = (i for i, line in enumerate(lines) if re.split(r"\s+#", line)[0].strip() == place["line"])
        first, rest = {"below": (at + 1, at + 1), "above": (at, at), "instead of": (at, at + 1)}[place["where"]]
        file.write_text("".join([*lines[:first], text, *lines[rest:]]), encoding="utf-8")

    def suite(self, *tests: str) -> None:
        """Runs a part of the project's own tests in the copy."""
        for name in ("tests", "docs", "results", "dvc.lock", "pyproject.toml"):
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, self.path / name, ignore=shutil.ignore_patterns("__pycache__"), dirs_exist_ok=True)
            elif source.exists():
                shutil.copy(source, self.path / name)
        self.run(sys.executable, "-m", "pytest", "-q", "-x", "-n0", "-p", "no:cacheprovider", "--no-cov", *tests)

    def scores(self, study: str) -> dict[str, dict[str, float]]:
        """The classifier's scores of each method of a study on its dataset."""
        files = (self.path / "results" / study / "score").glob("*/*/seed0/metrics.json")
        return {file.parts[-3]: json.loads(file.read_text())["extractors"]["classifier"] for file in files}


@pytest.fixture
def newcomer(tmp_path: Path) -> Newcomer:
    return Newcomer(tmp_path / "project")


def photos(folder: Path, count: int = 180) -> None:
    """Colour images of several sizes in two classes: reddish and bluish noise."""
    random = np.random.default_rng(0)
    for number, name in enumerate(("barns", "lakes")):
        (folder / name).mkdir(parents=True)
        for each in range(count):
            image = random.integers(0, 128, (130 + each % 40, 140, 3))
            image[..., 2 * number] += 127
            Image.fromarray(image.astype(np.uint8)).save(folder / name / f"{each}.png")


def test_a_method_is_a_block_of_params_yaml(newcomer: Newcomer) -> None:
    methods = len(yaml.safe_load((newcomer.path / "params.yaml").read_text())["methods"])
    said = newcomer.follow("method.md")
    assert "sngan-loose: critic" in said
    assert re.search(rf"^train_cell +{2 * 3 * (methods + 1)}$", said, re.M)
    newcomer.run("sagan-div", "fingerprint", "--check")  # no code changed
    newcomer.run("sagan-div", "schema", "--check")


@pytest.mark.slow
def test_a_method_is_trained_and_reported_and_no_test_minds(newcomer: Newcomer) -> None:
    said = newcomer.follow("method.md", slow=True)
    assert newcomer.scores("loose").keys() == {"dcgan", "sngan-loose"}
    assert "sngan-loose" in said
    page = (newcomer.path / "results/loose/report.html").read_text()
    assert "sngan-loose" in page
    networks = pd.read_csv(newcomer.path / "results/loose/tables/table1.csv")
    assert "SN" not in networks.query("method == 'sngan-loose' and network == 'critic'")["spectral norm"].tolist()[-1:]
    newcomer.suite(
        *("tests/test_protocols.py", "tests/study/test_load.py", "tests/workflow/test_jobs.py", "tests/workflow/test_dvc.py"),
        *("tests/models/test_networks.py", "tests/workflow/test_fingerprint.py", "tests/report/test_tables.py"),
    )


def test_a_loss_is_its_module(newcomer: Newcomer) -> None:
    before = json.loads((newcomer.path / "workflow/code.json").read_text())
    newcomer.follow("loss.md")
    code = json.loads((newcomer.path / "workflow/code.json").read_text())
    assert {kind for kind in code if code[kind] != before[kind]} == {"train"}
    assert code["train"].keys() - before["train"].keys() == {"losses/least_squares"}
    schema = json.loads((newcomer.path / "config/params.schema.json").read_text())
    assert schema["$defs"]["LeastSquares"]["properties"]["name"] == {"const": "least-squares", "type": "string"}
    (newcomer.path / "squares.yaml").write_text("study: squares\nmethods: {dcgan: {loss: {name: least-square}}}\n")
    refused = command("sagan-div", "summary", "--overlay", "squares.yaml", cwd=newcomer.path, PYTHONPATH="src")
    assert "did you mean 'least-squares'?" in refused.line


@pytest.mark.slow
def test_a_loss_trains(newcomer: Newcomer) -> None:
    newcomer.follow("loss.md", slow=True)
    record = json.loads((newcomer.path / "results/squares/train/digits/dcgan/seed0/record.json").read_text())
    assert record["settings"]["recipe"]["loss"] == {"name": "least-squares", "target": 0.9}
    assert newcomer.scores("squares")["dcgan"]["fid"] > 0
    newcomer.suite("tests/losses", "tests/study/test_json_schema.py")


def test_a_metric_is_its_module_and_its_entry(newcomer: Newcomer) -> None:
    before = json.loads((newcomer.path / "workflow/code.json").read_text())
    newcomer.follow("metric.md")
    code = json.loads((newcomer.path / "workflow/code.json").read_text())
    assert {kind for kind in code if code[kind] != before[kind]} == {"score"}
    assert "variety" in (newcomer.path / "config/params.schema.json").read_text()


@pytest.mark.slow
def test_a_metric_is_measured_and_shown(newcomer: Newcomer) -> None:
    said = newcomer.follow("metric.md", slow=True)
    assert newcomer.scores("varied")["dcgan"]["variety"] > 0
    assert "variety" in said
    newcomer.suite("tests/evaluation/test_registry.py", "tests/study/test_json_schema.py", "tests/report/test_tables.py")


def test_a_phase_is_its_module_its_kind_its_rules_and_its_stage(newcomer: Newcomer) -> None:
    said = newcomer.follow("phase.md")
    assert re.search(r"^spectrum_cell +\d+$", said, re.M)
    newcomer.run("sagan-div", "spectrum", "--help")
    stages = yaml.safe_load((newcomer.path / "dvc.yaml").read_text())["stages"]
    assert list(stages)[-2:] == ["spectrum", "report"]


@pytest.mark.slow
def test_a_phase_runs_and_the_suite_holds_its_contract(newcomer: Newcomer) -> None:
    newcomer.follow("phase.md", slow=True)
    found = json.loads((newcomer.path / "results/spectra/spectrum/digits/dcgan/seed0/spectrum.json").read_text())
    assert len(found["power"]) == 9  # of 16 pixels
    words = ("--overlay", "workflow/overlays/trial.yaml", "--set", "study=spectra", "--set", "methods=[dcgan]")
    newcomer.run("sagan-div", "check", "spectrum", *words)
    newcomer.suite(
        *("tests/workflow/test_dvc.py", "tests/workflow/test_jobs.py", "tests/workflow/test_staleness.py"),
        "tests/workflow/test_prune.py",
    )


def test_a_folder_of_colour_images_is_a_line_of_params_yaml(newcomer: Newcomer) -> None:
    photos(newcomer.path / "images/photos")
    said = newcomer.follow("dataset.md")
    assert "3 x 128 x 128" in said
    record = json.loads((newcomer.path / "data/photos/record.json").read_text())
    assert {split: shape[1] for split, shape in record["images"].items()} == {"train": 3, "test": 3}


@pytest.mark.slow
def test_colour_images_are_trained_on_and_reported(newcomer: Newcomer) -> None:
    photos(newcomer.path / "images/photos")
    said = newcomer.follow("dataset.md", slow=True)
    assert "3 channels" in said
    assert newcomer.scores("photos")["dcgan"]["fid"] > 0
    outputs = pd.read_csv(newcomer.path / "results/photos/tables/table1.csv").query("network == 'generator'")["output"]
    assert outputs.tolist()[-1] == "3×128×128"
    assert (newcomer.path / "results/photos/report.html").exists()
