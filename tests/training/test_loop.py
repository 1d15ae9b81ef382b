"""The loop: determinism, resuming after any interruption, what stops it, and what each step touches."""

import csv
import math
import os
import re
import resource
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from sagan_div.data.randomness import Batches, latents, uniform
from sagan_div.errors import Interrupted, UserError
from sagan_div.models import checkpoints
from sagan_div.models.networks import Shape
from sagan_div.settings import plain
from sagan_div.study.job_settings import TrainSettings
from sagan_div.study.load import load
from sagan_div.training import history, loop
from sagan_div.training.state import Run, begin, store
from sagan_div.training.steps import critic_step, generator_step
from support import ROOT, train_settings

METHODS = list(load(ROOT / "params.yaml").methods)
BASELINES = ROOT / "workflow" / "overlays" / "baselines.yaml"
SIZE = ["datasets=[digits]", "image_size=16", "width=8", "latent=16"]
TRAIN = ["train={images: 480, batch_size: 8, log_rows: 4, checkpoints: 2, rating_count: 8}"]


def settings(method: str = "sagan-div-a", *sets: str) -> TrainSettings:
    study = load(ROOT / "params.yaml", [BASELINES], sets=[*SIZE, *TRAIN, *sets])
    return train_settings(study, method)


def images() -> Tensor:
    return torch.randint(0, 256, (50, 1, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def rating(generator: torch.nn.Module) -> float:
    return float(sum(p.detach().abs().mean() for p in generator.parameters()))


def train(given: TrainSettings, state: Path, progress: Any = lambda *_: None, device: str = "cpu") -> Run:
    return loop.train(given, images(), rating, state, torch.device(device), progress)


def written(run: Run, path: Path) -> Path:
    """The run's state without its times, which no two runs share."""
    store(replace(run, seconds=0.0, earlier=0.0), path)
    return path


def bits(run: Run) -> dict[str, bytes]:
    tensors = checkpoints.tensors_of(generator=run.generator, critic=run.critic) | run.best_tensors
    moments = {
        f"{name}{i}{key}": value
        for name, adam in (("g", run.adam_generator), ("c", run.adam_critic))
        for i, entry in adam.state_dict()["state"].items()
        for key, value in entry.items()
    }
    return {name: tensor.numpy().tobytes() for name, tensor in (tensors | moments).items()} | {
        "growth": b"".join(images.numpy().tobytes() for images in run.growth),
        "history": repr([sorted(row.items()) for row in run.history]).encode(),
    }


def stop_often(images: int, row: dict[str, float]) -> None:
    if images // 40 % 2:
        os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize("method", [*METHODS, "wgan", "wgan-gp"])
def test_interrupted_at_any_cycle_and_resumed_it_ends_with_the_same_bits(method: str, tmp_path: Path) -> None:
    undisturbed = train(settings(method), tmp_path / "none")
    state = tmp_path / "state.safetensors"

    stops: list[int] = []
    while True:
        try:
            resumed = train(settings(method), state, stop_often)
            break
        except Interrupted as stop:
            stops.append(stop.signal)
    assert len(stops) > 3
    assert set(stops) == {signal.SIGTERM}
    assert bits(resumed) == bits(undisturbed)


@pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def test_two_processes_write_the_same_bytes(device: str, tmp_path: Path) -> None:
    """With what every command sets before it computes."""
    if device == "cuda" and not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    script = (
        "import sys, pathlib; from sagan_div.cli.machine import use_threads; use_threads(1);"
        "sys.path[:0] = ['tests', 'tests/training']; import test_loop as t;"
        "run = t.train(t.settings(), pathlib.Path('none'), device=sys.argv[2]); t.written(run, pathlib.Path(sys.argv[1]))"
    )
    for name in ("one", "two"):
        subprocess.run([sys.executable, "-c", script, str(tmp_path / name), device], check=True, cwd=ROOT)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_killed_in_the_middle_it_continues_from_the_last_saved_state(tmp_path: Path) -> None:
    """A process that saves after every cycle is killed without warning, again and again."""
    script = (
        "import sys, time, torch, pathlib; torch.set_num_threads(1);"
        "sys.path[:0] = ['tests', 'tests/training']; import test_loop as t;"
        "t.loop.SAVE_EVERY = 0.0;"
        "run = t.train(t.settings(), pathlib.Path(sys.argv[1]), lambda *_: (print('cycle', flush=True), time.sleep(0.02)));"
        "t.written(run, pathlib.Path(sys.argv[2]))"
    )
    state, final = tmp_path / "state.safetensors", tmp_path / "final"
    for cycles in (2, 3, 1, 4):
        process = subprocess.Popen(
            [sys.executable, "-c", script, str(state), str(final)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        for _ in range(cycles):
            process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert not final.exists()
    subprocess.run([sys.executable, "-c", script, str(state), str(final)], check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
    undisturbed = written(train(settings(), tmp_path / "none"), tmp_path / "undisturbed")
    assert final.read_bytes() == undisturbed.read_bytes()


def saved(tmp_path: Path) -> Path:
    state = tmp_path / "state.safetensors"
    store(train(settings(), tmp_path / "none"), state)
    return state


def test_a_state_of_other_settings_is_refused_with_the_difference(tmp_path: Path) -> None:
    state = saved(tmp_path)
    with pytest.raises(UserError, match=r"other settings \(recipe.optimiser.lr_critic 0.0004 -> 0.001\)"):
        train(settings("sagan-div-a", "methods.sagan-div-a.optimiser.lr_critic=0.001"), state)
    assert state.exists()


@pytest.mark.parametrize("content", [b"", b"x" * 100, None])
def test_a_damaged_state_is_refused(tmp_path: Path, content: bytes | None) -> None:
    state = saved(tmp_path)
    state.write_bytes(state.read_bytes()[:-100] if content is None else content)
    with pytest.raises(UserError, match="truncated or no safetensors file"):
        train(settings(), state)


def test_a_checkpoint_is_no_state(tmp_path: Path) -> None:
    run, state = train(settings(), tmp_path / "none"), tmp_path / "state.safetensors"
    checkpoints.save(state, checkpoints.tensors_of(generator=run.generator), {"settings": plain(run.settings)})
    with pytest.raises(UserError, match="is no state of a training run; delete it to start anew"):
        train(settings(), state)
    assert state.exists()


def test_a_state_of_another_version_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    state = saved(tmp_path)
    monkeypatch.setattr(checkpoints, "FORMAT", "sagan-div 2")
    with pytest.raises(UserError, match="was not written by this version of sagan-div"):
        train(settings(), state)
    assert state.exists()


def test_a_full_disk_is_one_line_and_the_last_state_stays(tmp_path: Path) -> None:
    """A limit on the size of files stands for the disk: the system refuses the write in the same place."""
    state = saved(tmp_path)
    before = state.read_bytes()
    run = begin(settings(), Shape(16, 1, 8, 16), torch.device("cpu"))
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limit[1]))
    try:
        with pytest.raises(UserError, match=r"state.safetensors: cannot be written \(.*\); free or choose another place"):
            store(run, state)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)
    assert state.read_bytes() == before
    assert list(tmp_path.iterdir()) == [state]


def test_a_checkpoint_is_as_open_to_others_as_any_file(tmp_path: Path) -> None:
    (tmp_path / "any").touch()
    assert saved(tmp_path).stat().st_mode == (tmp_path / "any").stat().st_mode


def test_what_a_killed_process_half_wrote_goes(tmp_path: Path) -> None:
    (tmp_path / ".state-x1y2.safetensors").write_bytes(b"half")
    train(settings(), tmp_path / "state.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_the_time_of_all_sessions_is_counted(tmp_path: Path) -> None:
    state, found = tmp_path / "state.safetensors", []
    while True:
        try:
            run = train(settings(), state, stop_often)
            break
        except Interrupted:
            about = checkpoints.load(state)[1]
            assert 0 < about["seconds"] <= about["earlier"]
            found.append((about["seconds"], about["earlier"]))
    assert len(found) > 1
    assert found == sorted(set(found))
    assert run.seconds >= found[-1][0]  # a stop after the last cycle leaves none to do
    assert run.earlier == found[-1][1]


EXPLOSIVE = ["methods.wgan-div.loss.k=1e38", "methods.wgan-div.loss.multiplier=1e38", "train.log_rows=6"]


def test_divergence_ends_the_run_with_a_row_that_says_so(tmp_path: Path) -> None:
    run = train(settings("wgan-div", *EXPLOSIVE), tmp_path / "none")
    assert (run.diverged, run.images) == (96, 96)  # of 480
    assert not all(math.isfinite(run.history[-1][name]) for name in ("loss_critic", "loss_generator"))
    assert [row["diverged"] for row in csv.DictReader(history.text(run).splitlines())] == ["1"]
    assert (run.best, run.best_tensors) == ({}, {})
    assert re.match(r"training diverged by image 96 \(critic loss .*gradient norm.*methods.wgan-div", history.divergence(run))


@pytest.mark.parametrize("number", [math.nan, math.inf])
@pytest.mark.parametrize("network", ["generator", "critic"])
def test_a_network_that_is_no_longer_finite_has_diverged_before_a_loss_shows_it(network: str, number: float) -> None:
    run = begin(settings(), Shape(16, 1, 8, 16), torch.device("cpu"))
    run.cycle = 1
    history.close_row(run)
    assert run.diverged is None
    next(getattr(run, network).parameters()).data.view(-1)[0] = number
    run.cycle = 2
    history.close_row(run)
    assert run.diverged == run.images == 80


def test_what_was_rated_before_a_divergence_stays_the_best(tmp_path: Path) -> None:
    """The generator is broken from outside after its first rating, at half of the run, as a wild step would break it."""
    rated: list[torch.nn.Module] = []

    def rate(generator: torch.nn.Module) -> float:
        rated.append(generator)
        return rating(generator)

    def wreck(images: int, row: dict[str, float]) -> None:
        if rated and images == 280:
            next(rated[0].parameters()).data.fill_(math.nan)

    run = loop.train(settings(), images(), rate, tmp_path / "none", torch.device("cpu"), wreck)
    assert len(rated) == 1
    assert (run.diverged, run.best["images"]) == (360, 240)
    assert math.isnan(run.history[-1]["fid"])
    assert all(tensor.isfinite().all() for tensor in run.best_tensors.values())


def test_a_run_that_diverged_is_over_when_it_is_resumed(tmp_path: Path) -> None:
    given, state = settings("wgan-div", *EXPLOSIVE), tmp_path / "state.safetensors"
    undisturbed = train(given, tmp_path / "none")
    store(undisturbed, state)
    resumed = train(given, state)
    assert bits(resumed) == bits(undisturbed)
    assert (resumed.diverged, resumed.images) == (96, 96)


def test_the_history_counts_images_and_rates_its_checkpoints(tmp_path: Path) -> None:
    run = train(settings("sagan-div-d"), tmp_path / "none")
    assert [row["images"] for row in run.history] == [120, 240, 360, 480]
    assert [row["fid"] == row["fid"] for row in run.history] == [False, True, False, True]
    assert [row["critic_updates"] / row["generator_updates"] for row in run.history] == [5.0] * 4
    assert run.best["fid"] == min(row["fid"] for row in run.history if row["fid"] == row["fid"])


def test_the_history_has_singular_values_and_attention_weights(tmp_path: Path) -> None:
    run = train(settings("sagan-div-d"), tmp_path / "none")
    assert history.columns(run)[-2:] == ["gamma_1", "gamma_2"]  # of the two blocks with attention at 16 pixels
    assert all(set(row) == set(history.columns(run)) for row in run.history)
    row = run.history[-1]
    assert row["gamma_1"] == run.generator[0][-1].gamma.item() != 0
    for name, network in (("sigma_generator", run.generator.eval()), ("sigma_critic", run.critic.eval())):
        kernels = [m.weight.detach().transpose(0, 1) for m in network.modules() if isinstance(m, torch.nn.ConvTranspose2d)]
        kernels += [m.weight.detach() for m in network.modules() if isinstance(m, torch.nn.Conv2d)]
        largest = max(float(torch.linalg.matrix_norm(kernel.flatten(1), ord=2)) for kernel in kernels)
        assert row[name] == pytest.approx(largest, rel=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_each_step_moves_its_own_network_only(method: str, tmp_path: Path) -> None:
    run = begin(settings(method), Shape(16, 1, 8, 16), torch.device("cpu"))

    def weights() -> tuple[list[Tensor], list[Tensor]]:
        return [p.detach().clone() for p in run.generator.parameters()], [p.detach().clone() for p in run.critic.parameters()]

    def moved(before: list[Tensor], after: list[Tensor]) -> bool:
        return any(not torch.equal(b, a) for b, a in zip(before, after, strict=True))

    start = weights()
    z, real, fake = latents(0, "test", 0, 8, 16), torch.rand(8, 1, 16, 16) * 2 - 1, torch.rand(8, 1, 16, 16) * 2 - 1
    critic_step(run, real, fake, uniform(0, "mix", 0, 8))
    between = weights()
    generator_step(run, z)
    end = weights()
    assert (moved(start[0], between[0]), moved(start[1], between[1])) == (False, True)
    assert (moved(between[0], end[0]), moved(between[1], end[1])) == (True, False)
    assert all(p.requires_grad for p in run.critic.parameters())


def test_every_image_is_seen_once_per_pass() -> None:
    batches, seen = Batches(seed=3, count=50, batch_size=8), []
    for step in range(25):
        seen.append(batches[step])
    stream_of_indices = torch.cat(seen)
    for epoch in range(4):
        assert sorted(stream_of_indices[epoch * 50 : (epoch + 1) * 50].tolist()) == list(range(50))
    assert not torch.equal(stream_of_indices[:50], stream_of_indices[50:100])
    assert torch.equal(Batches(3, 50, 8)[17], seen[17])  # from scratch, without the batches before it


def test_a_batch_may_be_larger_than_the_dataset() -> None:
    assert len(Batches(seed=0, count=5, batch_size=12)[0]) == 12


def test_a_state_is_saved_every_so_often(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loop, "SAVE_EVERY", 0.0)
    times: list[float] = []
    train(settings(), tmp_path / "state.safetensors", lambda *_: times.append(time.time()))
    assert (tmp_path / "state.safetensors").exists()
