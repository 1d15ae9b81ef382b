"""What the workflow needs of Snakemake's storage, in one place: checked on 9.27.1 with the S3 plugin 0.3.6 (tests/storage)."""

import asyncio
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sagan_div.errors import UserError


def storage(workflow: Any) -> "Storage | None":
    """The default storage, where a profile names one."""
    return Storage(workflow) if workflow.storage_settings.default_storage_provider else None


def nodes_share_nothing(workflow: Any) -> bool:
    """Whether jobs run where the working folder is not."""
    return "INPUT_OUTPUT" not in (usage.name for usage in workflow.storage_settings.shared_fs_usage)


def of_the_user(path: Path) -> Any:
    """An input that lies where it is named, whatever has the others, and whose date has no effect."""
    from snakemake.io import ancient, local

    return local(ancient(str(path)))


def root_of(made: str, name: Path) -> Path:
    """The folder where a job finds `name`, and all that it reads and makes, when Snakemake says `made` for it.

    Raises UserError for storage that gives copies other names.
    """
    if Path(made).parts[-len(name.parts) :] != name.parts:
        raise UserError(f"{name}: the default storage calls its copy {made}, where no job looks; use s3 or gcs")
    return Path(*Path(made).parts[: -len(name.parts)])


class Storage:
    """Objects of the default storage, by the paths that they would have in the working folder."""

    def __init__(self, workflow: Any) -> None:
        self._workflow = workflow
        self._prefix: str = (workflow.storage_settings.default_storage_prefix or "").rstrip("/")
        self._provider = workflow.storage_registry.default_storage_provider

    def copy(self, path: Path) -> Path:
        """Where Snakemake keeps a copy of an object while jobs use it."""
        return Path(self._object(path).local_path())

    def sizes(self, folders: Iterable[Path]) -> dict[Path, int]:
        """The bytes of every object below some folders, by one listing of each, of which Snakemake is told as well.

        Raises UserError where the storage cannot be listed.
        """
        found: dict[Path, int] = {}
        listings = {folder: self._listing(folder) for folder in folders}
        for folder, listing in listings.items():
            place = self.copy(folder)
            inside = ((Path(copy), size) for copy, size in listing.size.items() if Path(copy).is_relative_to(place))
            found |= {folder / copy.relative_to(place): size for copy, size in inside}
        self._tell(listings)
        return found

    def read(self, path: Path) -> bytes:
        """The content of a small object. Raises UserError where it cannot be had."""
        wanted = self._object(path)
        try:
            if hasattr(wanted, "s3obj"):  # one request; the plugin's own way is three, and threads for each file
                client = wanted.provider.s3c.meta.client
                content: bytes = client.get_object(Bucket=wanted.bucket, Key=wanted.key)["Body"].read()
                return content
            with TemporaryDirectory() as folder:
                wanted.set_local_path(Path(folder, path.name))
                wanted.retrieve_object()
                return Path(folder, path.name).read_bytes()
        except Exception as error:
            raise UserError(f"{self._prefix}/{path}: cannot be read ({_line(error)}); run it again") from None

    def _object(self, path: Path) -> Any:
        return self._provider.object(f"{self._prefix}/{path}" if self._prefix else str(path))

    def _listing(self, folder: Path) -> Any:
        """Snakemake's memory of what is in a folder."""
        from snakemake.io import IOCache

        inside, listing = self._object(folder / "any"), IOCache(0)
        try:
            inside.exists()  # a bucket that may not be read is listed as if it were none
            with ThreadPoolExecutor(1) as thread:  # since Snakemake's own loop runs in this one
                thread.submit(asyncio.run, inside.inventory(listing)).result()
        except Exception as error:
            raise UserError(f"{self._prefix}: cannot be listed ({_line(error)}); see docs/cluster.md") from None
        return listing

    def _tell(self, listings: dict[Path, Any]) -> None:
        """Have Snakemake take the listings for complete: it would ask for every file that is not there, one after the other."""
        from snakemake.io import ExistsDict

        places = tuple(f"{self.copy(folder)}/" for folder in listings)

        class Listed(ExistsDict):  # type: ignore[misc]
            def __contains__(self, path: object) -> bool:
                return str(path).startswith(places) or super().__contains__(path)

        cache = getattr(self._workflow, "iocache", None)  # none while the rules are read
        if cache is not None:
            cache._exists_in_storage = Listed(cache)
            for listing in listings.values():
                cache.exists_in_storage.update(listing.exists_in_storage)
                cache.mtime.update(listing.mtime)
                cache.size.update(listing.size)


def _line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
