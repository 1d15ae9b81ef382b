"""The digest of a folder of images: it is another one where the files that count have other names or other bytes."""

import contextlib
import hashlib
import os
import time
from pathlib import Path

from sagan_div import files, remembered, terminal
from sagan_div.errors import UserError
from sagan_div.image_files import listing
from sagan_div.remembered import Digests, Stamp

LARGE = 2**26  # bytes of a folder from which on digests are remembered
UNREADABLE = "unreadable"  # in the place of a digest; what reads the file will say so


def digest(root: Path) -> str:
    """The SHA-256 of the names and bytes of the images below a folder, through links; of nothing where there is no folder.

    In a large folder a file is read once, as `remembered` has it.
    """
    if not root.is_dir():
        return hashlib.sha256().hexdigest()
    stamps = {path: _stamp(root / path) for path in listing(root).images}
    large = sum(stamp.size for stamp in stamps.values()) >= LARGE
    memory = Digests(hashlib.sha256(os.fsencode(root.resolve())).hexdigest()[:16] if large else None)
    found = {path: memory.recall(str(path), stamp) for path, stamp in stamps.items()}
    fresh = [path for path, known in found.items() if known is None]
    with terminal.bar("reading images", len(fresh)) if large and fresh else contextlib.nullcontext(_shown_nowhere) as advance:
        for done, path in enumerate(fresh, 1):
            found[path] = read = _sha256(root / path)
            if read != UNREADABLE:
                memory.learn(str(path), stamps[path], read)
            advance(done, "")
    memory.keep()
    whole = hashlib.sha256()
    for path, known in found.items():
        whole.update(os.fsencode(path) + b"\0" + str(known).encode() + b"\n")
    return whole.hexdigest()


def _shown_nowhere(done: int, words: str) -> None:
    """A small folder is read at once."""


def _stamp(path: Path) -> Stamp:
    try:
        return remembered.stamp(path)
    except OSError:  # gone meanwhile, or not to be read
        return Stamp(0, 0, 0, 0, time.time_ns())


def _sha256(path: Path) -> str:
    try:
        return files.sha256(path)
    except (OSError, UserError):
        return UNREADABLE
