"""Fetching a published file from the first place that has it whole. Nothing half-read is kept, so nothing is resumed wrong."""

import http.client
import io
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path
from queue import Empty, SimpleQueue
from threading import Event, Thread
from urllib.parse import quote, unquote, urlsplit, urlunsplit

from sagan_div.mirror import shown

WINDOW = 30.0  # seconds, also of silence
SLOWEST = 16 * 1024  # bytes a second that must arrive within any WINDOW
CHUNK = 2**16


class NowhereIntact(Exception):  # noqa: N818 (what was found at each place)
    """No place has the file whole; as text, what was wrong at each of them."""


def first_intact(sources: Iterable[str], limit: int, verify: Callable[[bytes], None], note: Callable[[str], None]) -> bytes:
    """The bytes at the first of these URLs or paths that has them whole: `verify` raises ValueError where they are not.

    A place is given up that sends more than `limit` bytes, or fewer than SLOWEST a second: that bounds memory and time.
    `note` gets a line for each place that is tried. Raises NowhereIntact.
    """
    failures = []
    for source in sources:
        note(f"fetching {shown(source)}")
        try:
            content = _whole(source, limit)
            _check(content, verify)
        except (OSError, http.client.HTTPException, ValueError) as error:
            failures.append(f"{shown(source)}: {_cause(error)}")
        else:
            return content
    raise NowhereIntact("; ".join(failures))


def _check(content: bytes, verify: Callable[[bytes], None]) -> None:
    try:
        verify(content)
    except ValueError as error:
        page = content[:500].lstrip()[:1] == b"<"  # what a portal, or a host that has moved, answers with
        raise ValueError(f"{error} (it is a web page)" if page else str(error)) from None


def _whole(source: str, limit: int) -> bytes:
    """All that a place sends. Raises ValueError for more than `limit`, TimeoutError for a stall, and what the transfer raises.

    A thread of its own reads, since sockets have a timeout for silence alone: a byte now and then would keep them waiting.
    """
    arrived, enough = SimpleQueue[bytes | Exception](), Event()
    Thread(target=_send, args=(source, arrived, enough), daemon=True).start()
    content, since, mark = bytearray(), time.monotonic(), 0
    try:
        while True:
            part = arrived.get(timeout=max(since + WINDOW - time.monotonic(), 0))
            if isinstance(part, Exception):
                raise part
            if not part:
                return bytes(content)
            content += part
            if len(content) > limit:
                raise ValueError(f"has more than the {limit:,} bytes that are expected")
            if len(content) - mark >= WINDOW * SLOWEST:
                since, mark = time.monotonic(), len(content)
    except (Empty, TimeoutError):
        raise TimeoutError(f"stalled after {len(content):,} bytes") from None
    finally:
        enough.set()


def _send(source: str, arrived: SimpleQueue[bytes | Exception], enough: Event) -> None:
    """Hand over a place's bytes as they come, then none, or the error that ended them."""
    try:
        with _opened(source) as stream:
            while not enough.is_set():
                part = stream.read1(CHUNK)
                arrived.put(part)
                if not part:
                    return
    except Exception as error:  # of whatever kind: it is raised where the bytes are awaited
        arrived.put(error)


def _opened(source: str) -> io.BufferedIOBase:
    if "://" not in source:
        return Path(source).open("rb")
    url = urlsplit(source)
    name, password = (unquote(part or "") for part in (url.username, url.password))
    bare = url._replace(netloc=url.netloc.rpartition("@")[2], path=quote(url.path, safe="/%:~@!$&'()*+,;="))
    passwords = urllib.request.HTTPPasswordMgrWithPriorAuth()
    if name:  # for the same host alone: a redirection elsewhere doesn't take it along
        passwords.add_password(None, f"{bare.scheme}://{bare.netloc}/", name, password, is_authenticated=True)
    opener = urllib.request.build_opener(urllib.request.HTTPBasicAuthHandler(passwords))
    response: http.client.HTTPResponse = opener.open(urlunsplit(bare), timeout=WINDOW)
    return response


def _cause(error: Exception) -> str:
    """What went wrong, in a few printable words: a host chooses some of them."""
    if isinstance(error, http.client.InvalidURL):
        return "leads to a URL that is none"  # which may hold a password
    cause = error if isinstance(error, urllib.error.HTTPError) else getattr(error, "reason", error)
    text = getattr(cause, "strerror", None) or str(cause)
    if isinstance(cause, http.client.HTTPException) or not text:
        text = f"{type(cause).__name__} {text}"
    return "".join(each if each.isprintable() else " " for each in " ".join(text.split()))[:160]
