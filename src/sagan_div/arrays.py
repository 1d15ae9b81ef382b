"""Reading and writing arrays: .npy and .npz files, atomically, without pickles, with one line for what can go wrong."""

import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import prod
from pathlib import Path
from typing import IO

import numpy as np
from numpy.lib import format as npy

from sagan_div import files
from sagan_div.errors import UserError
from sagan_div.settings import short

LARGEST = 4 * 2**30  # bytes of an array in an .npz, unpacked: a few megabytes can become that
DAMAGED = "is damaged, or holds something else than arrays; name another, or make it again"


def write(path: Path, array: np.ndarray) -> None:
    """Write a .npy file."""
    with files.replacing(path) as temporary:
        np.save(temporary, array, allow_pickle=False)


def read(path: Path) -> np.ndarray:
    """A .npy file. Raises UserError where it is missing, truncated or pickled."""
    if not path.is_file():
        raise UserError(f"{path}: is missing; run the phase that makes it first")
    with files.parsing(path, "is damaged; delete it and run the phase that makes it again"), path.open("rb") as file:
        return _array(file, path.stat().st_size)


def write_archive(path: Path, **arrays: np.ndarray) -> None:
    """Write a compressed .npz file."""
    with files.replacing(path) as temporary:
        np.savez_compressed(temporary, **arrays)  # type: ignore[arg-type]


class Archive(Mapping[str, np.ndarray]):
    """An .npz file, open: an array is read when it is asked for.

    Raises UserError then, where it is damaged or pickled, and for one of more than LARGEST bytes.
    """

    def __init__(self, path: Path, file: zipfile.ZipFile) -> None:
        self.path, self._file = path, file
        self._members = {entry.filename.removesuffix(".npy"): entry for entry in file.infolist()}

    def __getitem__(self, name: str) -> np.ndarray:
        entry = self._members[name]
        with files.parsing(self.path, DAMAGED), self._file.open(entry) as file:
            if entry.file_size > LARGEST:
                raise UserError(f"{self.path}: its {short(name)} has {entry.file_size:,} bytes; at most {LARGEST:,} are read")
            return _array(file, entry.file_size)

    def __contains__(self, name: object) -> bool:
        return name in self._members

    def __iter__(self) -> Iterator[str]:
        return iter(self._members)

    def __len__(self) -> int:
        return len(self._members)

    def __str__(self) -> str:
        """The names of the arrays, as far as they fit on a line."""
        return short(", ".join(self)) or "nothing"

    def text(self, name: str) -> str:
        """A line of text, such as a name or a reason; empty where there is none. Raises UserError for anything else."""
        found = self.get(name, np.array(""))
        if found.dtype.kind != "U" or found.ndim or found.itemsize > 4 * 1000 or not str(found).isprintable():
            raise UserError(f"{self.path}: its {name} is no line of text; delete it and make it again")
        return str(found)


@contextmanager
def archive(path: Path) -> Iterator[Archive]:
    """An .npz file, open. Raises UserError where it is missing or no .npz file."""
    if not path.exists():
        raise UserError(f"{path}: does not exist; name another, or run the phase that makes it first")
    if not path.is_file():
        raise UserError(f"{path}: is no file; name an .npz file")
    with files.parsing(path, "is damaged, or no .npz file; name another, or make it again"):
        file = zipfile.ZipFile(path)
        opened = Archive(path, file)
    with file:
        yield opened


def _array(file: IO[bytes], size: int) -> np.ndarray:
    """The array in an open .npy file of `size` bytes. Raises ValueError, before memory is taken, where it claims more."""
    if npy.read_magic(file) != (1, 0):  # later ones have longer headers, for arrays of records
        raise ValueError("is of another version")
    shape, _, dtype = npy.read_array_header_1_0(file)
    if prod(shape) * dtype.itemsize > size:
        raise ValueError("claims more than there is")
    file.seek(0)
    array: np.ndarray = npy.read_array(file, allow_pickle=False)
    return array
