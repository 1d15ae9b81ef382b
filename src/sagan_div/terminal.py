"""What people see: lines and a progress bar while work is done, tables at its end; plain text where there is no terminal."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

console = Console(stderr=True, highlight=False)

Advance = Callable[[int, str], None]  # (how far, a few words)


def note(text: str) -> None:
    """One line on stderr."""
    console.print(text, markup=False, soft_wrap=True)


@contextmanager
def bar(what: str, total: int) -> Iterator[Advance]:
    """A progress bar, and the function that moves it; nothing where stderr is no terminal."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.fields[words]}"), console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=total, words="")
        yield lambda completed, words: progress.update(task, completed=completed, words=words)


def show(table: Table) -> None:
    """A table on stdout: framed in a terminal, lines of text as long as they are where there is none."""
    framed = Console()
    if framed.is_terminal:
        framed.print(table)
        return
    table.box = None
    plain = Console(width=10_000)
    with plain.capture() as printed:
        plain.print(table)
    print("\n".join(line.rstrip() for line in printed.get().splitlines()))


def show_json(value: Any) -> None:
    """Plain data on stdout for another program."""
    print(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False))
