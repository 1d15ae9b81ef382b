"""What people see: lines and a progress bar while work is done, tables at its end; plain text where there is no terminal.

What cannot be shown stops no work: lines on stderr are dropped where it is closed or full. What was asked for goes to stdout.
"""

import codecs
import json
import re
import sys
import textwrap
import unicodedata
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from typing import Any

from rich import box
from rich import table as framing
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.text import Text

LITERAL: dict[str, Any] = {"highlight": False, "markup": False, "emoji": False}  # names of files may look like any of them
NARROW = 80  # columns, below which a bar shows its essence alone
NO_BREAK = "\N{NO-BREAK SPACE}"
PLAIN = {"±": "+-", "–": "-", "−": "-", "×": "x", "’": "'", "‘": "'", "“": '"', "”": '"', "∞": "inf", "…": "...", "·": ";"}


class _Lines(Console):
    """Lines that nobody reads are dropped, where rich would end the process."""

    def on_broken_pipe(self) -> None:
        self.quiet = True


console = _Lines(stderr=True, **LITERAL)

Advance = Callable[[int, str], None]  # (how far, a few words)


def note(text: str) -> None:
    """One line on stderr; several in a terminal that is too narrow for it, which would cut a number."""
    with suppress(OSError):
        lines = _wrapped(text, console.width) if console.is_terminal else [text]
        console.print("\n".join(lines), soft_wrap=True, **LITERAL)


@contextmanager
def bar(what: str, total: int) -> Iterator[Advance]:
    """A progress bar, and the function that moves it; nothing where stderr is no terminal."""
    named, count = TextColumn("{task.description}", markup=False), MofNCompleteColumn()
    columns = (named, count) if console.width < NARROW else (named, BarColumn(), count, TimeElapsedColumn())
    words = TextColumn("{task.fields[words]}", markup=False)
    with Progress(*columns, TimeRemainingColumn(), words, console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=total, words="")
        yield lambda completed, words: progress.update(task, completed=completed, words=words)


@dataclass(frozen=True)
class Row:
    """A row's texts; `strong` are the numbers of those that stand out, and a `foot` row is set apart from those above."""

    cells: tuple[str, ...]
    strong: Collection[int] = ()
    foot: bool = False


@dataclass(frozen=True)
class Table:
    """Texts in columns, of which the first `names` say what a row is about and the others are its numbers.

    A head of several lines has them separated by line breaks; columns named in `quiet` stand back.
    """

    title: str
    heads: Sequence[str]
    names: int = 1
    quiet: Collection[int] = ()
    notes: Sequence[str] = ()
    rows: list[Row] = field(default_factory=list)

    def add(self, *cells: str, strong: Collection[int] = (), foot: bool = False) -> None:
        self.rows.append(Row(cells, strong, foot))


def say(text: str) -> None:
    """Lines on stdout. Raises OSError where they cannot be written."""
    print(text, flush=True)


def show_json(value: Any) -> None:
    """Plain data on stdout for another program, in ASCII."""
    say(json.dumps(value, indent=1, allow_nan=False))


def show(table: Table) -> None:
    """A table on stdout: framed in a terminal, lines of text as long as they are where there is none.

    Where a terminal is too narrow for it, a block of lines for each row: no number is ever cut.
    """
    shown, table = Console(**LITERAL), _legible(table)
    if not shown.is_terminal:
        shown = Console(width=10_000, **LITERAL)
        say("\n".join([table.title, *_printed(shown, [_framed(table, boxed=False)]), *table.notes]))
        return
    framed = _framed(table, boxed=True)
    fits = Console(width=10_000).measure(framed).maximum <= shown.width
    body = [framed] if fits else _stacked(table, shown.width)
    before, after = _wrapped(table.title, shown.width), [line for note in table.notes for line in _wrapped(note, shown.width)]
    say("\n".join([*before, *_printed(shown, body), *after]))


def _printed(shown: Console, parts: Sequence[framing.Table | Text]) -> list[str]:
    """What a console prints of these, without blanks at the ends of lines."""
    with shown.capture() as printed:
        for part in parts:
            shown.print(part, soft_wrap=isinstance(part, Text))
    return [line.rstrip() for line in printed.get().splitlines()]


def _framed(table: Table, boxed: bool) -> framing.Table:
    found = framing.Table(box=box.HEAVY_HEAD if boxed else None)
    for number, head in enumerate(table.heads):
        left = number < table.names
        found.add_column(
            head, justify="left" if left else "right", style="dim" if number in table.quiet else None, no_wrap=True
        )
    before = None
    for row in table.rows:
        if before and row.foot != before.foot:
            found.add_section()
        cells = (Text(cell, "bold" if number in row.strong else "") for number, cell in enumerate(row.cells))
        found.add_row(*cells, style="dim" if row.foot else None)
        before = row
    return found


def _stacked(table: Table, width: int) -> list[Text]:
    """For each row a line of what it is about, and a line for each of its numbers, which wraps between words alone."""
    heads, lines = [" ".join(head.split()) for head in table.heads], []
    for row in table.rows:
        about = " ".join(filter(None, row.cells[: table.names]))
        lines += [Text(line, "bold") for line in _wrapped(about, width)]
        for number, cell in list(enumerate(row.cells))[table.names :]:
            label = heads[number] or "and"
            for line in _wrapped(f"{label}: {cell}", width, "  ") if cell else ():
                lines.append(Text(line, "bold" if number in row.strong else ""))
    return lines


def _wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """Lines no longer than a terminal is wide, but for a word that is longer itself; a spread stays with its mean."""
    wrapper = textwrap.TextWrapper(
        width, initial_indent=indent, subsequent_indent=2 * indent, break_long_words=False, break_on_hyphens=False
    )
    glued = re.sub(r" (?=± )|(?<=±) ", NO_BREAK, text)
    return [line.replace(NO_BREAK, " ") for part in glued.split("\n") for line in wrapper.wrap(part)]


def legible(text: str) -> str:
    """A text in characters that stdout can hold: `+-` where it has no `±`."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    return text.encode(encoding, LEGIBLE).decode(encoding, "surrogateescape")


def _legible(table: Table) -> Table:
    rows = [replace(row, cells=tuple(map(legible, row.cells))) for row in table.rows]
    heads, notes = tuple(map(legible, table.heads)), tuple(map(legible, table.notes))
    return replace(table, title=legible(table.title), heads=heads, notes=notes, rows=rows)


def _instead(error: UnicodeError) -> tuple[str | bytes, int]:
    """What stands for characters that an encoding lacks; the bytes of a file's name that are no text stay what they are."""
    assert isinstance(error, UnicodeEncodeError)
    character = error.object[error.start]
    if "\udc80" <= character <= "\udcff":
        return bytes([ord(character) - 0xDC00]), error.start + 1
    bare = unicodedata.normalize("NFKD", character).encode("ascii", "ignore").decode()  # é -> e
    return PLAIN.get(character) or bare or character.encode("ascii", "backslashreplace").decode(), error.start + 1


LEGIBLE = "sagan_div.legible"  # the name of this way of encoding, for `errors=` of Python's streams
codecs.register_error(LEGIBLE, _instead)
