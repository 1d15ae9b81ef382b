"""What becomes of a cell: which generator is sampled, by which latents, and how a run that diverged is told to the end."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from sagan_div import arrays
from sagan_div.data.samples import load_samples, why_none
from sagan_div.errors import UserError
from sagan_div.evaluation.spaces.classifier import save_classifier
from sagan_div.models import checkpoints, sampling
from sagan_div.phases import run
from sagan_div.phases.machine import Machine
from sagan_div.study.load import load
from sagan_div.training import steps
from sagan_div.workflow.jobs import Job, planned
from sagan_div.workflow.kinds import KINDS
from sagan_div.workflow.layout import Layout
from support import ROOT, digits, trained

CPU = Machine(torch.device("cpu"))
SETS = (
    *("datasets=[digits]", "methods=[wgan-div]", "seeds=[3]", "image_size=16", "width=4", "latent=8"),
    "train={images: 256, batch_size: 16, log_rows: 4, checkpoints: 2, rating_count: 50}",
    *("sample.count=40", "score.reference.count=100", "score.metrics=[fid]", "score.repeat_last_batch=[32]"),
)
DIVERGES = ("methods.wgan-div.loss.k=1e38", "methods.wgan-div.loss.multiplier=1e38")
Do = Callable[..., Job]


def the_job(kind: str, *sets: str) -> Job:
    about = {"dataset": "digits", "method": "wgan-div", "seed": 3, "extractor": "classifier"}
    return planned(load(ROOT / "params.yaml", sets=[*SETS, *sets]), KINDS[kind], about)


def record(job: Job) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(job.record.read_text())
    return found


@pytest.fixture
def do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Do:
    """A function that does a job of the cell, where its dataset and its classifier are there."""
    monkeypatch.chdir(tmp_path)
    layout, (images, labels) = Layout("main"), digits()
    for split, chosen in (("train", images[:600]), ("test", images[600:800])):
        arrays.write(Path(str(layout.images(split)).format(dataset="digits")), chosen.numpy())
    network, _ = trained(images[:200], labels[:200], epochs=1)
    save_classifier(Path(str(layout.classifier).format(dataset="digits")), network, {"dataset": "digits"})

    def done(kind: str, *sets: str) -> Job:
        job = the_job(kind, *sets)
        run.run(job, CPU)
        return job

    return done


def test_a_run_that_diverges_unrated_is_a_finished_cell_without_samples(do: Do) -> None:
    train, sample = do("train", *DIVERGES), do("sample", *DIVERGES)
    do("reference", *DIVERGES)
    score = do("score", *DIVERGES)
    assert record(train)["diverged"] == 64  # of 256
    assert (record(train)["best"], record(train)["rated_again"]) == ({}, {})
    (row,) = csv.DictReader(train.outputs["history"].read_text().splitlines())
    assert (row["images"], row["diverged"]) == ("64", "1")
    assert np.asarray(Image.open(train.outputs["growth"])).min() == 255
    why = "training diverged at image 64 and had rated no generator"
    assert record(sample)["why"] == why
    assert (len(load_samples(sample.outputs["samples"])), why_none(sample.outputs["samples"])) == (0, why)
    assert np.asarray(Image.open(sample.outputs["grid"])).min() == 255
    found = json.loads(score.outputs["metrics"].read_text())["extractors"]
    assert found == {"classifier": {"fid": None, "why": why}}
    with pytest.raises(UserError, match=rf"best.safetensors: holds no generator: {why}$"):
        sampling.load_generator(train.outputs["best"], CPU.device)
    with pytest.raises(UserError, match=r"last.safetensors: training diverged at image 64; name the best.safetensors"):
        sampling.load_generator(train.outputs["last"], CPU.device)


def test_a_run_that_diverges_later_is_sampled_from_its_best_generator(do: Do) -> None:
    """The last networks of a healthy run are marked as those of one that diverged."""
    train = do("train")
    healthy = load_samples(do("sample", "sample.select=best").outputs["samples"])
    tensors, about = checkpoints.load(train.outputs["last"])
    checkpoints.save(
        train.outputs["last"], {name: tensor * torch.nan for name, tensor in tensors.items()}, about | {"diverged": 256}
    )
    sample = do("sample", "sample.select=last")
    assert record(sample)["drawn_from"] == "best"
    assert torch.equal(load_samples(sample.outputs["samples"]), healthy)


def test_growth_has_a_row_for_every_rating_of_the_images_of_the_same_latents(do: Do) -> None:
    train = do("train", "train.checkpoints=2")
    generator, shape, _ = sampling.load_generator(train.outputs["last"], CPU.device)
    drawn = sampling.draw(generator, shape.latent, 32, 32, 3, "growth")
    growth = torch.from_numpy(np.asarray(Image.open(train.outputs["growth"])).copy())
    side = drawn.shape[-1]
    assert growth.shape == (2 * side + 1, 32 * (side + 1) - 1)
    rows = [[row[:, i * (side + 1) :][:, :side] for i in range(32)] for row in (growth[:side], growth[side + 1 :])]
    assert torch.equal(torch.stack(rows[1]), drawn[:, 0])
    assert not torch.equal(torch.stack(rows[0]), drawn[:, 0])


@pytest.mark.parametrize("select", ["best", "last"])
@pytest.mark.parametrize("key", ["sample", "methods.wgan-div"])
def test_the_generator_that_is_selected_is_sampled_and_no_cell_is_trained_again_for_it(do: Do, key: str, select: str) -> None:
    other = {"best": "last", "last": "best"}[select]
    sets = (f"{key}.select={select}",) if key == "sample" else (f"{key}.select={select}", f"sample.select={other}")
    train = do("train")
    assert the_job("train", *sets).settings == train.settings
    tensors, about = checkpoints.load(train.outputs["best"])
    checkpoints.save(train.outputs["best"], {name: tensor * 2 for name, tensor in tensors.items()}, about)  # surely another one
    drawn = {}
    for name in ("best", "last"):
        generator, shape, _ = sampling.load_generator(train.outputs[name], CPU.device)
        drawn[name] = sampling.draw(generator, shape.latent, 40, 500, 3, "sample")
    assert not torch.equal(drawn["best"], drawn["last"])
    sample = do("sample", *sets)
    assert torch.equal(load_samples(sample.outputs["samples"]), drawn[select])
    assert record(sample)["drawn_from"] == select


def test_no_latent_trains_or_rates_and_is_scored(do: Do, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of all latents that go through a generator: none that choose it, or form it, are those of the samples."""
    seen: list[bytes] = []

    def watched(*about: Any) -> torch.Tensor:
        drawn = latents(*about)
        seen.extend(z.numpy().tobytes() for z in drawn)
        return drawn

    latents = sampling.latents
    for module in (sampling, steps):
        monkeypatch.setattr(module, "latents", watched)
    do("train", "train.batch_size=16")
    before, count = set(seen), len(seen)
    assert count > 50 * 2 + 50 * 5  # both ratings, and those again
    seen.clear()
    do("sample")
    assert len(set(seen)) == len(seen)
    assert not set(seen) & before


