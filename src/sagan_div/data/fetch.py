"""Fetching a published file from the first place that has it whole. Nothing half-read is kept, so nothing is resumed wrong."""

import http.client
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path

MIRROR = "SAGAN_DIV_MIRROR"  # in the environment: a folder or URL that has everything
MEND = f"connect, or name a folder or URL by --mirror or {MIRROR}"
TIMEOUT = 60  # seconds without a byte


class NowhereIntact(Exception):  # noqa: N818 (what was found at each place)
    """No place has the file whole; as text, what was wrong at each of them."""


def first_intact(sources: Iterable[str], verify: Callable[[bytes], None], note: Callable[[str], None]) -> bytes:
    """The bytes at the first of these URLs or paths that has them whole: `verify` raises ValueError where they are not.

    `note` gets a line for each place that is tried. Raises NowhereIntact.
    """
    failures = []
    for source in sources:
        note(f"fetching {source}")
        try:
            content = _bytes(source)
            verify(content)
        except (OSError, http.client.HTTPException, ValueError) as error:
            failures.append(f"{source}: {getattr(error, 'reason', None) or getattr(error, 'strerror', None) or error}")
        else:
            return content
    raise NowhereIntact("; ".join(failures))


def _bytes(source: str) -> bytes:
    if "://" not in source:
        return Path(source).read_bytes()
    with urllib.request.urlopen(source, timeout=TIMEOUT) as response:
        content: bytes = response.read()
    return content
