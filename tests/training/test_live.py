"""What TensorBoard and DVC's views are shown is the history, and whether they are shown changes nothing else."""

import builtins
import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from click.testing import CliRunner
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from sagan_div.cli import app as cli
from sagan_div.errors import UserError
from sagan_div.training import live
from support import TINY, command, params_alone

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
    call("train", "--method", "dcgan", "--again", SAGAN_DIV_TENSORBOARD="live", SAGAN_DIV_DVCLIVE="dvclive")
    assert {path.name: path.read_bytes() for path in cell.iterdir() if path.name != "record.json"} == plain
    history, events = pd.read_csv(cell / "history.csv"), drawn(study / "live" / CELL)
    drawn_by_name = {"loss_critic", "loss_generator", "score_real", "score_fake", "sigma_generator", "sigma_critic", "fid"}
    assert set(events.Tags()["scalars"]) == drawn_by_name
    for name in events.Tags()["scalars"]:
        rows = history[["images", name]].dropna()
        shown = [(event.step, event.value) for event in events.Scalars(name)]
        assert shown == [(images, pytest.approx(value, rel=1e-6)) for images, value in rows.itertuples(index=False)]
        table = pd.read_csv(study / "dvclive" / CELL / f"plots/metrics/{name}.tsv", sep="\t")
        assert table.to_numpy().tolist() == rows.to_numpy().tolist()  # to the last bit
    assert "up to date" in call("train", "--method", "dcgan")  # with or without a viewer, it is the same job


AGAIN = [(100, 1.0), (200, 2.5), (300, 3.5)]


def interrupted(viewer: live.Viewer) -> None:
    """A run that draws three rows, and the same run continued from the state that it saved after 100 images."""
    for rows in ([(100, 1.0), (200, 2.0), (300, 3.0)], AGAIN[1:]):
        with live.watched(lambda images, row: None, [viewer]) as report:
            for images, loss in rows:
                for cycle in range(2):  # the loop hands on the last row after every cycle
                    report(images + cycle, {"images": images, "loss_critic": loss, "fid": float("nan")})


def test_rows_that_come_again_after_an_interruption_are_drawn_once(tmp_path: Path) -> None:
    interrupted(live.tensorboard(tmp_path / "tensorboard"))
    events = drawn(tmp_path / "tensorboard").Scalars("loss_critic")
    assert [(event.step, event.value) for event in events] == AGAIN
    interrupted(live.dvclive(tmp_path / "dvclive"))
    table = pd.read_csv(tmp_path / "dvclive/plots/metrics/loss_critic.tsv", sep="\t")
    assert list(table.itertuples(index=False, name=None)) == AGAIN
    assert not (tmp_path / "dvclive/plots/metrics/fid.tsv").exists()


def test_dvc_reads_what_dvclive_writes(tmp_path: Path) -> None:
    identity = ("-c", "user.name=test", "-c", "user.email=test@example.org")
    for words in (("git", "init", "-q"), ("dvc", "init", "-q")):
        assert command(*words, cwd=tmp_path).returncode == 0
    with contextlib.chdir(tmp_path):
        with pytest.raises(UserError, match="make a first commit"):
            live.dvclive(Path("live/cell"))
        assert command("git", *identity, "commit", "-q", "-m", "start", cwd=tmp_path).returncode == 0
        interrupted(live.dvclive(Path("live/cell")))
    shown = json.loads(command("dvc", "metrics", "show", "--json", cwd=tmp_path).stdout)
    assert shown[""]["data"]["live/cell/metrics.json"]["data"] == {"loss_critic": 3.5, "step": 300}
    assert not (tmp_path / "dvc.yaml").exists()


@pytest.mark.parametrize(
    ("module", "viewer"),
    [("torch.utils.tensorboard", live.tensorboard), ("dvclive", live.dvclive)],
    ids=["tensorboard", "dvclive"],
)
def test_without_a_viewer_the_mend_is_named(
    module: str, viewer: Callable[[Path], live.Viewer], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without(name: str, *rest: Any) -> Any:
        if name.startswith(module):
            raise ImportError
        return real(name, *rest)

    real = builtins.__import__
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UserError, match=r"pip install 'sagan-div\[tensorboard\]'"):
        viewer(tmp_path)
