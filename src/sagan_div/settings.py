"""Typed settings: pydantic models that refuse bad data in one line, and have one text for equal settings.

The base of everything that params.yaml says and of everything that a job is given. Imports no numpy and no torch.
"""

import json
import types
from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Annotated, Any, NamedTuple, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Tag, ValidationError
from pydantic_core import ErrorDetails

from sagan_div.errors import UserError


class Settings(BaseModel):
    """Frozen, strict, and without a key that it does not know. Sequences are tuples."""

    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", allow_inf_nan=False)


S = TypeVar("S", bound=Settings)


def canonical(settings: Settings) -> str:
    """Settings as one line of JSON with sorted keys and without None: equal settings give equal text, whatever the YAML."""
    return json.dumps(settings.model_dump(exclude_none=True), sort_keys=True, separators=(",", ":"))


def plain(settings: Settings) -> dict[str, Any]:
    """Settings as JSON's own data, without the keys that were left out."""
    return settings.model_dump(mode="json", exclude_none=True)


def read(kind: type[S], value: object, key: str = "") -> S:
    """`value`, plain YAML or JSON data, as settings of a kind; `key` stands before the keys in messages.

    Raises UserError about the first fault in the order of `value`: its key, what was found and, for a name, the nearest match.
    """
    try:
        return kind.model_validate(_tuples(value))
    except ValidationError as error:
        first = min(error.errors(include_url=False), key=lambda fault: _position(fault["loc"], kind, value))
        raise UserError(_message(first, kind, key)) from None
    except RecursionError:
        raise UserError(f"{key or _root(kind)}: is nested too deeply") from None


def difference(old: Any, new: Any) -> str:
    """The first few leaves in which two plain settings differ, e.g. `train.images 640 -> 1280`."""
    leaves_old, leaves_new = dict(_leaves(old)), dict(_leaves(new))
    changed = [name for name in leaves_old | leaves_new if leaves_old.get(name) != leaves_new.get(name)]
    found = [f"{name} {leaves_old.get(name, 'absent')} -> {leaves_new.get(name, 'absent')}" for name in changed[:3]]
    return ", ".join(found) + (f" and {len(changed) - 3} more" if len(changed) > 3 else "")


def _leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for name, entry in value.items():
            yield from _leaves(entry, under(key, str(name)))
    else:
        yield key, list(value) if isinstance(value, tuple) else value


def shown(value: object) -> str:
    """A value as messages show it: on one line, and no longer than a part of it."""
    if isinstance(value, str):
        return f"the text '{short(value)}'"
    if value is None or isinstance(value, bool):
        return "nothing" if value is None else str(value).lower()
    try:
        return short(str(_lists(value)))
    except (ValueError, RecursionError):  # an integer of thousands of digits, lists of thousands of levels
        return f"a value of type {type(value).__name__} that is too large to show"


def unknown(key: str, what: str, name: object, known: Iterable[object]) -> str:
    """The line about a name that is none of the known ones, with the nearest of them."""
    names = sorted(map(str, known))
    return f"{under(key, name)}: unknown {what}{close(name, names)}; known here: {', '.join(names)}"


def close(name: object, known: Iterable[object]) -> str:
    """A question that names what may have been meant, or nothing."""
    found = get_close_matches(short(str(name)), [str(each) for each in known], n=1)
    return f" (did you mean '{found[0]}'?)" if found else ""


def under(key: str, name: object) -> str:
    """The key path of `name` below `key`, e.g. `train.images` or `seeds[0]`."""
    if isinstance(name, int) and not isinstance(name, bool):
        return f"{key}[{name}]"
    return f"{key}.{short(str(name))}" if key else short(str(name))


def short(text: str, length: int = 80) -> str:
    """A text on one line, its beginning alone where it is long."""
    text = text[: length - 3] + "..." if len(text) > length else text
    return "".join(each if each.isprintable() else repr(each)[1:-1] for each in text)


def _root(kind: type[BaseModel]) -> str:
    return f"the {kind.__name__.lower()}"


def _tuples(value: object) -> object:
    """YAML's and JSON's lists as tuples, which frozen settings hold."""
    if isinstance(value, Mapping):
        return {name: _tuples(entry) for name, entry in value.items()}
    return tuple(map(_tuples, value)) if isinstance(value, list | tuple) else value


def _lists(value: object) -> object:
    """The same with tuples as the lists that a user wrote."""
    if isinstance(value, Mapping):
        return {name: _lists(entry) for name, entry in value.items()}
    return list(map(_lists, value)) if isinstance(value, list | tuple) else value


_EXPECTED = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a number",
    "string_type": "text",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "model_type": "keys with values",
    "model_attributes_type": "keys with values",
    "dict_type": "keys with values",
}


