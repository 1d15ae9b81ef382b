"""What people see while work is done: lines, and a progress bar where there is a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

console = Console(stderr=True, highlight=False)

Advance = Callable[[int, str], None]  # (how far, a few words)


def note(text: str) -> None:
    """One line on stderr."""
    console.print(text, markup=False, soft_wrap=True)


@contextmanager
def bar(what: str, total: int) -> Iterator[Advance]:
    """A progress bar that is told how far the work is; nothing where stderr is no terminal."""
    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.fields[words]}"), console=console, disable=not console.is_terminal) as progress:
        task = progress.add_task(what, total=total, words="")
        yield lambda completed, words: progress.update(task, completed=completed, words=words)
