"""Snakemake's words made plainer: jobs by name, the time left, and at the very end what failed and what to type next."""

import atexit
import signal
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from sagan_div.workflow.failures import Failure, again, block, failure
from sagan_div.workflow.progress import Progress

MOST_NAMES = 4


class Watch:
    """Is told what Snakemake's log tells of jobs, by their number, adds words to its lines, and has the last word."""

    def __init__(self, expected: Callable[[Mapping[str, int]], str]) -> None:
        """From now on Ctrl-C ends the process without a traceback, and its end says what to do.

        `expected` says what so many jobs of each rule will take, where nobody is about to do them.
        """
        self.progress = Progress()
        self._expected = expected
        self._plan = ""
        self._failures: dict[int, Failure] = {}
        self._interrupted = False
        atexit.register(self.end)
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, self._interrupt)

    def planned(self, jobs: Mapping[str, int]) -> None:
        self.progress.plan(jobs)
        self._plan = self._expected(jobs)

    def started(self, number: int, rule: str, name: str) -> None:
        self.progress.start(number, rule, name)

    def finished(self, number: int) -> None:
        self.progress.finish(number)
        self._failures.pop(number, None)  # of an earlier try

    def failed(self, number: int, log: Path | None, status: str, said: str) -> bool:
        """Whether another try is in vain, since the user has to put something right."""
        self.progress.fail(number)
        self._failures[number] = failure(self.progress.name(number), log, status, said)
        return self._failures[number].mistake

    def interrupted(self) -> None:
        self._interrupted = True

    def _interrupt(self, *_: Any) -> NoReturn:
        self.interrupted()
        sys.exit(128 + signal.SIGINT)

    def after_starting(self, names: Sequence[str]) -> str:
        more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
        return f" {', '.join(names[:MOST_NAMES])}{more}"

    def after_finishing(self, number: int) -> str:
        return f" {self.progress.name(number)}"

    def after_counting(self) -> str:
        left = self.progress.left()
        return f", {left}" if left else ""

    def end(self) -> None:
        """The last words of the process, where there is something to say."""
        if self._interrupted:
            text = f"interrupted; to go on where it stopped: {again()}"
        elif self._failures:
            text = block(self._failures.values(), again())
        elif self._plan:
            text = self._plan
        else:
            return
        with suppress(OSError, ValueError):  # a closed or broken stderr
            print(f"\n{text}", file=sys.stderr, flush=True)
