"""The command line as a user meets it: every error is one line that names what is wrong and what to do, with status 2."""

import json
import re
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

from sagan_div.cli import main as cli
from sagan_div.workflow.kinds import KINDS
from support import FULL, command, params_alone

Call = Callable[..., tuple[int, str, str]]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Iterator[Call]:
    """Run `sagan-div` in a folder that holds params.yaml; returns the exit status, stdout and stderr."""
    params_alone(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SAGAN_DIV_MIRROR", raising=False)

    def call(*words: object) -> tuple[int, str, str]:
        monkeypatch.setattr("sys.argv", ["sagan-div", *map(str, words)])
        with pytest.raises(SystemExit) as stopped:
            cli.main()
        printed = capsys.readouterr()
        return int(stopped.value.code or 0), printed.out, printed.err

    monkeypatch.setattr("sys.unraisablehook", sys.unraisablehook)
    handlers = {number: signal.getsignal(number) for number in cli.SIGNALS}
    yield call
    for number, handler in handlers.items():
        signal.signal(number, handler)


DIGITS = ("--set", "datasets=[digits]", "--set", "score.extractors=[classifier]")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["trian"], "No such command 'trian'"),
        (["train", "--methd", "dcgan"], "No such option '--methd'"),
        (["train", "--method", "gan"], "--method: gan is not in the study; it has dcgan, wgan-div"),
        (["data", "--dataset", "cifar"], "--dataset: cifar is not in the study; it has mnist, fashion-mnist"),
        (["train", "--seed", "9"], "--seed: 9 is not in the study; it has 0, 1, 2"),
        (["describe", "gan"], "gan: is no method of the study; it has dcgan, wgan-div"),
        (["describe", "dcgan", "--params", "none.yaml"], "none.yaml: cannot be read (No such file or directory)"),
        (["describe", "dcgan", "--overlay", "none.yaml"], "none.yaml: cannot be read (No such file or directory)"),
        (["describe", "dcgan", "--set", "train.imags=1"], "train.imags: unknown key (did you mean 'images'?)"),
        (["train", "--settings", "{"], "--settings: not valid JSON"),
        (["train", "--settings", "{}"], "--settings.dataset: this key is missing"),
        (["prune", "training"], "'training' is not one of 'data', 'reference'"),
        (["generate", "none.safetensors", "--out", "x"], "none.safetensors: there is no such checkpoint"),
        (
            ["train", *DIGITS, "--dataset", "digits", "--method", "dcgan", "--seed", 0],
            "is missing; run `sagan-div data --dataset digits --set",
        ),
        (["data", *DIGITS, "--set", "datasets=[{birds: nowhere}]"], "nowhere: there is no such folder of images"),
    ],
)
def test_a_mistake_is_one_line(call: Call, words: list[object], expected: str) -> None:
    status, _, stderr = call(*words)
    assert status == 2
    assert expected in stderr
    assert len(stderr.strip().splitlines()) == 1
    assert stderr.startswith("sagan-div: ")


@pytest.mark.parametrize("device", ["cuda", "cuda:7", "tpu", "meta"])
def test_a_device_that_is_not_there_is_named(call: Call, device: str) -> None:
    if device == "cuda" and torch.cuda.is_available():
        pytest.skip("this machine has CUDA")
    call("data", *DIGITS)
    status, _, stderr = call("classifier", *DIGITS, "--device", device)
    assert status == 2
    assert f"--device {device}" in stderr


