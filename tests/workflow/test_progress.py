"""The time left that Snakemake's lines name: by what has finished, on a clock of the test's own."""

import pytest

from sagan_div.workflow.progress import Progress, roughly


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def progress(clock: Clock) -> Progress:
    found = Progress(clock)
    found.plan({"train_cell": 4, "score_cell": 2})
    return found


def test_nothing_is_foretold_before_a_job_has_finished(progress: Progress, clock: Clock) -> None:
    assert progress.left() == ""
    progress.start(1, "train_cell", "train mnist dcgan seed 0")
    clock.now = 60
    assert progress.left() == ""
    assert progress.name(1) == "train mnist dcgan seed 0"


def test_two_jobs_side_by_side_take_half_the_time(progress: Progress, clock: Clock) -> None:
    """Four trainings of 80 s each, two at a time: after the first two the other two take 80 s, and scores come on top."""
    for number in (1, 2):
        progress.start(number, "train_cell", "")
    clock.now = 80
    for number in (1, 2):
        progress.finish(number)
    assert progress.left() == "more than 80 s left"
    for number in (3, 4):
        progress.start(number, "train_cell", "")
    clock.now = 130
    assert progress.left() == "more than 30 s left"


def test_it_is_an_estimate_once_every_rule_has_finished_a_job(progress: Progress, clock: Clock) -> None:
    for number, rule, took in ((1, "train_cell", 600), (2, "score_cell", 60)):
        progress.start(number, rule, "")
        clock.now += took
        progress.finish(number)
    assert progress.left() == "about 31 min left"  # 3 x 600 + 1 x 60 seconds, one at a time


def test_a_failed_job_tells_nothing_of_the_others(progress: Progress, clock: Clock) -> None:
    progress.start(1, "train_cell", "")
    clock.now = 1
    progress.fail(1)
    assert progress.left() == ""


def test_nothing_is_left_at_the_end(clock: Clock) -> None:
    progress = Progress(clock)
    progress.plan({"train_cell": 1})
    progress.start(1, "train_cell", "")
    clock.now = 1
    progress.finish(1)
    assert progress.left() == ""


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.4, "0 s"), (99, "99 s"), (100, "2 min"), (5940, "99 min"), (6000, "1.7 h"), (36_000, "10 h"), (259_200, "3.0 days")],
)
def test_a_span_of_time_has_a_unit_that_suits_it(seconds: float, words: str) -> None:
    assert roughly(seconds) == words
