"""The fast engine against the eager one, which runs PyTorch's own modules: the same numbers, for every method and setting."""

import runpy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from sagan_div.data.images import to_float
from sagan_div.data.randomness import Batches, Draws, latents, uniform
from sagan_div.models.networks import Shape, build
from sagan_div.study.job_settings import TrainSettings
from sagan_div.study.load import load
from sagan_div.training import engine, kernels, steps
from sagan_div.training.state import Run, begin, tensors
from support import ROOT, train_settings

OVERLAY = ROOT / "workflow" / "overlays" / "author-code.yaml"
BASELINES = ROOT / "workflow" / "overlays" / "baselines.yaml"
METHODS = list(load(ROOT / "params.yaml").methods)
WGANS = ["wgan", "wgan-gp"]
SHAPE = Shape(image_size=16, channels=1, width=8, latent=16)


def settings(method: str, *sets: str, overlays: tuple[Path, ...] = ()) -> TrainSettings:
    sizes = ["image_size=16", "width=8", "latent=16", f"methods.{method}.batch_size=8"]
    study = load(ROOT / "params.yaml", overlays, sets=[*sizes, *sets])
    return train_settings(study, method, "mnist")


def images(channels: int = 1) -> Tensor:
    return torch.randint(0, 256, (50, channels, 16, 16), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def run_of(given: TrainSettings, cycles: int, device: str = "cpu") -> tuple[Run, list[Tensor]]:
    """A run after so many cycles, and the open sums of the statistics after each."""
    run = begin(given, SHAPE, torch.device(device))
    for network in (run.generator, run.critic):
        network.to(torch.get_default_dtype())
    batches, sums = Batches(0, 50, 8), []
    advance = steps.prepared(run, images(), batches)
    for _ in range(cycles):
        advance(steps.draws(run, batches))
        run.cycle += 1
        sums.append(run.sums.clone())
    return run, sums


def assert_equal_runs(method: str, *sets: str, overlays: tuple[Path, ...] = (), cycles: int = 50) -> None:
    (eager, eager_sums), (fast, fast_sums) = (
        run_of(settings(method, f"train.engine={name}", *sets, overlays=overlays), cycles) for name in ("eager", "fast")
    )
    torch.testing.assert_close(torch.stack(fast_sums), torch.stack(eager_sums), rtol=1e-5, atol=1e-9, equal_nan=True)
    found, expected = tensors(fast), tensors(eager)
    assert found.keys() == expected.keys()
    del expected["sums"]  # seen above; without a penalty its gradient norm is no number
    for name, tensor in expected.items():
        largest = tensor.double().abs().max()
        assert (found[name].double() - tensor.double()).abs().max() <= 1e-5 * largest + 1e-12, name


@pytest.fixture
def double(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Networks, images and chance in float64, in which 50 cycles leave rounding far below what is compared."""
    monkeypatch.setattr(steps, "to_float", lambda x: to_float(x).double())
    monkeypatch.setattr(steps, "latents", lambda *about: latents(*about).double())
    monkeypatch.setattr(steps, "uniform", lambda *about: uniform(*about).double())
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize("method", METHODS)
def test_after_fifty_cycles_both_engines_hold_the_same_numbers(method: str, double: None) -> None:
    assert_equal_runs(method)


@pytest.mark.parametrize("method", WGANS)
def test_so_do_they_with_the_losses_of_the_baselines(method: str, double: None) -> None:
    assert_equal_runs(method, overlays=(BASELINES,), cycles=20)


@pytest.mark.parametrize("method", METHODS)
def test_so_do_they_under_the_authors_protocol(method: str, double: None) -> None:
    assert_equal_runs(method, overlays=(OVERLAY,), cycles=5)


@pytest.mark.parametrize("bias", ["none", "where-no-norm"])
@pytest.mark.parametrize("method", METHODS)
def test_so_do_they_with_biases_and_without(method: str, bias: str, double: None) -> None:
    """Where no norm takes a bias back, and leaves rounding for its gradient, along which Adam steps as along any."""
    sets = [f"methods.{method}.{network}.bias={bias}" for network in ("generator", "critic")]
    assert_equal_runs(method, *sets, cycles=5)


@pytest.mark.parametrize("method", METHODS)
def test_in_float32_each_of_fifty_cycles_leads_from_one_state_to_the_same_losses_and_gradients(
    method: str,
) -> None:
    """To 1e-5 of float64 (1e-4 where a gradient is one number, whose terms cancel), or where float32 is rougher, as at a
    ReLU's kink, to ten times the eager engine's distance.

    From one state, since what rounding has parted Adam drives further apart, in either engine.
    """
    runs = [begun(settings(method, f"train.engine={name}"), dtype) for name, dtype in ENGINES]
    batches = Batches(0, 50, 8)
    for _ in range(50):
        drawn = steps.draws(runs[0], batches)
        outcomes = [cycle_of(run, drawn, dtype) for run, (_, dtype) in zip(runs, ENGINES, strict=True)]
        for exact, eager, fast in zip(*outcomes, strict=True):
            allowed = max(1e-4 if exact.numel() == 1 else 1e-5, 10 * apart(eager, exact))
            assert apart(fast, exact) <= allowed, runs[0].cycle
        state = tensors(runs[1])
        for run in runs:
            for name, tensor in tensors(run).items():
                tensor.detach().copy_(state[name])
            run.sums.zero_()
            run.cycle += 1


ENGINES = [("eager", torch.float64), ("eager", torch.float32), ("fast", torch.float32)]


def begun(given: TrainSettings, dtype: torch.dtype) -> Run:
    run = begin(given, SHAPE, torch.device("cpu"))
    for network in (run.generator, run.critic):
        network.to(dtype)
    run.sums = run.sums.to(dtype)
    return run


def cycle_of(run: Run, drawn: Draws, dtype: torch.dtype) -> list[Tensor]:
    """The statistics of a cycle, and the last gradients of either network."""
    typed = Draws(drawn.images, *(part.to(dtype) for part in drawn[1:]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(steps, "to_float", lambda x: to_float(x).to(dtype))
        steps.cycle(run, images(), typed)
    return [*run.sums, *(p.grad for network in (run.generator, run.critic) for p in network.parameters())]


def apart(found: Tensor, exact: Tensor) -> float:
    """Relative to the norm; 0 where both are no number, as a gradient norm without a penalty."""
    return float(((found.double() - exact).norm() / exact.norm()).nan_to_num(0.0)) if exact.norm() != 0 else 0.0


COUNTER = runpy.run_path(str(ROOT / "benchmarks" / "training.py"))["Counter"]


@pytest.mark.parametrize("points", ["interpolates", "both"])
@pytest.mark.parametrize("method", METHODS)
def test_the_fast_engine_multiplies_no_more_than_the_eager_one(method: str, points: str) -> None:
    """FLOPs of a cycle: a gradient that nobody asked for shows here."""
    chosen = [f"methods.{method}.loss.points={points}"] if "div" in method else []
    counts = []
    for name in ("eager", "fast"):
        run = begun(settings(method, f"train.engine={name}", *chosen), torch.float32)
        drawn = steps.draws(run, Batches(0, 50, 8))
        with COUNTER() as counter:
            steps.cycle(run, images(), drawn)
        counts.append(counter.total)
    assert counts[1] <= counts[0]


def gradients(given: TrainSettings, dtype: torch.dtype, seed: int) -> list[Tensor]:
    """Of the critic and the generator after one critic and one generator step's losses, at scattered weights."""
    run = begin(given, SHAPE, torch.device("cpu"))
    random = torch.Generator().manual_seed(seed)
    for network in (run.generator, run.critic):
        for parameter in network.parameters():
            parameter.data += 0.1 * torch.randn(parameter.shape, generator=random)
        network.to(dtype)
    real = torch.rand(8, 1, 16, 16, generator=random).to(dtype) * 2 - 1
    fake = torch.rand(8, 1, 16, 16, generator=random).to(dtype) * 2 - 1
    mix, z = torch.rand(8, generator=random).to(dtype), torch.randn(8, 16, 1, 1, generator=random).to(dtype)
    run.sums = run.sums.to(dtype)
    steps.critic_step(run, real, fake, mix)
    steps.generator_step(run, z)
    return [parameter.grad for network in (run.critic, run.generator) for parameter in network.parameters()]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("seed", [0, 1])
def test_in_float32_the_fast_gradients_are_as_close_to_float64_as_the_eager_ones(method: str, seed: int) -> None:
    exact = gradients(settings(method, "train.engine=eager"), torch.float64, seed)

    def distance(name: str) -> float:
        found = gradients(settings(method, f"train.engine={name}"), torch.float32, seed)
        return max(float((a.double() - b).norm() / b.norm()) for a, b in zip(found, exact, strict=True) if b.norm() > 0)

    assert distance("fast") <= max(1e-5, 2 * distance("eager"))


@pytest.mark.parametrize("norm", ["none", "batch", "instance", "layer"])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("bias", ["none", "where-no-norm", "all"])
def test_scores_and_their_second_derivatives_agree(norm: str, channels: int, bias: str) -> None:
    """Of a critic of any norm, on grey and on coloured images: the gradient of its gradient's norm, in float64."""
    changes = {"norm": norm, "norm_from": 1, "bias": bias}
    study = load(ROOT / "params.yaml", sets=[f"methods.wgan-div.critic.{key}={value}" for key, value in changes.items()])
    _, critic = build(study.methods["wgan-div"], Shape(32, channels, 8, 16), seed=0)
    critic.double()
    for parameter in critic.parameters():  # biases too, which start from 0
        torch.nn.init.normal_(parameter, 0.0, 0.1)
    points = torch.randn(4, channels, 32, 32, dtype=torch.float64, requires_grad=True)
    found = []
    for apply in (engine.eager, engine.fast):
        scores = apply(critic, points)
        (slope,) = torch.autograd.grad(scores.sum(), points, create_graph=True)
        objective = slope.flatten(1).square().sum(1).pow(3).mean() + scores.mean()
        found.append([scores, slope, *torch.autograd.grad(objective, [points, *critic.parameters()])])
    for fast, eager in zip(*found[::-1], strict=True):
        torch.testing.assert_close(fast, eager, rtol=1e-9, atol=1e-12)


def test_the_second_derivatives_pass_gradgradcheck() -> None:
    """Against finite differences, which know nothing of either engine."""
    random = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, dtype=torch.float64, generator=random).requires_grad_(True)

    for dims in ((2, 3), (1, 2, 3)):
        assert torch.autograd.gradgradcheck(lambda x, dims=dims: kernels.normalise(x, dims, 1e-5), draw(2, 2, 3, 3))
    for layer in (kernels.down, kernels.up):

        def slope(x: Tensor, w: Tensor, layer: Callable[[Tensor, Tensor], Tensor] = layer) -> Tensor:
            (found,) = torch.autograd.grad(layer(x, w).pow(3).sum(), x, create_graph=True)
            return found

        assert torch.autograd.gradcheck(layer, (draw(2, 3, 4, 4), draw(3, 3, 4, 4)))
        assert torch.autograd.gradcheck(slope, (draw(2, 3, 4, 4), draw(3, 3, 4, 4)))
    assert torch.autograd.gradgradcheck(lambda x: kernels.leaky(x, 0.2) ** 2, draw(2, 3, 4, 4))


@pytest.mark.parametrize("name", ["eager", "fast"])
@pytest.mark.parametrize("method", METHODS)
def test_bfloat16_is_near_and_keeps_its_sums_in_float32(method: str, name: str) -> None:
    exact, _ = run_of(settings(method, f"train.engine={name}"), 1)
    rough, _ = run_of(settings(method, f"train.engine={name}", "train.precision=bfloat16"), 1)
    assert all(tensor.dtype != torch.bfloat16 for tensor in tensors(rough).values())
    assert not torch.equal(rough.sums, exact.sums)
    scores = slice(1, 3)  # the penalty raises the relative error to the sixth power
    assert torch.allclose(rough.sums[scores], exact.sums[scores], rtol=0.1, atol=0.1)


@pytest.mark.parametrize("name", ["eager", "fast"])
def test_bfloat16_sees_every_update_of_a_cycle(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Autocast would keep the weights that it has cast until the cycle's end, five updates later."""
    given = settings("wgan-div", f"train.engine={name}", "train.precision=bfloat16")
    found, _ = run_of(given, 2)
    step = steps.critic_step

    def forgetful(*words: Any) -> Tensor:
        torch.clear_autocast_cache()
        return step(*words)

    monkeypatch.setattr(steps, "critic_step", forgetful)
    expected, _ = run_of(given, 2)
    for key, tensor in tensors(expected).items():
        assert torch.equal(tensors(found)[key], tensor), key


@pytest.mark.gpu
@pytest.mark.parametrize("method", METHODS)
def test_on_a_gpu_the_captured_cycle_is_the_eager_one(method: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """TF32 off: what is left between a replayed graph and module after module is the order of sums."""
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    monkeypatch.setattr(engine, "_tf32", lambda settings: False)
    eager, _ = run_of(settings(method, "train.engine=eager"), 3, "cuda")
    fast, _ = run_of(settings(method), 3, "cuda")
    torch.testing.assert_close(fast.sums, eager.sums, rtol=1e-4, atol=1e-6, equal_nan=True)
    for (name, found), expected in zip(tensors(fast).items(), tensors(eager).values(), strict=True):
        torch.testing.assert_close(found, expected, rtol=1e-2, atol=1e-4, msg=name)


@pytest.mark.gpu
def test_capturing_leaves_no_trace_in_the_run() -> None:
    """The warm-up cycles are undone: a resumed run goes on from its state."""
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    run, _ = run_of(settings("sagan-div-a"), 2, "cuda")
    before = {name: tensor.clone() for name, tensor in tensors(run).items()}
    steps.prepared(run, images(), Batches(0, 50, 8))
    assert all(torch.equal(before[name], tensor) for name, tensor in tensors(run).items())
