"""config/params.schema.json: what params.yaml and overlays may say, for editors, made from the models."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sagan_div.study.datasets import BUILT_IN_DATASETS
from sagan_div.study.schema import OF_RECORD, Study

FILE = Path("config", "params.schema.json")
Schema = dict[str, Any]
DRAFT = "http://json-schema.org/draft-07/schema#"  # the latest that editors' YAML plug-ins know whole
OVERLAY = "overlay"  # under $defs: what an overlay may say, which is a part of each mapping


def text() -> str:
    """The file's content: params.yaml is held to its root, overlays to `#/$defs/overlay`."""
    return json.dumps(schema(), indent=2, ensure_ascii=False) + "\n"


def schema() -> Schema:
    """The JSON schema of params.yaml, with that of overlays among its definitions."""
    complete: Schema = _mapped(Study.model_json_schema(), _for_editors)
    definitions = complete.pop("$defs")
    definitions["DatasetConfig"] = _dataset(definitions["DatasetConfig"]["description"])
    whole = {name: definition for name, definition in definitions.items() if definition.get("required")}
    parts = {_part(name): _mapped(definition, _partial(whole)) for name, definition in whole.items()}
    overlay = _mapped(complete, _partial(whole))
    overlay["description"] = "A study of its own: what it says is laid over params.yaml."
    complete["properties"]["study"] = {"const": OF_RECORD, "description": "another name is an overlay's"}
    names = {"type": "array", "items": {"type": "string"}, "description": "the methods that are kept"}
    overlay["properties"]["methods"] = {"anyOf": [overlay["properties"]["methods"], names]}
    return {"$schema": DRAFT} | complete | {"$defs": definitions | parts | {OVERLAY: overlay}}


def _mapped(value: Any, change: Callable[[Schema], Schema]) -> Any:
    """A schema with each of its mappings changed, the inner ones first."""
    if isinstance(value, dict):
        return change({name: _mapped(entry, change) for name, entry in value.items()})
    return [_mapped(entry, change) for entry in value] if isinstance(value, list) else value


def _for_editors(part: Schema) -> Schema:
    """Without pydantic's titles, which repeat the keys, and in words of the draft."""
    part = {name: entry for name, entry in part.items() if not (name == "title" and isinstance(entry, str))}
    if "prefixItems" in part:
        part["items"] = part.pop("prefixItems")
    if "patternProperties" in part:
        part["additionalProperties"] = False
    part.pop("discriminator", None)  # OpenAPI's; the constant names tell the losses apart
    return part


def _partial(whole: Schema) -> Callable[[Schema], Schema]:
    """A change to what an overlay may say: any of the keys, and parts of the mappings below."""

    def change(part: Schema) -> Schema:
        part = {name: entry for name, entry in part.items() if not (name == "required" and isinstance(entry, list))}
        if isinstance(part.get("$ref"), str) and part["$ref"].rpartition("/")[2] in whole:
            part["$ref"] = _part(part["$ref"])
        if "oneOf" in part:
            part["anyOf"] = part.pop("oneOf")  # without their names two losses may allow the same
        return part

    return change


def _part(name: str) -> str:
    return f"{name}-part"


def _dataset(description: str) -> Schema:
    """A dataset as users write it: its name, or a name of their own with a folder."""
    place = {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/FolderConfig"}]}
    folder = {"type": "object", "additionalProperties": place, "minProperties": 1, "maxProperties": 1}
    return {"description": description, "anyOf": [{"enum": list(BUILT_IN_DATASETS)}, folder]}
