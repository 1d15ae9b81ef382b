"""A place beyond this machine that has files under the names of a working folder: another folder, or a bucket by its URL.

fsspec reaches it. Passwords come from the surroundings, as each kind of bucket has them, and are never shown.
"""

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sagan_div import files
from sagan_div.errors import UserError
from sagan_div.mirror import shown

S3 = ("s3", "s3a")
OF_SNAKEMAKE = {  # variables that Snakemake's S3 plugin reads, by s3fs's names; where there is none, AWS_* and ~/.aws count
    "endpoint_url": "SNAKEMAKE_STORAGE_S3_ENDPOINT_URL",
    "key": "SNAKEMAKE_STORAGE_S3_ACCESS_KEY",
    "secret": "SNAKEMAKE_STORAGE_S3_SECRET_KEY",
    "token": "SNAKEMAKE_STORAGE_S3_TOKEN",
}
WITH_BUCKETS = (*S3, "gs", "gcs", "az", "abfs", "adl")  # whose uploads are all or nothing


class Unreachable(Exception):  # noqa: N818 (what went wrong on the way)
    """The place, or the way to it, is out of order now; as text, why."""


@dataclass(frozen=True)
class Remote:
    """Files by their `name`, a relative path."""

    place: str = field(repr=False)  # may hold a password
    _system: Any = field(repr=False)
    _root: str = field(repr=False)

    def url(self, name: Path = Path()) -> str:
        """Where a file is, for people."""
        return shown(f"{self.place.rstrip('/')}/{name}" if name.parts else self.place)

    def sizes(self, folders: Iterable[Path]) -> dict[Path, int]:
        """The bytes of every file below some folders. Raises UserError where there is no such bucket, and Unreachable."""
        found: dict[Path, int] = {}
        with self._asking():
            self._require_bucket()
            for folder in folders:
                below = self._system.find(self._key(folder), detail=True)
                found |= {Path(key).relative_to(self._root): int(about["size"]) for key, about in below.items()}
        return found

    def get(self, name: Path, to: Path) -> bool:
        """Copy a file to a path here; whether there is one. Raises UserError where there is no such bucket, and Unreachable."""
        with self._asking():
            try:
                self._system.get_file(self._key(name), str(to))
                return True
            except FileNotFoundError:
                self._require_bucket()
                return False

    def put(self, path: Path, name: Path) -> None:
        """Copy a file there, in one piece or not at all. Raises UserError where there is no such bucket, and Unreachable."""
        with self._asking():
            if self._is_folder:
                with files.replacing(Path(self._key(name))) as temporary:
                    shutil.copyfile(path, temporary)
            else:
                self._system.put_file(str(path), self._key(name))

    def remove(self, name: Path) -> None:
        """Remove a file that may be there, and the folders that it leaves empty. Raises Unreachable."""
        with self._asking():
            try:
                self._system.rm_file(self._key(name))
            except FileNotFoundError:
                return
            if self._is_folder:
                _remove_empty(Path(self._key(name)).parent, Path(self._root))

    @property
    def is_working_folder(self) -> bool:
        return self._is_folder and Path(self._root) == Path.cwd().resolve()

    @property
    def _is_folder(self) -> bool:
        return "://" not in self.place

    def _key(self, name: Path) -> str:
        return f"{self._root}/{name}" if name.parts else self._root

    def _require_bucket(self) -> None:
        bucket = self._root.split("/", 1)[0]
        try:
            if not self._is_folder:
                self._system.info(bucket)
        except FileNotFoundError:
            raise UserError(f"{self.url()}: there is no bucket {bucket}; make it, or correct its name") from None

    @contextmanager
    def _asking(self) -> Iterator[None]:
        """Whatever a library raises is one of two things: no right to it, or a fault on the way."""
        try:
            yield
        except UserError:
            raise
        except PermissionError as error:
            raise UserError(f"{self.url()}: access is denied ({_words(error)}); check the keys and their rights") from None
        except Exception as error:
            raise Unreachable(_words(error)) from None


def at(place: str) -> Remote:
    """The place of a path or URL. Raises UserError for what is neither, and where what reaches it is not installed.

    A folder has to be there: where a volume is not mounted, files would go to the machine's own disk.
    """
    scheme, separator, _ = place.partition("://")
    if not separator or scheme == "file":
        folder = Path(place.removeprefix("file://")).expanduser()
        if not folder.is_dir():
            raise UserError(f"{folder}: there is no such folder; mount it, or make it")
        place = str(folder.resolve())
    elif scheme not in WITH_BUCKETS:
        raise UserError(f"{shown(place)}: is neither a folder nor a bucket; name one such as s3://bucket/folder")
    elif not place.removeprefix(f"{scheme}://").strip("/"):
        raise UserError(f"{place}: names no bucket; name one such as {scheme}://bucket/folder")
    from fsspec.core import url_to_fs

    try:
        system, root = url_to_fs(place, use_listings_cache=False, skip_instance_cache=True, **_options(scheme))
    except ImportError as error:
        lacking = "pip install 'sagan-div[s3]'" if scheme in S3 else _words(error)
        raise UserError(f"{shown(place)}: nothing that reaches it is installed; {lacking}") from None
    except Exception as error:
        raise UserError(f"{shown(place)}: cannot be used ({_words(error)}); name a bucket such as s3://bucket/folder") from None
    return Remote(place, system, str(root).rstrip("/"))


def _options(scheme: str) -> dict[str, str]:
    given = {name: os.environ.get(variable) for name, variable in OF_SNAKEMAKE.items()} if scheme in S3 else {}
    return {name: value for name, value in given.items() if value}


def _words(error: Exception) -> str:
    """Why, in one line without a password."""
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return re.sub(r"(?<=://)[^/\s]*@", "***@", " ".join(text.split()))[:200]


def _remove_empty(folder: Path, above: Path) -> None:
    while folder != above and folder.is_relative_to(above) and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent
