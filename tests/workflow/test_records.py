"""A record names what a job used, not what lies there when it ends."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from made import holding, study, the_job

from sagan_div.errors import UserError
from sagan_div.workflow import locks, records
from sagan_div.workflow.staleness import survey
from sagan_div.workflow.store import HERE
from support import ROOT


def test_inputs_that_change_while_a_job_runs_are_refused(made: Path) -> None:
    job = the_job("sample", method="dcgan")
    before = records.used(job)
    job.record.unlink()
    job.inputs["last"].write_text("another")
    with pytest.raises(UserError, match=r"last.safetensors: changed while sample digits dcgan 0 ran; run it again"):
        records.write(job, before, {})
    assert not job.record.exists()


def test_code_that_changes_while_a_job_runs_is_refused(tmp_path: Path) -> None:
    """In a process whose package is edited under it, between the import and the end."""
    package = tmp_path / "src/sagan_div"
    shutil.copytree(ROOT / "src/sagan_div", package, ignore=shutil.ignore_patterns("__pycache__"))
    script = f"""
import sys
from pathlib import Path
sys.path.insert(0, {str(ROOT / "tests/workflow")!r})
from sagan_div.workflow.store import HERE
from sagan_div.workflow import fingerprint, records
fingerprint.snapshot()
from made import make_all, the_job
make_all()
job = the_job("train", method="dcgan")
before = records.used(job)
path = Path({str(package)!r}, "training", sys.argv[1])
path.write_text(path.read_text() + sys.argv[2])
try:
    records.write(job, before, {{}})
except Exception as error:
    print(error)
"""
    work = tmp_path / "work"
    work.mkdir()
    environment = {"PYTHONPATH": f"{package.parent}:{ROOT / 'tests'}", "PATH": os.environ["PATH"]}

    def said(module: str, text: str) -> str:
        words = [sys.executable, "-c", script, module, text]
        done = subprocess.run(words, cwd=work, env=environment, capture_output=True, text=True)
        return done.stdout + done.stderr

    assert said("loop.py", "\n# a comment\n") == ""
    assert said("live.py", "\nANOTHER = 1\n") == ""  # plumbing
    assert "src/sagan_div/training/loop.py changed while it ran; run it again" in said("loop.py", "\nANOTHER = 1\n")


def test_files_dated_in_the_future_are_dated_now(made: Path) -> None:
    job = the_job("sample", method="dcgan")
    later = time.time() + 1e6
    os.utime(job.inputs["best"], (later, later))
    before = job.inputs["last"].stat().st_mtime_ns
    HERE.prepare(dict.fromkeys(job.inputs.values()))
    assert job.inputs["last"].stat().st_mtime_ns == before
    assert job.inputs["best"].stat().st_mtime <= time.time()


@pytest.mark.parametrize(
    "edit",
    [
        None,
        [],
        {"settings": None},
        {"inputs": {"images": None}},
        {"outputs": {"best": ["x"]}},
        {"code": {"models/networks": {}}},
        {"hardware": None},
        {"hardware": [1]},
        {"seconds": "long"},
        {"best": []},
        {"images": {"train": None}},
    ],
    ids=str,
)
def test_a_record_of_another_shape_is_none(made: Path, edit: object) -> None:
    """Null or a list where text or a mapping belongs: the job is made again, and nobody trips over it."""
    record = the_job("train", method="dcgan").record
    value = json.loads(record.read_text()) | edit if isinstance(edit, dict) else edit
    record.write_text(json.dumps(value))
    assert records.recorded(record) is None
    due = {state.job.name: state.reason for state in survey(study()) if state.due}
    assert due == {
        "train digits dcgan 0": "it has no record",
        "sample digits dcgan 0": "it was made from another results/train/digits/dcgan/seed0/best.safetensors",
        "score digits dcgan 0": "it was made from another results/sample/digits/dcgan/seed0/samples.npz",
    }


def test_one_process_a_job(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locks, "PATIENCE", 0.1)
    job = the_job("train", method="dcgan")
    with locks.if_free(job) as free:
        assert free
    with holding(job.lock):
        with locks.if_free(job) as free:
            assert not free
        with pytest.raises(UserError, match="train digits dcgan 0: another process is at work on it; wait"), locks.held(job):
            pass
    with locks.held(job), locks.if_free(the_job("train", method="sngan")) as free:
        assert free


def test_a_record_is_plain_text_with_sorted_keys(made: Path) -> None:
    path = the_job("train", method="dcgan").record
    text = path.read_text()
    assert text == json.dumps(json.loads(text), indent=1, sort_keys=True) + "\n"
    assert str(made) not in text
