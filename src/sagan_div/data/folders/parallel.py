"""Work on many files at a time, with a bar."""

import os
import warnings
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sagan_div import terminal

Item = TypeVar("Item")
Found = TypeVar("Found")


def each(what: str, items: Sequence[Item], work: Callable[[Item], Found]) -> Iterator[tuple[Item, Found]]:
    """What becomes of each item, in their order, by a thread for each processor: Pillow works outside of Python's lock.

    An interruption does not wait for what has not begun.
    """
    pool = ThreadPoolExecutor(_processors())
    try:
        with warnings.catch_warnings(), terminal.bar(what, len(items)) as advance:
            warnings.simplefilter("ignore")  # Pillow's, of images that are a little damaged, or large
            for done, (item, found) in enumerate(zip(items, pool.map(work, items), strict=True), 1):
                advance(done, "")
                yield item, found
    finally:
        pool.shutdown(cancel_futures=True)


def _processors() -> int:
    """Those that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