def _message(fault: ErrorDetails, kind: type[BaseModel], root: str) -> str:
    """The one line about a fault that pydantic found."""
    steps = list(_walk(kind, fault["loc"]))
    of_a_key = fault["type"] in ("extra_forbidden", "invalid_key") or "[key]" in fault["loc"]
    key = root
    for step in steps[:-1] if of_a_key else steps:
        key = under(key, step.name)
    place, found, wanted = key or _root(kind), fault["input"], steps[-1].kind if steps else kind
    match fault["type"]:
        case "extra_forbidden" | "invalid_key":
            return unknown(key, "key", str(steps[-1].name), steps[-1].owner.model_fields)
        case "missing" if isinstance(found, tuple):
            return f"{key.rpartition('[')[0]}: expected {len(get_args(steps[-1].owner))} values, found {len(found)}"
        case "missing":
            return f"{place}: this key is missing"
        case "too_long":
            return f"{place}: expected {fault['ctx']['max_length']} values, found {fault['ctx']['actual_length']}"
        case "literal_error":
            return _no_choice(place, found, get_args(_bare(wanted)))
        case "union_tag_invalid" | "union_tag_not_found":
            return _no_choice(under(key, "name"), found.get("name"), _members(wanted))
        case "greater_than_equal" | "less_than_equal":
            return f"{place}: {shown(found)} is out of range; it must be {_span(wanted)}"
        case "value_error":
            return f"{place}: {fault['ctx']['error']}"
    expected = _EXPECTED.get(fault["type"])
    return f"{place}: expected {expected}, found {shown(found)}" if expected else f"{place}: {short(fault['msg'])}"


def _no_choice(key: str, found: object, choices: Iterable[object]) -> str:
    names = [str(choice) for choice in choices]
    return f"{key}: {shown(found)} is none of {', '.join(names)}{close(found, names)}"


class _Step(NamedTuple):
    """A key or an index on the way to a fault, with the type that has it and the type that stands there."""

    name: int | str
    owner: Any
    kind: Any


def _walk(kind: Any, location: tuple[int | str, ...]) -> Iterator[_Step]:
    """The steps of pydantic's location of a fault, in which the name of a union's member is no step."""
    for name in location:
        owner = _bare(kind)
        if get_origin(owner) in (Union, types.UnionType):
            kind = _members(owner)[str(name)]
        elif name != "[key]":
            kind = _below(owner, name)
            yield _Step(name, owner, kind)


def _below(owner: Any, name: int | str) -> Any:
    """The type of an entry of a model, a mapping or a tuple; `object` for a key that a model does not know."""
    if isinstance(owner, type) and issubclass(owner, BaseModel):
        field = owner.model_fields.get(str(name))
        return field.rebuild_annotation() if field else object
    arguments = get_args(owner)
    if get_origin(owner) is tuple and isinstance(name, int) and Ellipsis not in arguments:
        return arguments[min(name, len(arguments) - 1)]
    return arguments[1] if get_origin(owner) is dict else arguments[0]


def _bare(kind: Any) -> Any:
    """A type without its annotations and without `| None`."""
    if get_origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    kinds = [each for each in get_args(kind) if each is not type(None)]
    return _bare(kinds[0]) if len(kinds) == 1 and type(None) in get_args(kind) else kind


def _members(union: Any) -> dict[str, type[BaseModel]]:
    """The members of a union by their tags, or by their names."""
    return {_tag(member): member for member in get_args(_bare(union))}


def _tag(member: Any) -> str:
    for mark in getattr(member, "__metadata__", ()):
        if isinstance(mark, Tag):
            return mark.tag
    return str(get_args(member.model_fields["name"].annotation)[0])


def _span(kind: Any) -> str:
    """The closed interval of a number's type, in words."""
    low, high = (next((getattr(mark, end) for mark in _marks(kind) if hasattr(mark, end)), None) for end in ("ge", "le"))
    return f"at least {low:g}" if high is None else f"between {low:g} and {high:g}"


def _marks(kind: Any) -> Iterator[Any]:
    """What a type is annotated with at any depth; the marks of a pydantic field are in its metadata."""
    if get_origin(kind) is Annotated:
        for mark in get_args(kind)[1:]:
            yield from getattr(mark, "metadata", None) or [mark]
    for each in get_args(kind):
        yield from _marks(each)


def _position(location: tuple[int | str, ...], kind: Any, value: object) -> tuple[int, ...]:
    """Where a fault stands in the order of the value; a missing key stands after those that are there."""
    found = []
    for name, _, _ in _walk(kind, location):
        if isinstance(value, Mapping):
            names = {str(key): (place, entry) for place, (key, entry) in enumerate(value.items())}
            place, value = names.get(str(name), (len(names), None))
            found.append(place)
        elif isinstance(value, Sequence) and isinstance(name, int):
            found.append(name)
            value = value[name] if name < len(value) else None
    return tuple(found)
