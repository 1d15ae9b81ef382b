"""An edit that changes no number is accepted after trial; one that does changes nothing."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from made import do, make_all, study, the_job

from sagan_div.errors import UserError
from sagan_div.workflow import records
from sagan_div.workflow.jobs import Job, jobs
from sagan_div.workflow.revalidate import Differs, revalidate
from sagan_div.workflow.staleness import survey

ABOUT = {"commit": "c0ffee", "hardware": {"device": "cpu"}}


def other_code(*kinds: str) -> None:
    """Records as an earlier engine left them."""
    for job in jobs(study()):
        if job.kind.name in kinds:
            record = json.loads(job.record.read_text())
            record["code"] = dict.fromkeys(record["code"], "0" * 16)
            job.record.write_text(json.dumps(record))


def runner(tried: list[str], words: str = "") -> Callable[[Job], None]:
    def run(job: Job) -> None:
        tried.append(job.name)
        do(job, words)

    return run


def test_the_same_bits_stamp_all_records_of_the_kind(made: Path) -> None:
    other_code("train")
    assert {state.job.name for state in survey(study()) if state.reason} >= {"train digits dcgan 0", "train digits sngan 0"}
    tried: list[str] = []
    stamped = revalidate(study(), runner(tried), 1, ABOUT, lambda line: None)
    assert len(tried) == 1
    assert {state.job.name for state in stamped} == {"train digits dcgan 0", "train digits sngan 0"}
    assert [state for state in survey(study()) if state.due] == []
    for state in stamped:
        record = json.loads(state.job.record.read_text())
        assert record["revalidated"] == [ABOUT | {"tried": tried}]
    assert not list(Path("scratch/main").rglob("*.safetensors"))


def test_other_bits_change_nothing(made: Path) -> None:
    other_code("train", "sample")
    before = {path: path.read_bytes() for path in made.rglob("*") if path.is_file()}
    with pytest.raises(Differs, match=r"results/train/digits/\w+/seed0/\w+.\w+: comes out with other bits"):
        revalidate(study(), runner([], "other"), 2, ABOUT, lambda line: None)
    after = {path: path.read_bytes() for path in made.rglob("*") if path.is_file() and path.suffix != ".lock"}
    assert after == before


def test_other_settings_are_no_matter_of_revalidation(made: Path) -> None:
    other_code("train")
    with pytest.raises(UserError, match=r"made with other settings: .*; revalidate accepts other code alone"):
        revalidate(study("train.images=640"), runner([]), 1, ABOUT, lambda line: None)


def test_the_jobs_are_drawn_by_the_code_and_not_by_hand(made: Path) -> None:
    draws = []
    for _ in range(2):
        other_code("train")
        tried: list[str] = []
        revalidate(study(), runner(tried), 1, ABOUT, lambda line: None)
        draws.append(tried)
    assert draws[0] == draws[1]


def test_fresh_records_are_left_as_they_are(made: Path) -> None:
    before = the_job("train", method="dcgan").record.read_bytes()
    assert revalidate(study(), runner([]), 1, ABOUT, lambda line: None) == []
    assert the_job("train", method="dcgan").record.read_bytes() == before
    assert records.read(the_job("train", method="dcgan").record)
    make_all()
