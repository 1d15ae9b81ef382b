"""Overlays written into params.yaml, which makes them the study of record: DVC can then run, record and compare it."""

import copy
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap

from sagan_div import files, settings
from sagan_div.errors import UserError
from sagan_div.study import yaml12
from sagan_div.study.load import kept_methods, laid, names_methods, of_record, renames
from sagan_div.study.schema import Study

_ABSENT = object()


def adopt(params: Path, overlays: Sequence[Path]) -> list[str]:
    """Write `overlays` into `params`, but for `study`: comments stay, and no line changes but those of the changed keys.

    Returns a line for each changed key. Raises UserError, and leaves the file as it was, where the result is no study.
    """
    layers = [{key: value for key, value in yaml12.mapping(path).items() if key != "study"} for path in overlays]
    before = of_record(params)
    after = laid(before, layers)
    settings.read(Study, after)
    written = _written(params.read_text(encoding="utf-8"), layers)
    if yaml12.parse(written, str(params)) != after:
        raise UserError(f"{params}: has YAML anchors, so that a change of one key changes others; write their values out")
    changes = list(_changes(before, after))
    if changes:
        files.write_text(params, written)
    return changes


def _written(text: str, layers: Sequence[Mapping[str, Any]]) -> str:
    """The text with layers laid over it in place, in the style in which `dvc exp run -S` writes."""
    yaml = YAML()
    yaml.default_flow_style = False
    document = yaml.load(text)
    for layer in layers:
        _lay(document, layer, "")
    stream = io.StringIO()
    yaml.dump(document, stream)
    return stream.getvalue()


def _lay(base: CommentedMap, layer: Mapping[str, Any], key: str) -> None:
    """What `load.overlay` does, within a document that keeps its comments."""
    for name, value in layer.items():
        place, entry = settings.under(key, name), base.get(name)
        if isinstance(entry, CommentedMap) and isinstance(value, Mapping) and not renames(entry, value):
            _lay(entry, value, place)
        elif isinstance(entry, CommentedMap) and names_methods(value, place):
            for dropped in set(entry) - set(kept_methods(entry, value)):
                del entry[dropped]
        elif name not in base or entry != value:
            base[name] = copy.deepcopy(value)  # two aliases of one anchor are two values here


def _changes(before: Any, after: Any, key: str = "") -> Iterator[str]:
    """A line for each leaf that differs, e.g. `train.images: 256000 -> 32000`."""
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        for name in [*before, *(name for name in after if name not in before)]:
            yield from _changes(before.get(name, _ABSENT), after.get(name, _ABSENT), settings.under(key, name))
    elif before is _ABSENT or after is _ABSENT:
        yield f"{key}: added" if before is _ABSENT else f"{key}: removed"
    elif before != after:
        yield f"{key}: {_leaf(before)} -> {_leaf(after)}"


def _leaf(value: object) -> str:
    return value if isinstance(value, str) else settings.shown(value)
