"""params.yaml, overlays and single keys, laid one over the other -> one validated, typed, frozen Study."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import Any, TypeGuard

from sagan_div import settings
from sagan_div.errors import UserError
from sagan_div.study import yaml12
from sagan_div.study.datasets import NAME
from sagan_div.study.schema import OF_RECORD, Study

OVERLAYS = Path("workflow", "overlays")
Values = Mapping[str, Any]


def load(params: Path, overlays: Sequence[Path] = (), sets: Sequence[str] = (), layer: Values | None = None) -> Study:
    """The study of `params` with `overlays`, then `layer`, then `sets` laid over it.

    `sets` are `key.sub=value` texts with YAML values. `layer` is what Snakemake's `--config` gave; its `--configfile`s belong
    to `overlays`, since Snakemake reads files as YAML 1.1, in which 010 is 8.
    Raises UserError for an unreadable file, an unknown key or a value of the wrong kind.
    """
    base = of_record(params)
    files = [yaml12.mapping(path) for path in overlays]
    asked = [_retyped(yaml12.bounded(layer or {}, "--config")), *map(assignment, sets)]
    values = laid(base, [*files, *asked])
    _refuse_name_alone(params, values, files, lambda shipped: laid(base, [shipped, *files, *asked]))
    return settings.read(Study, values)


def under_its_name(params: Path, overlays: Sequence[Path] = ()) -> Study:
    """The study that has its name by right: of params.yaml, or with the overlays up to the last one that names a study.

    What lies above may leave out cells, and is then a part of it. Raises UserError as `load` does.
    """
    naming = [number for number, path in enumerate(overlays, 1) if "study" in yaml12.mapping(path)]
    return load(params, overlays[: naming[-1] if naming else 0])


def whole(values: Mapping[str, Any]) -> Study:
    """A study whose every key is in `values`, as the caller of a module of the workflow hands it over. Raises UserError."""
    return settings.read(Study, _retyped(values))


def of_record(params: Path) -> dict[str, Any]:
    """The keys of params.yaml. Raises UserError where it names another study than that of record."""
    values = yaml12.mapping(params)
    if values.get("study", OF_RECORD) != OF_RECORD:
        raise UserError(
            f"{params}: study: {settings.shown(values['study'])} is not '{OF_RECORD}', the study of record; "
            "a study of another name is an overlay"
        )
    return values


def laid(base: Values, layers: Iterable[Values]) -> dict[str, Any]:
    """`layers` laid over `base`, one after the other."""
    return dict(reduce(overlay, map(_up_to_date, layers), base))


def _up_to_date(layer: Values) -> Values:
    """A layer with the keys of 0.1 under their names of today, so that an overlay of then still says what it said."""
    score = layer.get("score")
    if not isinstance(score, Mapping) or "floor" not in score or "real_vs_real" in score:
        return layer
    return {**layer, "score": {"real_vs_real" if name == "floor" else name: entry for name, entry in score.items()}}


def overlay(base: object, layer: object, key: str = "") -> Any:
    """`layer` laid over `base`: mappings merge key by key, everything else replaces.

    Two conveniences: a list over the methods keeps those that it names (`methods: [dcgan]`),
    and a mapping that changes `name` replaces the whole, since the other keys belong to the old name.
    """
    if isinstance(base, Mapping) and isinstance(layer, Mapping) and not renames(base, layer):
        merged = {
            name: overlay(entry, layer[name], settings.under(key, name)) if name in layer else entry
            for name, entry in base.items()
        }
        return merged | {name: entry for name, entry in layer.items() if name not in base}
    if isinstance(base, Mapping) and names_methods(layer, key):
        kept = kept_methods(base, layer)
        return {name: entry for name, entry in base.items() if name in kept}
    return layer


def renames(base: Values, layer: Values) -> bool:
    """Whether `layer` is about something of another name than `base`, e.g. another loss."""
    return isinstance(base.get("name"), str) and layer.get("name", base["name"]) != base["name"]


def names_methods(layer: object, key: str) -> TypeGuard[str | list[Any]]:
    """Whether `layer` names those methods that are kept."""
    return key == "methods" and isinstance(layer, str | list)


def kept_methods(methods: Values, layer: str | list[Any]) -> list[Any]:
    """The names that are kept. Raises UserError for one that is not there."""
    kept = [layer] if isinstance(layer, str) else layer
    for name in kept:
        if name not in list(methods):
            raise UserError(settings.unknown("methods", "entry", name, methods))
    return kept


def _refuse_name_alone(params: Path, values: Values, files: Sequence[Values], laid_on: Callable[[Values], Values]) -> None:
    """Refuse `study=demo` where demo.yaml is not laid: results/demo/ would hold the study of record under another name.

    `laid_on` gives what `values` would be with an overlay below all others: the same where that overlay is laid.
    """
    name = values.get("study")
    if not (isinstance(name, str) and re.fullmatch(NAME, name)) or name in [each.get("study") for each in files]:
        return
    shipped = OVERLAYS / f"{name}.yaml"
    for root in (params.parent, Path(__file__).parents[3]):
        if (root / shipped).is_file() and laid_on(yaml12.mapping(root / shipped)) != values:
            raise UserError(
                f"study: '{name}' is what {shipped.as_posix()} makes, which is not laid: use --configfile {shipped.as_posix()} "
                f"(snakemake) or --overlay {shipped.as_posix()} (sagan-div)"
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


def assignment(text: str) -> dict[str, Any]:
    """The layer that `key.sub=value` stands for. Raises UserError for what is none."""
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise UserError(f"--set {text}: expected key=value, e.g. --set train.images=64000")
    nested = yaml12.parse(value, f"--set {key}")
    for part in reversed(key.split(".")):
        nested = {part: nested}
    return dict(nested)
