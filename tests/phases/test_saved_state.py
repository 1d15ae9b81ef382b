"""The saved state of a training outlives its node: what one working folder began another one ends, bit for bit."""

import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import chdir, suppress
from pathlib import Path

import pytest
import torch
from test_kills import CELL, EAGER_TO_SAVE, prepared, results, wait

from sagan_div import arrays, remote
from sagan_div.errors import Interrupted, UserError
from sagan_div.evaluation.spaces.classifier import save_classifier
from sagan_div.models import checkpoints
from sagan_div.phases import run, saved_state, train
from sagan_div.phases.machine import Machine
from sagan_div.remote import Remote
from sagan_div.study.load import load
from sagan_div.training import loop
from sagan_div.workflow.jobs import Job, planned
from sagan_div.workflow.kinds import TRAIN
from sagan_div.workflow.layout import Layout
from sagan_div.workflow.records import state_path
from support import ROOT, command, digits, trained

SETS = (
    *("datasets=[digits]", "methods=[wgan-div]", "seeds=[3]", "image_size=16", "width=4", "latent=8"),
    "train={images: 480, batch_size: 16, log_rows: 4, checkpoints: 2, rating_count: 50}",
)
Node = Callable[[str], Path]


def cell() -> Job:
    study = load(ROOT / "params.yaml", sets=SETS)
    return planned(study, TRAIN, {"dataset": "digits", "method": "wgan-div", "seed": 3})


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A working folder in which a cell's dataset and its classifier are, and nothing else."""
    folder, layout, (images, labels) = tmp_path_factory.mktemp("inputs"), Layout("main"), digits()
    network, _ = trained(images[:200], labels[:200], epochs=1)
    with chdir(folder):
        arrays.write(Path(str(layout.images("train")).format(dataset="digits")), images[:600].numpy())
        save_classifier(Path(str(layout.classifier).format(dataset="digits")), network, {"dataset": "digits"})
    return folder


