"""The job that reads a dataset."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from sagan_div.data import sources
from sagan_div.errors import UserError
from sagan_div.phases import data
from sagan_div.phases.machine import Machine
from sagan_div.study import given
from sagan_div.study.load import load
from sagan_div.workflow import kinds
from sagan_div.workflow.jobs import Job, planned
from support import ROOT


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Job:
    """The data job of a folder of ten images."""
    folder = tmp_path / "birds"
    folder.mkdir()
    for number in range(10):
        Image.fromarray(np.full((16, 16), 20 * number, np.uint8)).save(folder / f"{number}.png")
    monkeypatch.chdir(tmp_path)
    given.contents.cache_clear()
    return planned(load(ROOT / "params.yaml", sets=["datasets=[{birds: birds}]"]), kinds.DATA, {"dataset": "birds"})


def test_images_that_change_after_the_plan_are_refused(job: Job) -> None:
    Image.fromarray(np.zeros((16, 16), np.uint8)).save("birds/9.png")
    with pytest.raises(UserError, match="birds: its files changed after the job was planned; run it again"):
        data.work(job, Machine(torch.device("cpu")))


def test_images_that_change_while_they_are_read_are_refused(job: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    read = sources.read

    def interrupted(*words: object) -> object:
        found = read(*words)  # type: ignore[arg-type]
        Path("birds/9.png").unlink()
        return found

    monkeypatch.setattr(sources, "read", interrupted)
    with pytest.raises(UserError, match="its files changed"):
        data.work(job, Machine(torch.device("cpu")))


def test_the_record_says_how_many_images_of_what_shape_there_are(job: Job) -> None:
    about = data.work(job, Machine(torch.device("cpu")))
    assert about["images"] == {"train": [8, 1, 16, 16], "test": [2, 1, 16, 16]}
    assert about["found"]["sizes"] == [[16, 16], [16, 16]]


def test_what_was_found_is_said_at_the_end(job: Job, capsys: pytest.CaptureFixture[str]) -> None:
    Path("birds/README.txt").write_text("no image")
    data.work(job, Machine(torch.device("cpu")))  # no image, so not another dataset
    said = capsys.readouterr().err
    assert "birds: 8 training and 2 test images, grey, 16x16 pixels" in said
    assert "birds: files of 16x16 pixels" in said
    assert "birds: passed over: 1 no images: README.txt" in said
