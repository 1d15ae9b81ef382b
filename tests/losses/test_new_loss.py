"""Adding a loss is adding its module."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sagan_div import losses
from support import ROOT

LEAST_SQUARES = '''
"""The least-squares loss (Mao et al. 2017) with a penalty at real images (Mescheder et al. 2018)."""

from typing import Annotated, Literal

from pydantic import Field

from sagan_div.losses.loss import Loss, Penalty


class PenalisedSquares(Loss):
    name: Literal["penalised-squares"]
    weight: Annotated[float, Field(ge=0.0)]

    def critic(self, real, fake):
        return (real - 1).square().mean() + fake.square().mean()

    def generator(self, fake):
        return (fake - 1).square().mean()

    def tracked(self, real, fake):
        return real.detach().requires_grad_(True), fake.detach()

    def penalty(self, critic, images, scores, mix):
        import torch

        (gradients,) = torch.autograd.grad(scores[0].sum(), images[0], create_graph=True)
        squares = gradients.flatten(1).square().sum(1)
        return Penalty(self.weight * squares.mean(), squares.detach().sqrt().mean())
'''

TWO_CYCLES = """
import sys, torch
from pathlib import Path
sys.path.insert(0, "tests")
from sagan_div.data.randomness import Batches
from sagan_div.models.networks import Shape
from sagan_div.study.load import load
from sagan_div.training import steps
from sagan_div.training.state import begin
from support import train_settings

sizes = ["datasets=[digits]", "image_size=16", "width=8", "latent=16", "train.batch_size=8"]
study = load(Path("params.yaml"), sets=[*sizes, "methods.dcgan.loss={name: penalised-squares, weight: 5}"])
run = begin(train_settings(study, "dcgan"), Shape(16, 1, 8, 16), torch.device("cpu"))
before = [parameter.detach().clone() for parameter in run.critic.parameters()]
images, batches = torch.randint(0, 256, (50, 1, 16, 16), dtype=torch.uint8), Batches(0, 50, 8)
advance = steps.prepared(run, images, batches)
for _ in range(2):
    advance(steps.draws(run, batches))
    run.cycle += 1
assert run.sums.isfinite().all(), run.sums  # the norm of the penalty's gradients among them
assert all(not torch.equal(a, b) for a, b in zip(before, run.critic.parameters()))
print(study.methods["dcgan"].loss)
"""


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The package and what a study needs, in a folder of its own."""
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    (tmp_path / "tests").mkdir()
    shutil.copy(ROOT / "tests" / "support.py", tmp_path / "tests")
    shutil.copy(ROOT / "params.yaml", tmp_path)
    return tmp_path


def python(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    environment = {"PYTHONPATH": str(folder / "src"), "OMP_NUM_THREADS": "1"}
    return subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True)


def test_a_new_module_is_a_new_loss_that_trains(copy: Path) -> None:
    unknown = python(TWO_CYCLES, copy)
    assert "methods.dcgan.loss.name: the text 'penalised-squares' is none of gradient-penalty, hinge" in unknown.stderr
    (copy / "src" / "sagan_div" / "losses" / "penalised_squares.py").write_text(LEAST_SQUARES)
    done = python(TWO_CYCLES, copy)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "name='penalised-squares' weight=5.0\n"


def test_the_training_step_names_no_loss() -> None:
    for path in (ROOT / "src" / "sagan_div" / "training").glob("*.py"):
        text = path.read_text(encoding="utf-8")
        for kind in losses.LOSSES.values():
            assert kind.__name__ not in text
            assert f"losses.{Path(losses.module(kind.model_fields['name'].annotation.__args__[0])).suffix[1:]}" not in text


def test_a_loss_leads_to_its_module() -> None:
    assert losses.module("non-saturating") == "sagan_div.losses.non_saturating"
    assert losses.module("wasserstein-divergence") == losses.LOSSES["wasserstein-divergence"].__module__
    assert list(losses.LOSSES) == sorted(losses.LOSSES)


def test_losses_are_known_without_torch() -> None:
    done = python("import sys, sagan_div.losses; print(sorted({'torch', 'numpy'} & set(sys.modules)))", ROOT)
    assert done.stdout == "[]\n", done.stderr
