"""What TensorBoard is shown is the history, and whether it is shown changes nothing else."""

import builtins
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from sagan_div.cli import app as cli
from sagan_div.errors import UserError
from sagan_div.training import tensorboard
from support import TINY, params_alone

CELL = "tiny/train/digits/dcgan/seed0"


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny study with its data and classifier."""
    params_alone(tmp_path)
    (tmp_path / "tiny.yaml").write_text(TINY)
    monkeypatch.chdir(tmp_path)
    for phase in ("data", "classifier"):
        call(phase)
    return tmp_path


def call(*words: str, **environment: str) -> str:
    done = CliRunner().invoke(cli.app, [*words, "--overlay", "tiny.yaml"], env=environment, catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def drawn(folder: Path) -> EventAccumulator:
    events = EventAccumulator(str(folder))
    events.Reload()
    return events


def test_every_row_of_the_history_is_drawn_and_the_results_are_the_same(study: Path) -> None:
    call("train", "--method", "dcgan")
    cell = study / "results" / CELL
    plain = {path.name: path.read_bytes() for path in cell.iterdir() if path.name != "record.json"}
    assert not (study / "live").exists()
    call("train", "--method", "dcgan", "--again", SAGAN_DIV_TENSORBOARD="live")
    assert {path.name: path.read_bytes() for path in cell.iterdir() if path.name != "record.json"} == plain
    history, events = pd.read_csv(cell / "history.csv"), drawn(study / "live" / CELL)
    drawn_by_name = {"loss_critic", "loss_generator", "score_real", "score_fake", "sigma_generator", "sigma_critic", "fid"}
    assert set(events.Tags()["scalars"]) == drawn_by_name
    for name in events.Tags()["scalars"]:
        rows = history[["images", name]].dropna()
        shown = [(event.step, event.value) for event in events.Scalars(name)]
        assert shown == [(images, pytest.approx(value, rel=1e-6)) for images, value in rows.itertuples(index=False)]
    assert "up to date" in call("train", "--method", "dcgan")  # with or without --tensorboard, it is the same job


def test_rows_that_come_again_after_an_interruption_are_drawn_once(tmp_path: Path) -> None:
    def run(*rows: tuple[int, float]) -> None:
        report = tensorboard.watched(lambda images, row: None, tmp_path)
        for images, loss in rows:
            for cycle in range(2):  # the loop hands on the last row after every cycle
                report(images + cycle, {"images": images, "loss_critic": loss, "fid": float("nan")})

    run((100, 1.0), (200, 2.0), (300, 3.0))
    run((200, 2.5), (300, 3.5))  # from the state saved after 100 images
    shown = [(event.step, event.value) for event in drawn(tmp_path).Scalars("loss_critic")]
    assert shown == [
        (100, 1.0),
        (200, 2.5),
        (300, 3.5),
    ]


def test_without_tensorboard_the_mend_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def without(name: str, *rest: Any) -> Any:
        if name.startswith("torch.utils.tensorboard"):
            raise ImportError
        return real(name, *rest)

    real = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UserError, match=r"pip install 'sagan-div\[tensorboard\]'"):
        tensorboard.watched(lambda images, row: None, tmp_path)
