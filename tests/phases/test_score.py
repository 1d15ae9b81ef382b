"""The reference and score jobs of a study: exact mode is pytorch-fid's command, and copies are found."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from sagan_div import arrays
from sagan_div.data.images import parts
from sagan_div.data.samples import save_samples
from sagan_div.errors import UserError
from sagan_div.evaluation.frechet import frechet_distance, moments
from sagan_div.evaluation.spaces.classifier import save_classifier
from sagan_div.evaluation.spaces.extractor import extract
from sagan_div.evaluation.spaces.torchscript import torchscript_extractor
from sagan_div.evaluation.statistics import load_beside
from sagan_div.models.networks import Generator, Shape
from sagan_div.phases import reference, score, spaces, train
from sagan_div.phases.machine import Machine
from sagan_div.settings import difference, plain, read
from sagan_div.study import schema as config
from sagan_div.study.job_settings import ReferenceSettings, ScoreSettings, TrainSettings
from sagan_div.study.load import load
from sagan_div.training.state import begin
from sagan_div.workflow.jobs import job as job_of
from sagan_div.workflow.jobs import planned
from sagan_div.workflow.kinds import REFERENCE, SCORE, TRAIN
from sagan_div.workflow.layout import Layout
from support import ROOT, as_folder, digits, pytorch_fid, trained
from torchscript import torchscript

CPU = Machine(torch.device("cpu"))
CELL = {"dataset": "digits", "method": "dcgan", "seed": 0}


@pytest.fixture
def study(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    """A study whose dataset of 16x16 digits is there."""
    monkeypatch.chdir(tmp_path)
    layout, images = Layout("tiny"), digits()[0].numpy()
    for split, chosen in (("train", images[:600]), ("test", images[600:800])):
        arrays.write(Path(str(layout.images(split)).format(dataset="digits")), chosen)
    return layout


def scored(
    layout: Layout, extractor: config.Extractor, samples: torch.Tensor, metrics: tuple[config.Metric, ...], **about: object
) -> dict[str, object]:
    """What the score job says of samples in a feature space, after its reference job."""
    chosen = config.ReferenceConfig(split="train", count=about.pop("count", 200))  # type: ignore[arg-type]
    common = {"mode": "fast", "repeat_last_batch": ()} | about
    place = {"dataset": "digits", "image_size": 16, "extractor": extractor, "reference": chosen, "rating_count": 2}
    settings = ReferenceSettings(**place, **common)  # type: ignore[arg-type]
    reference.work(job_of(REFERENCE, settings, layout), CPU)
    job = job_of(SCORE, ScoreSettings(**CELL, extractors=(extractor,), metrics=metrics, **common), layout)  # type: ignore[arg-type]
    save_samples(job.inputs["samples"], samples)
    score.work(job, CPU)
    found: dict[str, object] = json.loads(job.outputs["metrics"].read_text())["extractors"][config.space(extractor)]
    return found


@pytest.fixture
def classifier(study: Layout) -> Layout:
    images, labels = digits()
    network, _ = trained(images[:600], labels[:600])
    save_classifier(Path(str(study.classifier).format(dataset="digits")), network, {"dataset": "digits"})
    return study


def test_copies_of_training_images_are_found_and_named(classifier: Layout) -> None:
    images = digits()[0]
    assert not set(parts(600, 2).rating.tolist()) & {*range(8), *range(40, 48)}  # which no score knows
    honest = scored(classifier, "classifier", images[800:1100], ("memorisation",))
    copied = scored(classifier, "classifier", torch.cat([images[40:48], images[808:1092], images[:8]]), ("memorisation",))
    assert copied["neighbours"] == list(range(40, 48))
    assert honest["memorised"] < 0.1  # type: ignore[operator]
    assert copied["memorised"] == pytest.approx(16 / 300 + honest["memorised"], abs=0.02)  # type: ignore[operator]
    assert honest["nearer"] == pytest.approx(0.5, abs=0.1)


def test_too_few_samples_lose_a_metric_and_keep_the_others(classifier: Layout) -> None:
    found = scored(classifier, "classifier", digits()[0][:5], ("fid", "kid", "is", "prdc"), repeat_last_batch=(32,))
    assert found["is"] is None
    assert found["precision"] is None
    assert "over 10 splits needs as many images, not 5" in str(found["why_is"])
    assert found["fid"] > 0  # type: ignore[operator]
    assert found["kid"] is not None
    assert found["fid_repeated_32"] is None
    assert found["why_repeat_last_batch"] == "the author's sampler writes 32 images or more, and there are 5 on one side"


@pytest.mark.parametrize("best_images", [64, 128])
def test_the_best_and_the_last_generator_are_rated_again_by_fresh_latents(best_images: int) -> None:
    small = load(ROOT / "params.yaml", sets=["image_size=16", "width=4"])
    settings = planned(small, TRAIN, {"dataset": "mnist", "method": "dcgan", "seed": 0}).settings
    assert isinstance(settings, TrainSettings)
    run = begin(settings, Shape(16, 1, 4, 100), torch.device("cpu"))
    run.cycle = 128 // (settings.recipe.n_critic * settings.batch_size)
    last = {name: value.clone() for name, value in run.generator.state_dict().items()}
    run.best = {"images": best_images, "fid": 1.0}
    doubled = {f"generator.{name}": 2 * value for name, value in last.items()}
    run.best_tensors = doubled if best_images < run.images else {f"generator.{name}": value for name, value in last.items()}
    asked: list[str] = []

    def rating(generator: Generator, purpose: str) -> float:
        asked.append(purpose)
        return float(sum(value.detach().abs().sum() for value in generator.parameters()))

    found = train._rated_again(run, rating)
    factor = 2 if best_images < run.images else 1
    assert found["best"] == pytest.approx([factor * value for value in found["last"]])
    assert len(set(asked)) == len(found["last"]) == train.DRAWS
    assert "rating" not in asked  # the latents of the choice
    assert all(torch.equal(value, last[name]) for name, value in run.generator.state_dict().items())


@pytest.mark.slow
def test_exact_mode_scores_by_the_digits_of_pytorch_fid(study: Layout, weights: Path, tmp_path: Path) -> None:
    study.weights.parent.mkdir(parents=True)
    study.weights.symlink_to(weights)
    samples = digits()[0][900:907]
    found = scored(study, "inception", samples, ("fid",), mode="exact", count=9)
    real = spaces.real(Path(str(study.images("train")).format(dataset="digits")), 16, 9)
    for name, images in (("samples", samples), ("real", real)):
        as_folder(images.numpy(), tmp_path / name)
    assert f"FID:  {found['fid']}" == pytorch_fid(weights, tmp_path / "samples", tmp_path / "real").splitlines()[-1]
    statistics = Path(str(study.statistics).format(dataset="digits", extractor="inception"))
    assert np.isfinite(load_beside(statistics, "bias")).all()


def test_a_torchscript_space_is_scored_by_its_name_and_judged_by_its_digest(study: Layout, tmp_path: Path) -> None:
    about = torchscript(tmp_path / "net.pt", name="random-net")
    space = read(config.TorchScriptConfig, about)
    images = digits()[0]
    found = scored(study, space, images[800:1000], ("fid", "kid", "is"))
    extractor = torchscript_extractor(space, torch.device("cpu"))
    real = extract(extractor, spaces.real(Path(str(study.images("train")).format(dataset="digits")), 16, 200))
    assert found["fid"] == frechet_distance(moments(extract(extractor, images[800:1000])), moments(real))
    assert "knows no classes" in str(found["why_is"])
    assert "classes" not in found
    told = load(ROOT / "params.yaml", layer={"score": {"extractors": [about | {"sha256": "a" * 64}]}})
    job = planned(told, REFERENCE, {"dataset": "mnist", "extractor": "random-net"})
    assert job.inputs["random-net_network"] == tmp_path / "net.pt"
    assert isinstance(job.settings, ReferenceSettings)
    assert "extractor.sha256" in difference(plain(job.settings.model_copy(update={"extractor": space})), plain(job.settings))
    (tmp_path / "net.pt").write_bytes(b"other code")
    with pytest.raises(UserError, match="it is code, and is not loaded"):
        scored(study, space, images[800:1000], ("fid",))
