"""Memory that threads share."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import Condition


class Budget:
    """So many bytes; who needs more than are left waits until others are done."""

    def __init__(self, total: int) -> None:
        self.total = self._left = total
        self._changed = Condition()

    @contextmanager
    def held(self, wanted: int) -> Iterator[None]:
        """Have `wanted` bytes, or all where that is more than there are, for a block."""
        wanted = min(wanted, self.total)
        with self._changed:
            self._changed.wait_for(lambda: self._left >= wanted)
            self._left -= wanted
        try:
            yield
        finally:
            with self._changed:
                self._left += wanted
                self._changed.notify_all()
