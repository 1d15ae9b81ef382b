"""The digest of a folder of images: it is another one where the files that count have other names or other bytes."""

import contextlib
import hashlib
import json
import os
import time
from pathlib import Path

from sagan_div import files, terminal
from sagan_div.errors import UserError
from sagan_div.image_files import listing

REMEMBERED = Path("scratch", ".contents")  # what the digests of large folders were taken from
LARGE = 2**26  # bytes of a folder from which on digests are remembered
SETTLED = 5e9  # nanoseconds after which a file that changes gets another time of change, on any file system

Stamp = list[int]  # device, inode, size, times of modification and of change: the last one no user can set
Known = dict[str, tuple[Stamp, str]]  # by the file's name, its SHA-256


def digest(root: Path) -> str:
    """The SHA-256 of the names and bytes of the images below a folder, through links; of nothing where there is no folder.

    In a large folder a file is read once: until its inode, size or time of change is another, its digest is remembered.
    """
    if not root.is_dir():
        return hashlib.sha256().hexdigest()
    started = time.time_ns()
    stamps = {path: _stamp(root / path) for path in listing(root).images}
    large = sum(stamp[2] for stamp in stamps.values()) >= LARGE
    memory = REMEMBERED / f"{hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:16]}.json"
    before = _remembered(memory) if large else {}
    known = {str(path): before[str(path)] for path, stamp in stamps.items() if before.get(str(path), ([], ""))[0] == stamp}
    fresh = [path for path in stamps if str(path) not in known]
    with terminal.bar("reading images", len(fresh)) if large and fresh else contextlib.nullcontext(_shown_nowhere) as advance:
        for done, path in enumerate(fresh, 1):
            known[str(path)] = stamps[path], _sha256(root / path)
            advance(done, "")
    if large and fresh:
        _remember(memory, known, before=started)
    whole = hashlib.sha256()
    for path in stamps:
        whole.update(os.fsencode(path) + b"\0" + known[str(path)][1].encode() + b"\n")
    return whole.hexdigest()


def _shown_nowhere(done: int, words: str) -> None:
    """A small folder is read at once."""


def _stamp(path: Path) -> Stamp:
    try:
        about = path.stat()
    except OSError:  # gone meanwhile; what reads it will say so
        return [0, 0, 0, 0, time.time_ns()]
    return [about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns]


def _sha256(path: Path) -> str:
    try:
        return files.sha256(path)
    except (OSError, UserError):  # what reads it will say so
        return "unreadable"


def _remembered(path: Path) -> Known:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return {str(name): (list(stamp), str(digest)) for name, (stamp, digest) in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _remember(path: Path, known: Known, before: int) -> None:
    """Keep digests of files that had long been as they are. Where nothing can be written, they are read again next time."""
    settled = before - SETTLED
    kept = {name: entry for name, entry in known.items() if entry[0][4] < settled and entry[1] != "unreadable"}
    with contextlib.suppress(UserError):
        files.write_text(path, json.dumps(kept))
