"""What a clone without artefacts is told that they take: by the seconds in the report's record alone."""

import json
from pathlib import Path

import pytest
from made import do, study

from sagan_div.workflow import cost
from sagan_div.workflow.jobs import jobs
from sagan_div.workflow.layout import Layout
from support import command, params_alone


def lasting(seconds: dict[str, list[float]]) -> None:
    """Every job of the study as done, so many seconds each."""
    for job in jobs(study()):
        do(job)
        record = json.loads(job.record.read_text())
        if times := seconds.get(job.kind.name):
            job.record.write_text(json.dumps(record | {"seconds": times.pop()}))


def report_says(seconds: object) -> None:
    record = {"settings": {}, "code": {}, "inputs": {}, "outputs": {}, cost.TOOK: seconds}
    Layout().report_record.parent.mkdir(exist_ok=True)
    Layout().report_record.write_text(json.dumps(record))


def test_a_kind_of_job_takes_the_mean_of_its_records(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lasting({"train": [100.0, 300.0], "sample": [5.0]})
    assert cost.took(study()) == {"train": 200.0, "sample": 5.0}


def test_so_many_jobs_take_so_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert cost.expected(Layout(), {"train": 1}) == ""
    report_says({"train": 600.0, "score": 30.0})
    assert cost.expected(Layout(), {"train": 6, "score": 6}).startswith("about 63 min one after the other")
    assert cost.expected(Layout(), {"train": 6, "data": 1}) == ""
    report_says("nonsense")
    assert cost.expected(Layout(), {"train": 1}) == ""


def test_check_counts_what_is_missing_and_says_how_long_it_takes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    params_alone(tmp_path)
    report_says(dict.fromkeys(["data", "classifier", "reference", "real_vs_real", "train", "sample", "score"], 60.0))
    done = command("sagan-div", "check", cwd=tmp_path)
    assert done.returncode == 2
    assert "train: 42 of 42 jobs are not made yet" in done.stderr
    assert "(about 2.2 h one after the other, as when the report was made)" in done.stderr.splitlines()[-1]
