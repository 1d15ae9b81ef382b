"""The console script: whatever happens, at most one line on stderr, and an exit status that says what it was.

Little is imported before a signal can be answered; the commands themselves are in `app`.
"""

import os
import signal
import sys
from contextlib import suppress

TYPE_CHECKING = False  # without the module typing, which takes as long as all else here
if TYPE_CHECKING:
    from sys import UnraisableHookArgs
    from types import FrameType

SIGNALS = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}
_caught: list[int] = []


class Stopped(BaseException):
    """A signal, which no library takes for an error of its own."""


def main() -> None:
    """Exit status 0, 1 where revalidation finds other bits, 2 for an error, 128 + the signal's number after a signal.

    A reader that closes the pipe of stdout, as `head` does, ends a command in silence, with 141 as SIGPIPE would.
    """
    _listen()
    try:
        _open_streams()
        from sagan_div.cli import app

        text, status = app.run()
        sys.stdout.flush()
    except BrokenPipeError:
        text, status = "", 128 + signal.SIGPIPE
    except OSError as error:  # files name themselves; stdout has no name
        text, status = f"{error.filename or 'stdout'}: {error.strerror or error}", 2
    except BaseException:
        if not _caught:
            raise
        text, status = _signalled()  # whatever the code that the signal met has made of it
    _leave(text, status)


def _listen() -> None:
    """Answer signals that whoever started the process has not switched off, wherever they arrive."""
    _caught.clear()
    for number in SIGNALS:
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _stop)
    sys.unraisablehook = _unraisable


def _stop(number: int, _: "FrameType | None") -> None:
    _caught.append(number)
    raise Stopped


def _unraisable(ignored: "UnraisableHookArgs") -> None:
    """A signal that arrives in a callback of Python's own would be reported there and forgotten."""
    if ignored.exc_type is Stopped:
        text, status = _signalled()
        _tell(text)
        os._exit(status)
    sys.__unraisablehook__(ignored)


def _signalled() -> tuple[str, int]:
    number = signal.Signals(_caught[0])
    closed = "\n" if number == signal.SIGINT and sys.stderr.isatty() else ""  # after the terminal's own ^C
    return closed + SIGNALS[number], 128 + number


def _open_streams() -> None:
    """Have three streams: what is written to a closed stdout fails, as it should, and a closed stderr swallows all."""
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:  # the next file that is opened would be taken for the stream
            os.open(os.devnull, os.O_RDONLY if number == 1 else os.O_RDWR)
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8")
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8")


def _tell(text: str) -> None:
    """One line on stderr, in which names of files have no say over the terminal."""
    before = "\n" if text.startswith("\n") else ""
    line = "".join(
        each if each.isprintable() or "\udc80" <= each <= "\udcff" else repr(each)[1:-1] for each in " ".join(text.split())
    )
    with suppress(OSError):
        print(f"{before}sagan-div: {line}", file=sys.stderr, flush=True)


def _leave(text: str, status: int) -> None:
    """End the process: no signal, and nothing that is left in a stream, has a say any more."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)
    if text:
        _tell(text)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # Python would try again on its way out, and complain
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
    sys.exit(status)