def test_ratings_of_a_run_share_their_latents_and_each_again_has_its_own(do: Do, monkeypatch: pytest.MonkeyPatch) -> None:
    purposes: list[str] = []
    draw = sampling.draw
    monkeypatch.setattr(sampling, "draw", lambda *about: (purposes.append(about[-1]), draw(*about))[1])
    do("train")
    again = [purpose for purpose in purposes if purpose.startswith("rated again")]
    assert purposes[:4] == ["rating", "growth"] * 2
    assert len(set(again)) == len(purposes) - 4 == 5
    assert "sample" not in purposes


def test_a_job_that_fails_after_it_has_written_leaves_no_record_of_the_time_when_it_did_not(do: Do) -> None:
    """Its samples are written and its grid cannot be."""
    train, sample = do("train"), do("sample")
    assert sample.record.exists()
    tensors, about = checkpoints.load(train.outputs["best"])
    checkpoints.save(train.outputs["best"], {name: tensor * 2 for name, tensor in tensors.items()}, about)
    sample.outputs["grid"].unlink()
    sample.outputs["grid"].mkdir()
    with pytest.raises(UserError, match=r"grid.png"):
        do("sample")
    assert not sample.record.exists()


def test_a_job_that_fails_before_it_has_written_leaves_all_as_it_was(do: Do) -> None:
    train, sample = do("train"), do("sample")
    files = [sample.record, *sample.outputs.values()]
    before = [path.read_bytes() for path in files]
    train.outputs["best"].write_bytes(train.outputs["best"].read_bytes()[:-10])
    with pytest.raises(UserError, match="truncated"):
        do("sample")
    assert [path.read_bytes() for path in files] == before
