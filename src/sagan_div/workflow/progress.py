"""How far a run of Snakemake is: what ran, how long it took, and what that says of the rest."""

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class _Begun:
    rule: str
    at: float  # seconds of the clock


class Progress:
    """Jobs as they start and end, by Snakemake's number; `clock` counts seconds."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._names: dict[int, str] = {}
        self._running: dict[int, _Begun] = {}
        self._to_do: Counter[str] = Counter()
        self._took: dict[str, list[float]] = defaultdict(list)
        self._first: float | None = None

    def plan(self, jobs: Mapping[str, int]) -> None:
        """How many jobs of each rule are to be done."""
        self._to_do = Counter(jobs)

    def start(self, number: int, rule: str, name: str) -> None:
        self._names[number] = name
        self._running[number] = _Begun(rule, self._clock())
        self._first = self._clock() if self._first is None else self._first

    def name(self, number: int) -> str:
        return self._names.get(number, f"job {number}")

    def fail(self, number: int) -> None:
        """A job that ended without success tells nothing of others."""
        self._running.pop(number, None)

    def finish(self, number: int) -> None:
        begun = self._running.pop(number, None)
        if begun is not None:
            self._took[begun.rule].append(self._clock() - begun.at)
            self._to_do[begun.rule] -= 1

    def left(self) -> str:
        """The time that the rest will take, by the mean of each rule's finished jobs and by how many ran side by side.

        Empty where nothing tells; a lower bound as long as no job of some rule has finished.
        """
        means = {rule: sum(took) / len(took) for rule, took in self._took.items()}
        rest = +self._to_do
        known = sum(count * means[rule] for rule, count in rest.items() if rule in means)
        running = [(begun.rule, self._clock() - begun.at) for begun in self._running.values()]
        known -= sum(min(spent, means.get(rule, 0)) for rule, spent in running)
        worked = sum(map(sum, self._took.values())) + sum(spent for _, spent in running)
        if not known or not worked or self._first is None:
            return ""
        bound = "about" if rest.keys() <= means.keys() else "more than"
        return f"{bound} {roughly(known * (self._clock() - self._first) / worked)} left"


def roughly(seconds: float) -> str:
    """A span of time in two digits or so: 42 s, 12 min, 3.5 h, 2.1 days."""
    for size, unit, most in ((1, "s", 100), (60, "min", 100), (3600, "h", 48)):
        if seconds < most * size:
            return f"{seconds / size:.1f} {unit}" if unit == "h" and seconds < 10 * size else f"{seconds / size:.0f} {unit}"
    return f"{seconds / 86400:.1f} days"
