"""A study whose files are objects in a bucket, which jobs on any machine reach: no disk is shared.

One listing tells what is there and how large it is; records and other small files are fetched side by side. Nothing else is
downloaded to plan.
"""

import hashlib
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from functools import cached_property
from pathlib import Path

from sagan_div import files
from sagan_div.workflow.snakemake_storage import Storage
from sagan_div.workflow.store import IN_A_BUCKET, IsOther

AT_ONCE = 10  # requests: as many connections as boto3 keeps
SMALL = 64 * 1024  # bytes up to which an object is read and held to its digest: scores, histories, tables


class Bucket:
    """A study's files in Snakemake's default storage; paths are as in a working folder."""

    root = Path()
    mend = IN_A_BUCKET

    def __init__(self, storage: Storage, folders: Iterable[Path]) -> None:
        """`folders` have all of the study's files."""
        self._storage, self._folders = storage, tuple(folders)
        self._read: dict[Path, bytes] = {}

    @cached_property
    def _sizes(self) -> dict[Path, int]:
        """The bytes of every object below the folders, as they are when they are first asked for."""
        return self._storage.sizes(self._folders)

    def exists(self, path: Path) -> bool:
        return path in self._sizes

    def read(self, paths: Iterable[Path]) -> dict[Path, bytes]:
        wanted = [path for path in paths if path in self._sizes]
        new = [path for path in wanted if path not in self._read]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            self._read |= dict(zip(new, pool.map(self._storage.read, new), strict=True))
        return {path: self._read[path] for path in wanted}

    def comparing(self, paths: Iterable[Path]) -> AbstractContextManager[IsOther]:
        """Read those that are small."""
        self.read(path for path in paths if self._sizes.get(path, SMALL + 1) <= SMALL)
        return nullcontext(self._is_other)

    def _is_other(self, path: Path, digest: str | None, size: int | None) -> bool:
        """By its size, or by its bytes where they have been read."""
        if path in self._read:
            return hashlib.sha256(self._read[path]).hexdigest() != digest
        return digest is None or (size is not None and self._sizes[path] != size)

    def prepare(self, digests: Mapping[Path, str | None]) -> None:
        """Delete copies, left here by a run that was killed, that are not what the bucket has: jobs would read them."""
        for path, digest in digests.items():
            copy = self._storage.copy(path)
            if copy.is_file() and files.sha256(copy) != digest:
                files.remove(copy)
