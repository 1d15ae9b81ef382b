"""Reading and writing files: atomically, without pickles, with one line for what can go wrong."""

import hashlib
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sagan_div.errors import UserError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A path to write to, in the same folder and with the same ending, that replaces `path` once the block has ended well.

    A reader sees the old file or the whole new one. Raises UserError where the folder cannot be written or the disk is full.
    """
    temporary = path.with_name(f".{path.stem}-{secrets.token_hex(4)}{path.suffix}")  # known before it is there
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary.touch(exist_ok=False)
        yield temporary
        temporary.chmod(0o666 & ~_umask())  # last: safetensors puts a file of its own in the place of ours
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be written ({error.strerror or error}); free or choose another place") from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask


def write_text(path: Path, text: str) -> None:
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_bytes(path: Path, content: bytes) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(content)


def remove(path: Path) -> None:
    """Delete a file that may be there. Raises UserError where its folder does not let it."""
    try:
        path.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(f"{path}: cannot be replaced ({error.strerror}); free or choose another place") from None


@contextmanager
def parsing(path: Path, otherwise: str) -> Iterator[None]:
    """Raise UserError with `otherwise` for whatever a library raises for bytes that are no file of its own: none lists that."""
    try:
        yield
    except UserError:
        raise
    except MemoryError:
        raise UserError(f"{path}: does not fit into the memory that is free") from None
    except Exception:
        raise UserError(f"{path}: {otherwise}") from None


def sha256(path: Path) -> str:
    """The SHA-256 of a file. Raises UserError where it is missing, a folder, or what could be read for ever."""
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise UserError(f"{path}: is a device or pipe where a file belongs; name another")
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise UserError(f"{path}: is missing; run the phase that makes it first") from None
    except IsADirectoryError:
        raise UserError(f"{path}: is a folder where a file belongs; move it elsewhere") from None
