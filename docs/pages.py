"""What the site is made of beside the Markdown files: reference pages from the code itself, and formulae as MathML."""

import html
import re
import sys
import types
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import click
from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))  # the package of this very checkout

from sagan_div.cli import main as cli  # noqa: E402
from sagan_div.study import schema as config  # noqa: E402

SECTION = "the keys below"
KINDS = {int: "whole number", float: "number", str: "text", bool: "true or false"}
LINE = re.compile(r"(?P<indent> *)(?P<key>[\w-]+):(?P<value>[^#]*)(?:# (?P<words>.*))?$")
FURTHER = re.compile(r" +(?:- (?P<entry>[^#]*?) *)?# (?P<words>.*)$")  # goes on, or stands beside an entry of a list
FORMULA = re.compile(r'<(span|div) class="arithmatex">\\[(\[](.*?)\\[)\]]</\1>', re.DOTALL)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages of the reference."""
    for name, text in (("settings", settings_page()), ("commands", commands_page())):
        files.append(File.generated(config, f"reference/{name}.md", content=text))
    return files


def on_page_content(content: str, **_: Any) -> str:
    """Browsers draw MathML by themselves: no script is needed, from here or elsewhere."""
    return FORMULA.sub(lambda found: _mathml(found[2], "block" if found[1] == "div" else "inline"), content)


def _mathml(formula: str, display: str) -> str:
    return str(convert(html.unescape(formula), display=display))


def settings_page() -> str:
    """Every key of params.yaml: what it takes, and what config.py and the file's own comments say of it."""
    comments = _comments((ROOT / "params.yaml").read_text(encoding="utf-8"))
    told = [(key, takes, _meaning(key, said, comments)) for key, takes, said in _keys(config.Study, "")]
    rows = [f"| `{key}` | {takes} | {meaning} |" for key, takes, meaning in told if takes != SECTION or meaning]
    return "\n".join(
        [
            "# Settings",
            "",
            "Every key of `params.yaml`, made from `sagan_div/config.py` and the comments of the file. All are required",
            "but those marked optional; unknown keys are refused. A1 to A37 are explained in [Protocols](../protocols.md).",
            "",
            "| key | takes | meaning |",
            "| --- | --- | --- |",
            *rows,
            "",
        ]
    )


def _keys(kind: Any, key: str) -> Iterator[tuple[str, str, str]]:
    """(key, what it takes, what is said of it) for each leaf below a type of config.py."""
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        said = next((mark for mark in arguments if isinstance(mark, str)), "")
        spans = [_span(mark) for mark in arguments if isinstance(mark, config.Within)]
        yield from ((name, " ".join([takes, *spans]), said or inner) for name, takes, inner in _keys(arguments[0], key))
    elif origin in (Union, types.UnionType) and type(None) in arguments:
        (kind,) = (each for each in arguments if each is not type(None))
        yield from ((name, f"{takes}, optional", said) for name, takes, said in _keys(kind, key))
    elif origin in (Union, types.UnionType):
        for each in arguments:
            name = get_args(get_type_hints(each)["name"])[0]
            yield from _below(each, key, f" ({name})")
    elif origin is dict:
        yield from _keys(arguments[1], f"{key}.NAME")
    elif is_dataclass(kind) and not hasattr(kind, "read"):
        if key and "NAME" not in key:  # what params.yaml says there is about one method
            yield key, SECTION, ""
        yield from _below(kind, key)
    else:
        yield key, _takes(kind), ""


def _below(kind: Any, key: str, which: str = "") -> Iterator[tuple[str, str, str]]:
    hints = get_type_hints(kind, include_extras=True)
    for field in fields(kind):
        for name, takes, said in _keys(hints[field.name], f"{key}.{field.name}".lstrip(".")):
            yield name + which if which and "(" not in name else name, takes, said


def _takes(kind: Any) -> str:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return " or ".join(f"`{choice}`" for choice in arguments)
    if origin is Annotated:
        spans = [_span(mark) for mark in arguments[1:] if isinstance(mark, config.Within)]
        return " ".join([_takes(arguments[0]), *spans])
    if origin is tuple:
        inside = [_takes(each) for each in arguments if each is not Ellipsis]
        return f"list of {inside[0]}" if Ellipsis in arguments else f"list of {len(inside)}: {inside[0]}"
    if kind is config.DatasetConfig:
        return f"{' or '.join(f'`{name}`' for name in config.BUILT_IN_DATASETS)}, or `NAME: FOLDER`"
    return KINDS[kind]


def _span(within: config.Within) -> str:
    return f"from {within.low:g}" + ("" if within.high == float("inf") else f" to {within.high:g}")


def _comments(text: str) -> dict[str, str]:
    """The comment of each key; it may go on in lines that hold nothing else, or beside the entries of a list."""
    path: list[tuple[int, str]] = []
    found: dict[str, str] = {}
    for line in text.splitlines():
        if key := LINE.match(line):
            path = [*(entry for entry in path if entry[0] < len(key["indent"])), (len(key["indent"]), key["key"])]
        name = ".".join(part for _, part in path)
        if key and key["words"]:
            found[name] = key["words"]
        elif path and (further := FURTHER.match(line)):
            words = f"; {further['entry']}: {further['words']}" if further["entry"] else f" {further['words']}"
            found[name] = (found.get(name, "").rstrip(";") + words).strip("; ")
    return found


def _meaning(key: str, said: str, comments: dict[str, str]) -> str:
    """What config.py says of a key and the comment on it, of the methods' keys that of the first method which has one."""
    pattern = re.compile(re.escape(key.partition(" ")[0]).replace("NAME", "[^.]+"))
    comment = next((text for name, text in comments.items() if pattern.fullmatch(name)), "")
    return comment if said in comment else f"{said}; {comment}".rstrip("; ")


def commands_page() -> str:
    """`--help` of sagan-div and of each of its commands."""
    context = click.Context(cli.app, info_name="sagan-div", max_content_width=110, terminal_width=110)
    parts = ["# Command line", "", "What `--help` prints.", "", _fenced(cli.app.get_help(context))]
    for name in cli.app.list_commands(context):
        command = cli.app.get_command(context, name)
        assert command is not None
        inner = click.Context(command, parent=context, info_name=name, max_content_width=110, terminal_width=110)
        parts += [f"## {name}", "", _fenced(command.get_help(inner))]
    return "\n".join(parts)


def _fenced(text: str) -> str:
    return f"```text\n{text}\n```\n"
