"""Where the files of a study lie, as far as its staleness asks: in a folder here, or in a bucket (bucket.py)."""

import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sagan_div.errors import UserError
from sagan_div.remembered import Digests

IsOther = Callable[[Path, str | None, int | None], bool]


class Store(Protocol):
    """The files of a study by the paths of its jobs, all of which begin with `root`."""

    @property
    def root(self) -> Path: ...

    @property
    def mend(self) -> str:
        """What to do about an artefact of a `{phase}` that does not fit."""

    def exists(self, path: Path) -> bool: ...

    def read(self, paths: Iterable[Path]) -> dict[Path, bytes]:
        """The contents of small files, such as records; those that are not there, or cannot be read, are left out."""

    def comparing(self, paths: Iterable[Path]) -> AbstractContextManager[IsOther]:
        """Whether one of these files, where it is there, is another than that of a SHA-256 and a size, as far as is known."""

    def prepare(self, digests: Mapping[Path, str | None]) -> None:
        """Have files be such that jobs can run; `digests` has all of the study's, as recorded, None where that is not known.

        Raises UserError where they cannot be.
        """


@dataclass(frozen=True)
class Folder:
    """Files on the disk: all of their bytes are at hand."""

    root: Path = Path()
    mend: str = "`sagan-div prune {phase}` removes what does not fit"

    def exists(self, path: Path) -> bool:
        return path.exists()

    def read(self, paths: Iterable[Path]) -> dict[Path, bytes]:
        found = {}
        for path in paths:
            try:
                found[path] = path.read_bytes()
            except OSError:
                continue
        return found

    @contextmanager
    def comparing(self, paths: Iterable[Path]) -> Iterator[IsOther]:
        """By its size, and by its bytes, which are read once: as long as it stays what it was, its digest is remembered."""
        digests = Digests("artefacts")
        yield digests.is_other
        digests.keep()

    def prepare(self, digests: Mapping[Path, str | None]) -> None:
        """Refuse links, and date files now that are dated in the future: Snakemake takes what is older than its inputs for a
        fault."""
        now = time.time()
        for path in digests:
            about = _about(path)
            if about and about.st_mtime > now:
                os.utime(path)


HERE = Folder()  # the working folder
IN_A_BUCKET = "delete it in the bucket, and run Snakemake again"


def copies(root: Path) -> Folder:
    """The files that Snakemake has brought from a bucket for a job; the working folder's own without one."""
    return HERE if root == HERE.root else Folder(root, IN_A_BUCKET)


def refuse_links(paths: Iterable[Path]) -> None:
    """Refuse artefacts that are links: who writes to one writes into DVC's cache, and a copy of one gets a new date.

    Raises UserError naming the first.
    """
    for path in paths:
        _about(path)


def _about(path: Path) -> os.stat_result | None:
    """What the file system says of a file, or None where there is none. Raises UserError for a link."""
    try:
        about = path.lstat()
    except OSError:
        return None
    if stat.S_ISLNK(about.st_mode) or (stat.S_ISREG(about.st_mode) and about.st_nlink > 1):
        raise UserError(
            f"{path}: is a link into a cache, where results could be overwritten; "
            "`dvc config --local cache.type reflink,copy` and `dvc checkout --relink` make copies of all"
        )
    return about
