"""What the site is made of beside the Markdown files: reference pages from the code itself, and formulae as MathML."""

import html
import re
import sys
import types
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import click
from latex2mathml.converter import convert
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "src"))  # the package of this very checkout

from sagan_div.cli import app as cli  # noqa: E402
from sagan_div.settings import Settings  # noqa: E402
from sagan_div.study.datasets import BUILT_IN_DATASETS, DatasetConfig  # noqa: E402
from sagan_div.study.schema import Extractor, Study, TorchScriptConfig  # noqa: E402

SECTION = "the keys below"
KINDS = {int: "whole number", float: "number", str: "text", bool: "true or false"}
LINE = re.compile(r"(?P<indent> *)(?P<key>[\w-]+):(?P<value>[^#]*)(?:# (?P<words>.*))?$")
FURTHER = re.compile(r" +# (?P<words>.*)$")  # goes on in a line of its own
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
    """Every key of params.yaml: what it takes, and what the schema and the file's own comments say of it."""
    comments = _comments((ROOT / "params.yaml").read_text(encoding="utf-8"))
    found = [(key, takes, _meaning(key, said, comments)) for key, takes, said in _keys(Study, "", "")]
    rows = [f"| `{key}` | {takes} | {meaning} |" for key, takes, meaning in found if takes != SECTION or meaning]
    return "\n".join(
        [
            "# Settings",
            "",
            "Every key of `params.yaml`, made from `sagan_div/study/schema.py` and the comments of the file. All are required",
            "but those marked optional; unknown keys are refused. A1 to A37 are explained in [Protocols](../protocols.md).",
            "",
            "| key | takes | meaning |",
            "| --- | --- | --- |",
            *rows,
            "",
        ]
    )


def _keys(kind: Any, key: str, said: str) -> Iterator[tuple[str, str, str]]:
    """(key, what it takes, what is said of it) for each leaf below a type of the schema."""
    if get_origin(kind) is Annotated:
        bare, *marks = get_args(kind)
        yield from ((name, takes + _span(marks), words) for name, takes, words in _keys(bare, key, said))
    elif get_origin(kind) in (Union, types.UnionType):
        members = [each for each in get_args(kind) if each is not type(None)]
        if len(members) == 1:
            yield from ((name, f"{takes}, optional", words) for name, takes, words in _keys(members[0], key, said))
        elif any(each in KINDS for each in members):
            yield key, f"{' or '.join(map(_takes, members))}, optional", said
        else:
            for member in members:
                yield from _below(member, key, f" ({get_args(member.model_fields['name'].annotation)[0]})")
    elif get_origin(kind) is dict:
        yield from _keys(get_args(kind)[1], f"{key}.NAME", said)
    elif isinstance(kind, type) and issubclass(kind, Settings) and kind is not DatasetConfig:
        if key and "NAME" not in key:  # what params.yaml says there is about one method
            yield key, SECTION, said
        yield from _below(kind, key)
    else:
        yield key, _takes(kind), said
        if get_origin(kind) is tuple and get_args(kind)[0] == Extractor:
            yield from _below(TorchScriptConfig, f"{key}[]")


def _below(kind: type[Settings], key: str, which: str = "") -> Iterator[tuple[str, str, str]]:
    for field, about in kind.model_fields.items():
        for name, takes, said in _keys(about.rebuild_annotation(), f"{key}.{field}".lstrip("."), about.description or ""):
            yield name + which if which and "(" not in name else name, takes, said


def _takes(kind: Any) -> str:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Literal:
        return " or ".join(f"`{choice}`" for choice in arguments)
    if origin is Annotated:
        return _takes(arguments[0]) + _span(arguments[1:])
    if origin in (Union, types.UnionType):
        return " or ".join(map(_takes, arguments))
    if kind is TorchScriptConfig:
        return "a mapping of a TorchScript file"
    if origin is tuple:
        inside = [_takes(each) for each in arguments if each is not Ellipsis]
        return f"list of {inside[0]}" if Ellipsis in arguments else f"list of {len(inside)}: {inside[0]}"
    if kind is DatasetConfig:
        return f"{' or '.join(f'`{name}`' for name in BUILT_IN_DATASETS)}, `NAME: FOLDER`, or `NAME: {{path: FOLDER, …}}`"
    return KINDS[kind]


def _span(marks: Iterable[Any]) -> str:
    """The range of a number, from what its type is annotated with."""
    inner = [each for mark in marks for each in getattr(mark, "metadata", None) or [mark]]
    low, high = (next((getattr(each, end) for each in inner if hasattr(each, end)), None) for end in ("ge", "le"))
    return ("" if low is None else f" from {low:g}") + ("" if high is None else f" to {high:g}")


def _comments(text: str) -> dict[str, str]:
    """The comment of each key; it may go on in lines that hold nothing else."""
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


def _meaning(key: str, said: str, comments: dict[str, str]) -> str:
    """What the schema says of a key and the comment on it, of the methods' keys that of the first method which has one."""
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
