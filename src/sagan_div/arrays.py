"""Reading and writing arrays: .npy and .npz files, atomically, without pickles, with one line for what can go wrong."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from sagan_div import files
from sagan_div.errors import UserError


def write(path: Path, array: np.ndarray) -> None:
    """Write a .npy file."""
    with files.replacing(path) as temporary:
        np.save(temporary, array, allow_pickle=False)


def read(path: Path) -> np.ndarray:
    """A .npy file. Raises UserError where it is missing, truncated or pickled."""
    try:
        array: np.ndarray = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise UserError(f"{path}: is missing; run the phase that makes it first") from None
    except (OSError, ValueError, EOFError):
        raise UserError(f"{path}: is damaged; delete it and run the phase that makes it again") from None
    return array


def write_archive(path: Path, **arrays: np.ndarray) -> None:
    """Write a compressed .npz file."""
    with files.replacing(path) as temporary:
        np.savez_compressed(temporary, **arrays)  # type: ignore[arg-type]


@contextmanager
def archive(path: Path) -> Iterator[np.lib.npyio.NpzFile]:
    """An .npz file, open: an array is read when it is asked for. Raises UserError where it is missing, truncated or pickled."""
    if not path.exists():
        raise UserError(f"{path}: does not exist; name another, or run the phase that makes it first")
    if not zipfile.is_zipfile(path):
        raise UserError(f"{path}: is damaged, or no .npz file; delete it and make it again")
    try:
        with np.load(path, allow_pickle=False) as arrays:
            yield arrays
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error):
        raise UserError(f"{path}: is damaged, or holds something else than arrays; delete it and make it again") from None