def test_a_folder_that_cannot_be_written_is_named(call: Call, tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file where a folder should be")
    status, _, stderr = call("data", *DIGITS)
    assert status == 2
    assert re.search(r"data/digits/\S+: cannot be (written|replaced) \(Not a directory\)", stderr)


def test_without_network_or_mirror_the_mend_is_named(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    import torchvision

    monkeypatch.setattr(torchvision.datasets.MNIST, "mirrors", ["http://127.0.0.1:9/"])
    status, _, stderr = call("data", "--dataset", "mnist")
    assert status == 2
    assert "name a folder or URL by --mirror or SAGAN_DIV_MIRROR" in stderr.splitlines()[-1]


def test_help_names_every_phase_and_exits_with_zero(call: Call) -> None:
    status, stdout, _ = call("--help")
    assert status == 0
    commands = set(re.findall(r"^  ([a-z-]+) {2,}\S", stdout.partition("Phases of a study")[2], re.MULTILINE))
    assert {kind.command for kind in KINDS.values()} | {
        "describe",
        "generate",
        "prune",
        "summary",
        "weights",
        "classifier",
    } <= commands
    for name in commands:
        status, stdout, _ = call(name, "--help")
        assert status == 0
        assert "Usage: sagan-div " + name in stdout


@pytest.mark.parametrize(
    ("method", "generator", "critic"),
    [("dcgan", 3_574_656, 2_763_520), ("sagan-div-d", 4_007_940 + 1, 2_761_728 + 64 + 128 + 256 + 512 + 1)],
)
def test_describe_prints_table_1(call: Call, method: str, generator: int, critic: int) -> None:
    status, stdout, _ = call("describe", method, "--overlay", FULL)
    assert status == 0
    for shape in ("512 x 4 x 4", "256 x 8 x 8", "128 x 16 x 16", "64 x 32 x 32", "1 x 64 x 64"):
        assert shape in stdout
    assert f"{generator:,}" in stdout
    assert f"{critic:,}" in stdout


@pytest.mark.parametrize("width", [10**6, 10**14])
def test_a_network_of_any_size_is_described_or_refused_in_one_line(call: Call, width: int) -> None:
    status, stdout, stderr = call("describe", "dcgan", "--set", f"width={width}")
    assert (status, stderr) == (0, "") if width == 10**6 else (status, len(stderr.splitlines())) == (2, 1)
    assert ("160,000,092,000,000" in stdout) == (width == 10**6)


def test_sizes_beyond_the_memory_are_one_line(call: Call) -> None:
    status, _, stderr = call("estimate", *DIGITS, "--set", f"width={10**7}", "--set", "methods=[dcgan]", "--device", "cpu")
    assert status == 2
    assert stderr.splitlines()[-1].startswith("sagan-div: the memory of this machine is too small for this")


def test_a_study_is_named_by_its_overlay(call: Call) -> None:
    status, _, stderr = call("train", "--study", "demo")
    assert (status, stderr) == (
        2,
        "sagan-div: --study demo: belongs to --settings; a study is named by its overlay, --overlay FILE\n",
    )


def test_the_phases_by_hand_do_nothing_twice(tmp_path: Path) -> None:
    """Data, classifier, a training that is not there yet, in processes of their own."""
    params_alone(tmp_path)
    small = ("--set", "image_size=16", "--set", "width=8", "--set", "classifier.epochs=1", "--set", "methods=[dcgan]")
    small += (
        "--set",
        "train={images: 64, batch_size: 16, log_rows: 1, checkpoints: 1, rating_count: 32}",
        "--set",
        "seeds=[0]",
    )
    small += ("--set", "sample={count: 20, batch_size: 10}", "--set", "score.reference.count=200")
    for phase in ("data", "classifier", "reference", "train", "sample", "score"):
        done = command("sagan-div", phase, *DIGITS, *small, cwd=tmp_path)
        assert done.returncode == 0, done.stderr
    again = command("sagan-div", "score", *DIGITS, *small, cwd=tmp_path)
    assert "score digits dcgan 0: up to date" in again.stderr
    score = json.loads((tmp_path / "results/score/digits/dcgan/seed0/metrics.json").read_text())
    found = score["extractors"]["classifier"]
    assert found["fid"] > 0
    assert found["fid_floor"] > 0
    assert found["fid_floor_measured"] == pytest.approx(found["fid_floor"], rel=0.8)
    assert (found["count"], found["reference_count"], found["reference_split"]) == (20, 200, "train")
    assert (sum(found["classes"]), sum(found["reference_classes"])) == (20, 200)
    assert 0 <= found["memorised"] <= 1
    assert found["memorised_honest"] == 0.01
    assert len(found["neighbours"]) == 8
    trained = json.loads((tmp_path / "results/train/digits/dcgan/seed0/record.json").read_text())
    assert trained["rated_again"]["best"] == trained["rated_again"]["last"]  # of a single rating
    assert len(set(trained["rated_again"]["best"])) == 5  # fresh latents each
    assert trained["best"]["fid"] not in trained["rated_again"]["best"]
    edited = command("sagan-div", "score", *DIGITS, *small, "--set", "train.images=80", cwd=tmp_path)
    sampled = command("sagan-div", "sample", *DIGITS, *small, "--set", "train.images=80", cwd=tmp_path)
    for refused in (edited, sampled):  # however far up
        assert refused.returncode == 2
        assert "train.images 64 -> 80; `sagan-div prune train --set" in refused.line
    checkpoint = tmp_path / "results/train/digits/dcgan/seed0/best.safetensors"
    drawn = command("sagan-div", "generate", checkpoint, "--count", 3, "--out", tmp_path / "drawn", cwd=tmp_path)
    assert drawn.returncode == 0
    assert len(list((tmp_path / "drawn").glob("*.png"))) == 3
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    broken = command("sagan-div", "sample", *DIGITS, *small, "--again", cwd=tmp_path)
    assert broken.returncode == 2
    assert "seed0: best.safetensors is not what it was when it was made; `sagan-div prune train --set" in broken.line


def test_fid_between_statistics_is_the_distance_of_their_gaussians(call: Call, tmp_path: Path) -> None:
    """Two diagonal Gaussians: the squared shift plus the squared differences of the standard deviations."""
    import numpy as np

    np.savez(tmp_path / "a.npz", mu=np.zeros(4), sigma=np.diag([1.0, 4.0, 9.0, 16.0]))
    np.savez(tmp_path / "b.npz", mu=np.full(4, 2.0), sigma=np.diag([4.0, 4.0, 4.0, 4.0]))
    for mode in ("fast", "exact"):
        status, stdout, _ = call("fid", "a.npz", "b.npz", "--mode", mode)
        assert status == 0
        assert float(stdout.splitlines()[-1].removeprefix("FID: ")) == pytest.approx(4 * 4 + 1 + 0 + 1 + 4, abs=1e-9)
    status, _, stderr = call("fid", "a.npz", "nowhere")
    assert status == 2
    assert stderr.startswith("sagan-div: nowhere: ")


def test_an_estimate_covers_the_study_as_configured(call: Call) -> None:
    small = (
        "image_size=16",
        "width=8",
        "methods=[dcgan, sagan-div-d]",
        "seeds=[0, 1]",
        "train.batch_size=8",
        "train.images=8000",
    )
    words = [word for value in small for word in ("--set", value)]
    status, stdout, stderr = call("estimate", *DIGITS, *words, "--threads", 1, "--device", "cpu", "--save")
    assert status == 0
    rows = {cells[0]: cells[1:] for cells in (re.findall(r"[^│┃\s]+", line) for line in stdout.splitlines()) if cells}
    for method, cycles in (("dcgan", 1000), ("sagan-div-d", 200)):
        timed, milliseconds, cells, _, hours, _ = rows[method]
        assert (timed, cells) == ("20", "2")
        assert float(hours) == pytest.approx(2 * cycles * float(milliseconds) / 3.6e6, abs=0.006)
    assert float(rows["all"][1]) == pytest.approx(float(rows["dcgan"][4]) + float(rows["sagan-div-d"][4]), abs=0.011)
    assert not Path("results").exists()
    assert "logs/main/estimate.json: kept" in stderr
    minutes = json.loads(Path("logs/main/estimate.json").read_text())["cpu"]
    assert {method: 2 * each / 60 for method, each in minutes.items()} == pytest.approx(
        {method: float(rows[method][4]) for method in minutes}, abs=0.006
    )
