"""Digests of files, each read once: until its inode, size or time of change is another, its digest is remembered."""

import contextlib
import errno
import json
import os
import stat
import time
from pathlib import Path
from typing import NamedTuple

from sagan_div import files
from sagan_div.errors import UserError

FOLDER = Path("scratch", ".contents")  # what digests were taken from
SETTLED = 5e9  # nanoseconds after which a file that changes gets another time of change, on any file system


class Stamp(NamedTuple):
    """What is another after every change of a file. No user can set the time of change."""

    device: int
    inode: int
    size: int
    modified: int
    changed: int


def stamp(path: Path) -> Stamp:
    """The stamp of a file, which is opened for it: on NFS a look without that may be a minute old.

    Raises OSError where it is none, or cannot be read.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        about = os.fstat(descriptor)
    finally:
        os.close(descriptor)
    if not stat.S_ISREG(about.st_mode):
        raise OSError(errno.EINVAL, "is no file", str(path))
    return Stamp(about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns)


class Digests:
    """The SHA-256 of files by name, remembered from one process to the next in a file of FOLDER; without a name, not."""

    def __init__(self, name: str | None) -> None:
        self._place = FOLDER / f"{name}.json" if name else None
        self._started = time.time_ns()
        self._known = _read(self._place) if self._place else {}
        self._learned = False

    def recall(self, name: str, now: Stamp) -> str | None:
        """The digest of a file that is still as it was when it was read."""
        before, digest = self._known.get(name, (None, ""))
        return digest if before == now else None

    def learn(self, name: str, before: Stamp, digest: str) -> None:
        """Take in the digest of a file that was read after its stamp was taken."""
        self._known[name] = before, digest
        self._learned = True

    def is_other(self, path: Path, digest: str | None, size: int | None) -> bool:
        """Whether a file is not the one of this SHA-256 and, where it is known, size. It is read unless it was before.

        Raises UserError as `files.sha256` does.
        """
        try:
            now = stamp(path)
        except OSError:
            return files.sha256(path) != digest  # or says what is wrong
        if size is not None and size != now.size:
            return True
        known = self.recall(str(path), now)
        if known is None:
            known = files.sha256(path)
            self.learn(str(path), now, known)
        return known != digest

    def keep(self) -> None:
        """Write what is new, of files that had long been as they are. Where that fails, they are read again next time."""
        kept = {name: known for name, known in self._known.items() if known[0].changed < self._started - SETTLED}
        if self._learned and self._place and kept:
            with contextlib.suppress(UserError):
                files.write_text(self._place, json.dumps(kept))


def _read(place: Path) -> dict[str, tuple[Stamp, str]]:
    try:
        found = json.loads(place.read_text(encoding="utf-8"))
        return {str(name): (Stamp(*map(int, before)), str(digest)) for name, (before, digest) in found.items()}
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}