@pytest.fixture
def node(inputs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Node:
    """A function that goes to a new working folder, which has the inputs."""

    def go(name: str) -> Path:
        monkeypatch.chdir(shutil.copytree(inputs, tmp_path / name))
        return tmp_path / name

    return go


@pytest.fixture(scope="module")
def undisturbed(inputs: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What the cell leaves when nothing happens to it."""
    with chdir(shutil.copytree(inputs, tmp_path_factory.mktemp("undisturbed") / "node")):
        return do(None)


@pytest.fixture
def volume(tmp_path: Path) -> str:
    """A folder that stands for a mounted volume."""
    (tmp_path / "volume").mkdir()
    return str(tmp_path / "volume")


@pytest.fixture
def place(request: pytest.FixtureRequest) -> str:
    """Where states are kept."""
    found: str = request.getfixturevalue(request.param)
    return found if request.param == "volume" else f"{found}/folder"


def do(place: str | None) -> dict[str, bytes]:
    """Train the cell, and return the files that it leaves."""
    job = cell()
    run.run(job, Machine(torch.device("cpu"), state=place))
    return {name: path.read_bytes() for name, path in job.outputs.items()}


@pytest.fixture
def _preempted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training gets SIGTERM in the middle, once."""
    inner, left = train._progress, [signal.SIGTERM]

    def progress(job: Job, advance: Callable[[int, str], None]) -> loop.Progress:
        report = inner(job, advance)

        def reported(images: int, row: dict[str, float]) -> None:
            report(images, row)
            if images >= 200 and left:
                os.kill(os.getpid(), left.pop())

        return reported

    monkeypatch.setattr(train, "_progress", progress)


def interrupted(place: str) -> None:
    with pytest.raises(Interrupted):
        do(place)


@pytest.mark.parametrize("place", ["bucket", "volume"], indirect=True)
@pytest.mark.usefixtures("_preempted")
def test_what_sigterm_ends_another_node_continues_bit_for_bit(
    place: str, node: Node, undisturbed: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    node("first")
    interrupted(place)
    kept = remote.at(place).sizes([Path("scratch")])
    assert list(kept) == [state_path(cell())]
    node("second")
    continued, restore = [], loop.restore
    monkeypatch.setattr(loop, "restore", lambda run, path: continued.append(path) or restore(run, path))
    assert do(place) == undisturbed
    assert continued == list(kept)
    assert remote.at(place).sizes([Path("scratch")]) == {}


@pytest.mark.usefixtures("_preempted")
def test_the_state_that_is_further_is_continued(node: Node, volume: str) -> None:
    first = node("first")
    interrupted(volume)
    path = state_path(cell())
    here, there = first / path, Path(volume, path)
    tensors, about = checkpoints.load(there)
    for ours, theirs, taken in ((1, 2, True), (2, 1, False), (2, 2, False)):
        checkpoints.save(here, tensors, about | {"cycle": ours})
        checkpoints.save(there, tensors, about | {"cycle": theirs})
        found: list[str] = []
        with suppress(KeyboardInterrupt), saved_state.kept(path, volume, found.append):
            assert checkpoints.load(path)[1]["cycle"] == 2
            raise KeyboardInterrupt
        assert bool(found) == taken
        assert checkpoints.load(there)[1]["cycle"] == 2  # what is further here is put there as well


@pytest.mark.parametrize("foreign", [b"no state", b""], ids=["bytes", "empty"])
@pytest.mark.parametrize("place", ["bucket", "volume"], indirect=True)
def test_what_is_no_state_is_refused_where_it_is_kept(place: str, foreign: bytes, node: Node, tmp_path: Path) -> None:
    node("first")
    (tmp_path / "foreign").write_bytes(foreign)
    path = state_path(cell())
    remote.at(place).put(tmp_path / "foreign", path)
    with pytest.raises(UserError) as refused:
        do(place)
    assert str(refused.value).startswith(f"{place}/{path}: is truncated or no safetensors file")
    assert not path.exists()


@pytest.mark.usefixtures("_preempted")
def test_the_state_of_other_settings_is_refused_where_it_is_kept(node: Node, volume: str) -> None:
    node("first")
    interrupted(volume)
    path = state_path(cell())
    tensors, about = checkpoints.load(Path(volume, path))
    checkpoints.save(Path(volume, path), tensors, about | {"settings": about["settings"] | {"seed": 4}})
    node("second")
    with pytest.raises(UserError, match=r"was saved under other settings .*seed") as refused:
        do(volume)
    assert str(refused.value).startswith(f"{volume}/{path}: ")


@pytest.mark.usefixtures("_preempted")
def test_a_fault_of_the_network_costs_a_line_and_no_training(
    node: Node,
    volume: str,
    undisturbed: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    def fails(self: Remote, path: Path, name: Path) -> None:
        raise remote.Unreachable("the cable is cut")

    monkeypatch.setattr(Remote, "put", fails)
    node("first")
    interrupted(volume)
    lines = [line for line in capfd.readouterr().err.splitlines() if "the cable is cut" in line]
    assert len(lines) == 1
    assert "the work goes on" in lines[0]
    assert do(volume) == undisturbed  # from the state in the working folder


def test_places_that_cannot_keep_a_state_are_refused(
    node: Node, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node("first")
    for place, said in (
        (".", "is the working folder"),
        (str(tmp_path / "nowhere"), "there is no such folder"),
        ("s3://", "names no bucket"),
        ("s3://no-such-bucket/folder", "there is no bucket no-such-bucket"),
        ("https://example.org/states", "is neither a folder nor a bucket"),
        ("ftp://user:secret@example.org/x", r"ftp://\*\*\*@example.org/x: is neither"),
    ):
        with pytest.raises(UserError, match=said):
            do(place)
    monkeypatch.setitem(sys.modules, "s3fs", None)
    monkeypatch.delitem(sys.modules["fsspec.registry"]._registry, "s3")
    with pytest.raises(UserError, match=r"pip install 'sagan-div\[s3\]'"):
        do(bucket)


def test_a_place_that_does_not_answer_is_asked_again_before_a_training_begins(
    node: Node, bucket: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://user:secret@127.0.0.1:{free.getsockname()[1]}")
    monkeypatch.setattr(saved_state, "PAUSES", (0.1,))
    node("first")
    with pytest.raises(UserError, match=r"cannot be asked .*; to begin without one, leave out --state") as said:
        do(bucket)
    shown = str(said.value) + capfd.readouterr().err
    assert "trying again" in shown
    assert "secret" not in shown


@pytest.mark.slow
def test_what_sigkill_ends_another_node_continues_bit_for_bit(tmp_path: Path, bucket: str) -> None:
    first = prepared(tmp_path / "first", 4_000)
    second = Path(shutil.copytree(first, tmp_path / "second"))
    undisturbed = Path(shutil.copytree(first, tmp_path / "undisturbed"))
    words = [*CELL, "--threads", "1", "--device", "cpu"]
    process = subprocess.Popen([sys.executable, "-c", EAGER_TO_SAVE, "train", *words, "--state", bucket], cwd=first)
    there = remote.at(bucket)
    wait(lambda: bool(there.sizes([Path("scratch")])), process)
    assert process.poll() is None
    process.kill()
    process.wait()
    done = command("sagan-div", "train", *words, cwd=second, SAGAN_DIV_STATE=bucket)
    assert done.returncode == 0, done.stderr
    assert "the saved state is taken from there" in done.stderr
    assert command("sagan-div", "train", *words, cwd=undisturbed).returncode == 0
    assert results(second) == results(undisturbed)
    assert there.sizes([Path("scratch")]) == {}
