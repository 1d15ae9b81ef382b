"""config/params.schema.json: it is that of the models, and knows what params.yaml and overlays may say."""

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ruamel.yaml import YAML

from sagan_div.study import json_schema
from support import ROOT

FILE = ROOT / json_schema.FILE
OVERLAYS = sorted((ROOT / "workflow" / "overlays").glob("*.yaml"))
MODELINE = re.compile(r"# yaml-language-server: \$schema=(\S+?)(#\S+)?")


def faults(document: Any, part: str = "#") -> list[str]:
    schema = json.loads(FILE.read_text(encoding="utf-8"))
    jsonschema.Draft7Validator.check_schema(schema)
    whole = schema if part == "#" else {"$defs": schema["$defs"], "$ref": part}
    return [error.message for error in jsonschema.Draft7Validator(whole).iter_errors(document)]


def record() -> Any:
    return YAML(typ="safe").load(ROOT / "params.yaml")


def test_the_file_is_that_of_the_code() -> None:
    assert FILE.read_text(encoding="utf-8") == json_schema.text(), "sagan-div schema writes it"


@pytest.mark.parametrize("path", [ROOT / "params.yaml", *OVERLAYS], ids=lambda path: path.stem)
def test_the_first_line_leads_editors_to_it(path: Path) -> None:
    found = MODELINE.fullmatch(path.read_text(encoding="utf-8").splitlines()[0])
    assert found
    assert (path.parent / found[1]).resolve() == FILE
    assert found[2] == (None if path.stem == "params" else "#/$defs/overlay")
    assert faults(YAML(typ="safe").load(path), found[2] or "#") == []


def test_params_yaml_is_complete_and_an_overlay_is_not() -> None:
    values = record()
    del values["train"]["images"]
    assert faults(values) == ["'images' is a required property"]
    assert faults(values, "#/$defs/overlay") == []
    assert faults({"study": "mine", "methods": ["dcgan"]}, "#/$defs/overlay") == []
    assert faults({"methods": {"dcgan": {"loss": {"real_label": 0.9}}}}, "#/$defs/overlay") == []


@pytest.mark.parametrize(
    "change",
    [
        {"widths": 8},
        {"width": 0},
        {"image_size": 48},
        {"seeds": ["a"]},
        {"datasets": ["mnsit"]},
        {"train": {"imags": 1}},
        {"methods": {"dcgan": {"n_critic": "five"}}},
        {"methods": {"dcgan": {"loss": {"names": "hinge"}}}},
        {"methods": {"Bad Name": {}}},
    ],
)
def test_editors_mark_what_the_reader_refuses(change: dict[str, Any]) -> None:
    assert faults(change, "#/$defs/overlay")
    assert faults(record() | change)


def test_descriptions_are_for_people() -> None:
    properties = json.loads(FILE.read_text(encoding="utf-8"))["$defs"]["TrainConfig"]["properties"]
    assert properties["images"]["description"] == "real images that a critic sees over a run"
    assert "title" not in FILE.read_text(encoding="utf-8")
