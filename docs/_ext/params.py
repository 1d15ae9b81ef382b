"""The directive `params`: every key of params.yaml, from config/params.schema.json and the file's own values and comments."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata

ROOT = Path(__file__).resolve().parents[2]
STUDY, SCHEMA = ROOT / "params.yaml", ROOT / "config/params.schema.json"
NAMED = "methods.NAME"
KINDS = {"integer": "whole number", "number": "number", "string": "text", "boolean": "true or false"}
LINE = re.compile(r"(?P<indent> *)(?P<key>[\w-]+):(?P<value>[^#]*)(?:# (?P<words>.*))?$")
FURTHER = re.compile(r" +# (?P<words>.*)$")  # a comment goes on in a line of its own
Schema = Mapping[str, Any]


@dataclass(frozen=True)
class Key:
    name: str  # with dots
    takes: str
    meaning: str
    default: object = ...  # of a key that may be left out
    choice: str = ""  # the loss or the feature space that has this key


class Params(SphinxDirective):
    """`{params} train`: the keys of a section; without one, those that stand at the top of the file."""

    optional_arguments = 1

    def run(self) -> list[nodes.Node]:
        for path in (STUDY, SCHEMA):
            self.env.note_dependency(str(path))
        section = self.arguments[0] if self.arguments else ""
        blocks = [_block(key) for key in documented() if _section(key) == section]
        return self.parse_text_to_nodes("\n".join(blocks))


def documented() -> list[Key]:
    """Every key of the schema, in its order."""
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return [key for name, part in schema["properties"].items() for key in _keys(part, name, schema["$defs"])]


def _section(key: Key) -> str:
    return key.name.partition(".")[0] if "." in key.name else ""


def _block(key: Key) -> str:
    text = STUDY.read_text(encoding="utf-8")
    value = _at(yaml.safe_load(text), key.name.split("."))
    default = "required" if key.default is ... else f"`{json.dumps(key.default)}`"
    record = "" if value is None or isinstance(value, dict) else f"; `params.yaml` has `{json.dumps(value)}`"
    name = f"{key.name} ({key.choice})" if key.choice else key.name
    head = [f"````{{confval}} {name}", f":type: {key.takes}", f":default: {default}{record}"]
    meanings = [_sentence(words) for words in _meanings(key.meaning, _comment(key.name, text))]
    return "\n\n".join(["\n".join(head), *meanings, "````", ""])


def _keys(schema: Schema, name: str, definitions: Schema, **about: Any) -> Iterator[Key]:
    """The leaves below a part of the schema."""
    part = _resolved(schema, definitions)
    if "patternProperties" in part:
        (inner,) = part["patternProperties"].values()
        yield from _keys(inner, NAMED, definitions)
    elif "properties" in part:
        for key, inner in part["properties"].items():
            optional = {} if key in part["required"] else {"default": inner.get("default")}
            yield from _keys(inner, f"{name}.{key}", definitions, **(about | optional))
    elif all("properties" in _resolved(choice, definitions) for choice in part.get("oneOf", [{}])):
        for choice in part["oneOf"]:
            kind = _resolved(choice, definitions)["properties"]["name"]["const"]
            yield from _keys(choice, name, definitions, choice=kind)
    else:
        yield Key(name, _takes(part, definitions), part.get("description", ""), **about)
        for inner in part.get("items", {}).get("oneOf", []) if isinstance(part.get("items"), dict) else []:
            if "$ref" in inner:
                yield from _keys(inner, f"{name}[]", definitions)


def _resolved(schema: Schema, definitions: Schema) -> Schema:
    return {**definitions[schema["$ref"].rpartition("/")[2]], **schema} if "$ref" in schema else schema


def _takes(schema: Schema, definitions: Schema) -> str:
    """What a value may be, in words."""
    part = _resolved(schema, definitions)
    if "const" in part:
        return f"`{part['const']}`"
    if "enum" in part:
        return " or ".join(f"`{choice}`" for choice in part["enum"])
    if "anyOf" in part or "oneOf" in part:
        inner = [_takes(choice, definitions) for choice in part.get("anyOf") or part["oneOf"] if choice.get("type") != "null"]
        return " or ".join(inner)
    if part["type"] == "array":
        inside = part["items"][0] if isinstance(part["items"], list) else part["items"]
        count = f"{part['maxItems']}: " if "maxItems" in part else ""
        return f"list of {count}{_takes(inside, definitions)}"
    low, high = part.get("minimum"), part.get("maximum")
    span = ("" if low is None else f" from {low:g}") + ("" if high is None else f" to {high:g}")
    return KINDS.get(part["type"], "mapping") + span


def _at(values: Any, path: list[str]) -> Any:
    """The value of the study of record; None where methods differ."""
    for place, key in enumerate(path):
        if key == "NAME":
            found = [_at(each, path[place + 1 :]) for each in values.values()]
            return found[0] if all(each == found[0] for each in found) else None
        if not isinstance(values, dict) or key not in values:
            return None
        values = values[key]
    return values


def _comment(name: str, text: str) -> str:
    """The comment on a key; of the methods' keys that of the first method which has one."""
    pattern = re.compile(re.escape(name).replace("NAME", "[^.]+"))
    return next((words for key, words in _comments(text).items() if pattern.fullmatch(key)), "")


def _comments(text: str) -> dict[str, str]:
    path: list[tuple[int, str]] = []
    found: dict[str, str] = {}
    for line in text.splitlines():
        if key := LINE.match(line):
            path = [*(entry for entry in path if entry[0] < len(key["indent"])), (len(key["indent"]), key["key"])]
        name = ".".join(part for _, part in path)
        if key and key["words"]:
            found[name] = key["words"]
        elif path and (further := FURTHER.match(line)):
            found[name] = f"{found.get(name, '')} {further['words']}".strip()
    return found


def _meanings(said: str, comment: str) -> list[str]:
    """What the schema says of a key, and the comment on it; the longer of the two where they begin alike."""
    if said.split()[:1] == comment.split()[:1]:
        return [max(said, comment, key=len)] if said else []
    return [words for words in (said, comment) if words]


def _sentence(words: str) -> str:
    """With a capital, but for a value that is explained (`text: what …`)."""
    first = words if words.split()[0].endswith(":") else f"{words[0].upper()}{words[1:]}"
    return first.removesuffix(".") + "."


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("params", Params)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
