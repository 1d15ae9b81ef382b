"""The one reader of what users write: YAML 1.2 as DVC's own reader takes it, and every fault in one line.

Both are ruamel.yaml's safe loader, so that `010` is 10, `on` is text and `2e-05` is a number here and there. Refused besides
what that loader refuses: a key that is no text, a number beyond 64 bits, and what unfolds to more than a study can hold.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import ConstructorError, SafeConstructor
from ruamel.yaml.error import YAMLError
from ruamel.yaml.nodes import Node

from sagan_div.errors import UserError
from sagan_div.settings import shown

MOST_VALUES, MOST_BYTES = 100_000, 1_000_000


class _Constructor(SafeConstructor):
    """ruamel's, which says where it failed."""

    def construct_object(self, node: Node, deep: bool = False) -> Any:
        try:
            value = super().construct_object(node, deep=deep)
        except (ValueError, OverflowError):  # a date such as 2001-99-99, an integer of thousands of digits
            raise ConstructorError(None, None, f"{shown(node.value)} is no value", node.start_mark) from None
        if isinstance(value, int) and abs(value) >= 2**63:
            raise ConstructorError(None, None, f"{shown(node.value)} has more than 64 bits", node.start_mark)
        return value

    def check_mapping_key(self, node: Node, key_node: Node, mapping: Any, key: Any, value: Any) -> bool:
        if not isinstance(key, str):
            raise ConstructorError(None, None, f"expected text as a key, found {shown(key)}", key_node.start_mark)
        if key in mapping:
            raise ConstructorError(None, None, f"the key '{key}' is there twice", key_node.start_mark)
        return True


def parse(text: str, place: str) -> Any:
    """YAML as plain data; `place` names it in messages. Raises UserError with the line of the fault."""
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _Constructor
    try:
        value = yaml.load(text)
    except RecursionError:
        raise UserError(f"{place}: not valid YAML: it is nested too deeply") from None
    except YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"{place}:{mark.line + 1}" if mark else place
        problem = getattr(error, "problem", None) or getattr(error, "reason", None) or str(error).splitlines()[0]
        raise UserError(f"{where}: not valid YAML: {problem}") from None
    return bounded(value, place)


def bounded(value: Any, place: str) -> Any:
    """The same value. Raises UserError for one whose aliases would fill the memory."""
    if _size(value, {}) > MOST_VALUES:
        raise UserError(f"{place}: not valid YAML: its aliases unfold to more than {MOST_VALUES:,} values, or to themselves")
    return value


def mapping(path: Path) -> dict[str, Any]:
    """A file's keys with their values. Raises UserError for one that cannot be read or holds something else."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
        if len(content) > MOST_BYTES:
            raise UserError(f"{path}: is larger than a study can be; name another with --params or --overlay")
        values = parse(content.decode(), str(path))
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); name another with --params or --overlay") from None
    except UnicodeDecodeError:
        raise UserError(f"{path}: is not a text file") from None
    if values is not None and not isinstance(values, Mapping):
        raise UserError(f"{path}: expected keys with values, found {shown(values)}")
    return dict(values or {})


def _size(value: object, known: dict[int, float]) -> float:
    """How many values there are when every alias is written out, without doing so; infinite where one holds itself."""
    if not isinstance(value, Mapping | list):
        return 1
    if id(value) not in known:
        known[id(value)] = float("inf")
        entries = value.values() if isinstance(value, Mapping) else value
        known[id(value)] = 1 + sum(_size(entry, known) for entry in entries)
    return known[id(value)]
