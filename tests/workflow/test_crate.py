"""The crate names every file of the finished jobs with its digest, and which job made it of what."""

import hashlib
import json
import shutil
from datetime import datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from sagan_div.cli import app as cli
from sagan_div.errors import UserError
from support import ROOT, TINY, params_alone


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    params_alone(tmp_path)
    (tmp_path / "tiny.yaml").write_text(TINY)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def call(*words: str) -> Result:
    return CliRunner().invoke(cli.app, [*words, "--overlay", "tiny.yaml"], catch_exceptions=False)


def described(folder: Path) -> dict[str, dict]:
    graph = json.loads((folder / "ro-crate-metadata.json").read_text())["@graph"]
    entities = {entity["@id"]: entity for entity in graph}
    assert len(entities) == len(graph)
    return entities


def references(value: object) -> set[str]:
    if isinstance(value, dict):
        return {value["@id"]} if value.keys() == {"@id"} else set().union(*map(references, value.values()))
    return set().union(*map(references, value)) if isinstance(value, list) else set()


def ids(values: list[dict[str, str]] | dict[str, str]) -> set[str]:
    return {value["@id"] for value in (values if isinstance(values, list) else [values])}


def test_a_crate_tells_which_job_made_which_file_of_what(study: Path) -> None:
    shutil.copytree(ROOT / "workflow", study / "workflow")
    with pytest.raises(UserError, match="no job is done; `snakemake"):
        call("crate")
    for words in (("data",), ("classifier",), ("crate",)):
        assert call(*words).exit_code == 0
    entities = described(study)
    found = {name: entity for name, entity in entities.items() if entity["@type"] == "File"}
    assert {"params.yaml", "results/tiny/data/digits/train/images.npy"} < found.keys()
    for name, entity in found.items():
        assert hashlib.sha256((study / name).read_bytes()).hexdigest() == entity["sha256"], name
    outside = {name for name in references(list(entities.values())) - entities.keys() if not name.startswith("http")}
    assert outside == set()
    root = entities["./"]
    assert ids(root["hasPart"]) == {*found, "workflow/Snakefile"}
    action = entities["#classifier/digits"]
    assert action["instrument"] == {"@id": "#sagan-div-classifier"}
    assert "results/tiny/data/digits/train/images.npy" in ids(action["object"])
    assert "results/tiny/reference/digits/domain-classifier.safetensors" in ids(action["result"])
    settings = json.loads(entities["#classifier/digits/settings"]["value"])
    record = json.loads((study / "results/tiny/reference/digits/domain-classifier.record.json").read_text())
    assert settings == record["settings"]
    assert datetime.fromisoformat(action["startTime"]) <= datetime.fromisoformat(action["endTime"])
    Path("results/tiny/data/digits/test/labels.npy").unlink()  # its job is due again, and what was made from it
    with pytest.raises(UserError, match="no job is done"):
        call("crate")


def test_without_the_workflow_there_is_no_crate(study: Path) -> None:
    with pytest.raises(UserError, match="workflow/Snakefile: is missing"):
        call("crate")
