"""params.yaml, overlays and single keys, laid one over the other -> one validated, typed, frozen Study."""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any

from sagan_div import settings
from sagan_div.errors import UserError
from sagan_div.study import yaml12
from sagan_div.study.schema import OF_RECORD, Study

OVERLAYS = Path("workflow", "overlays")


def load(
    params: Path, overlays: Sequence[Path] = (), sets: Sequence[str] = (), layer: Mapping[str, Any] | None = None
) -> Study:
    """The study of `params` with `overlays`, then `layer`, then `sets` laid over it.

    `sets` are `key.sub=value` texts with YAML values. `layer` is what Snakemake's `--config` gave; its `--configfile`s belong
    to `overlays`, since Snakemake reads files as YAML 1.1, in which 010 is 8.
    Raises UserError for an unreadable file, an unknown key or a value of the wrong kind.
    """
    base = of_record(params)
    files = [yaml12.mapping(path) for path in overlays]
    asked = [_retyped(layer or {}), *map(_assignment, sets)]
    values = laid(base, [*files, *asked])
    _refuse_name_alone(params, values, files, lambda shipped: laid(base, [shipped, *files, *asked]))
    return settings.read(Study, values)


def of_record(params: Path) -> dict[str, Any]:
    """The keys of params.yaml. Raises UserError where it names another study than that of record."""
    values = yaml12.mapping(params)
    if values.get("study", OF_RECORD) != OF_RECORD:
        raise UserError(
            f"{params}: study: {settings.shown(values['study'])} is not '{OF_RECORD}', the study of record; "
            "a study of another name is an overlay"
        )
    return values


def laid(base: Mapping[str, Any], layers: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """`layers` laid over `base`, one after the other."""
    return dict(reduce(overlay, layers, base))


def overlay(base: object, layer: object, key: str = "") -> Any:
    """`layer` laid over `base`: mappings merge key by key, everything else replaces.

    Two conveniences: a list over a mapping keeps the keys that it names (`methods: [dcgan]`),
    and a mapping that changes `name` replaces the whole, since the other keys belong to the old name.
    """
    if isinstance(base, Mapping) and isinstance(layer, Mapping) and not renames(base, layer):
        merged = {
            name: overlay(entry, layer[name], settings.under(key, name)) if name in layer else entry
            for name, entry in base.items()
        }
        return merged | {name: entry for name, entry in layer.items() if name not in base}
    if isinstance(base, Mapping) and isinstance(layer, str | list | tuple):
        kept = kept_entries(base, layer, key)
        return {name: entry for name, entry in base.items() if name in kept}
    return layer


def renames(base: Mapping[str, Any], layer: Mapping[str, Any]) -> bool:
    """Whether `layer` is about something of another name than `base`, e.g. another loss."""
    return isinstance(base.get("name"), str) and layer.get("name", base["name"]) != base["name"]


def kept_entries(base: Mapping[str, Any], layer: str | Sequence[Any], key: str) -> list[Any]:
    """The entries of `base` that a list over it names. Raises UserError for one that is not there."""
    kept = [layer] if isinstance(layer, str) else list(layer)
    for name in kept:
        if name not in list(base):
            raise UserError(settings.unknown(key, "entry", name, base))
    return kept


def _refuse_name_alone(params: Path, values: Mapping[str, Any], files: Sequence[Mapping[str, Any]], with_shipped: Any) -> None:
    """Refuse `study=demo` where demo.yaml is not laid: results/demo/ would hold the study of record under another name."""
    name = values.get("study")
    if not isinstance(name, str) or name in [each.get("study") for each in files]:
        return
    for root in (params.parent, Path(__file__).parents[3]):
        path = root / OVERLAYS / f"{name}.yaml"
        if re.fullmatch(r"[\w-]+", name) and path.is_file() and with_shipped(yaml12.mapping(path)) != values:
            shipped = (OVERLAYS / path.name).as_posix()
            raise UserError(
                f"study: '{name}' is what {shipped} makes, which is not laid: use --configfile {shipped} (snakemake) or "
                f"--overlay {shipped} (sagan-div)"
            )


def _retyped(value: Any) -> Any:
    """What Snakemake's `--config` gave, with numbers, truths and null where it left them as text."""
    if isinstance(value, Mapping):
        return {name: _retyped(entry) for name, entry in value.items()}
    if isinstance(value, list):
        return [_retyped(entry) for entry in value]
    if not (isinstance(value, str) and re.fullmatch(r"[-+.~\w]{1,100}", value)):
        return value
    try:
        found = yaml12.parse(value, "--config")
    except UserError:
        return value
    return found if found is None or isinstance(found, int | float) else value


def _assignment(text: str) -> dict[str, Any]:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise UserError(f"--set {text}: expected key=value, e.g. --set train.images=64000")
    nested = yaml12.parse(value, f"--set {key}")
    for part in reversed(key.split(".")):
        nested = {part: nested}
    return dict(nested)
