"""A job's saved state beyond its node: taken before the work from where it is kept, and put there after every save.

What saves the state knows nothing of it: a thread follows the file, so that no network holds up the work.
"""

import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

from sagan_div import files, remote
from sagan_div.errors import UserError
from sagan_div.models import checkpoints
from sagan_div.remote import Remote, Unreachable

LOOK = 0.5  # seconds between looks at the file
PAUSES = (2.0, 5.0, 10.0, 20.0)  # seconds between tries to take a state
AGAIN = 30.0  # seconds until the next try to put one that could not be put
PATIENCE = 60.0  # seconds that the last save has to arrive of a job that has to end: nodes grant two minutes or less

Note = Callable[[str], None]


@contextmanager
def kept(path: Path, place: str, note: Note) -> Iterator[None]:
    """Keep a state at a place under its own path while the block runs; once it has ended well, remove it there.

    Raises UserError for a place that cannot be used, and for what is kept there and is no state of this job. Where one cannot
    be put, `note` gets a line, and the block goes on.
    """
    there = remote.at(place)
    if there.is_working_folder:
        raise UserError(f"{place}: is the working folder, which the state has to outlive; name another place")
    taken = _take(there, path, note)
    follower = _Follower(there, path, note, taken)
    try:
        yield
    except BaseException as error:
        if taken and isinstance(error, UserError) and str(error).startswith(f"{path}: "):
            follower.stop()
            files.remove(path)  # else it would be taken for one that was saved here
            raise UserError(str(error).replace(str(path), there.url(path), 1)) from None
        follower.finish()
        raise
    follower.stop()
    try:
        there.remove(path)
    except (Unreachable, UserError) as fault:
        note(f"{there.url(path)}: cannot be removed ({fault}); nothing needs it any more")


def _take(there: Remote, path: Path, note: Note) -> bool:
    """Bring the state that is kept, unless the one that is here is as far; whether it was brought."""
    arrived = path.with_name(f"arriving{path.suffix}")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        if not _got(there, path, arrived, note) or (path.exists() and _cycle(path) >= _cycle(arrived)):
            return False
        arrived.replace(path)
    except UserError as error:
        raise UserError(str(error).replace(str(arrived), there.url(path), 1)) from None
    finally:
        files.remove(arrived)
    note(f"{there.url(path)}: the saved state is taken from there")
    return True


def _got(there: Remote, name: Path, to: Path, note: Note) -> bool:
    """Whether a file was there to be got. Raises UserError where the place cannot be asked for a minute."""
    for pause in (*PAUSES, None):
        try:
            return there.get(name, to)
        except Unreachable as fault:
            if pause is None:
                raise UserError(
                    f"{there.url()}: cannot be asked for a saved state ({fault}); to begin without one, leave out --state"
                ) from None
            note(f"{there.url()}: cannot be asked for a saved state ({fault}); trying again")
            time.sleep(pause)
    raise AssertionError


def _cycle(path: Path) -> int:
    """How far a state is; -1 for what does not say."""
    cycle = checkpoints.load(path)[1].get("cycle")
    return cycle if isinstance(cycle, int) else -1


class _Follower:
    """Puts a file there whenever it is another one here."""

    def __init__(self, there: Remote, path: Path, note: Note, known: bool) -> None:
        """`known` says that the file as it is now is there already."""
        self._there, self._path, self._note = there, path, note
        self._put = _stamp(path) if known else None
        self._failing = False
        self._ended, self._dropped = Event(), False
        self._thread = Thread(target=self._follow, daemon=True)
        self._thread.start()

    def finish(self) -> None:
        """Put what was saved last."""
        self._ended.set()
        self._thread.join(PATIENCE)
        if self._thread.is_alive():
            self._note(f"{self._there.url(self._path)}: the last saved state has not arrived within {PATIENCE:.0f} seconds")

    def stop(self) -> None:
        """Put nothing more."""
        self._dropped = True
        self._ended.set()
        self._thread.join(PATIENCE)

    def _follow(self) -> None:
        while not self._ended.wait(AGAIN if self._failing else LOOK):
            self._put_if_new()
        self._put_if_new()

    def _put_if_new(self) -> None:
        stamp = _stamp(self._path)
        if self._dropped or stamp in (None, self._put):
            return
        copy = self._path.with_name(f"leaving{self._path.suffix}")
        try:
            shutil.copyfile(self._path, copy)  # the file itself is replaced by the next save
            self._there.put(copy, self._path)
        except (OSError, UserError, Unreachable) as fault:
            if not self._failing:
                self._note(f"{self._there.url(self._path)}: the state cannot be kept there ({fault}); the work goes on")
            self._failing = True
            return
        finally:
            copy.unlink(missing_ok=True)
        if self._failing:
            self._note(f"{self._there.url(self._path)}: the state is kept there again")
        self._put, self._failing = stamp, False


def _stamp(path: Path) -> tuple[int, int] | None:
    """What tells a file from another in its place; None where there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino
