"""No image both chooses a generator and judges it: what every job reads of the training split, counted image by image."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from sagan_div import arrays
from sagan_div.errors import UserError
from sagan_div.evaluation.spaces.classifier import save_classifier
from sagan_div.evaluation.spaces.extractor import extract
from sagan_div.evaluation.statistics import load_beside
from sagan_div.phases import real_vs_real, reference, spaces, train
from sagan_div.phases.machine import Machine
from sagan_div.study.job_settings import TrainSettings
from sagan_div.study.load import load
from sagan_div.workflow.jobs import planned
from sagan_div.workflow.kinds import REAL_VS_REAL, REFERENCE, TRAIN, Kind
from sagan_div.workflow.layout import Layout
from support import ROOT, digits, trained

CPU = Machine(torch.device("cpu"))
COUNTS = {"train": 400, "test": 100}
SETS = ("datasets=[digits]", "methods=[dcgan]", "image_size=16", "width=4", "score.extractors=[classifier]")
Used = Callable[..., set[int]]


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[bytes, int]:
    """A dataset of which no two images are equal: the place of each by its bytes, of test images below 0.

    Each reaches from black to white, so that a stretch leaves it as it is.
    """
    monkeypatch.chdir(tmp_path)
    layout, random, places = Layout("main"), np.random.default_rng(0), {}
    for split, count in COUNTS.items():
        images = random.integers(0, 256, (count, 1, 16, 16)).astype(np.uint8)
        images[:, 0, 0, :2] = 0, 255
        arrays.write(Path(str(layout.images(split)).format(dataset="digits")), images)
        places |= {image.tobytes(): place if split == "train" else -1 - place for place, image in enumerate(images)}
    network, _ = trained(*(part[:200] for part in digits()), epochs=1)
    save_classifier(Path(str(layout.classifier).format(dataset="digits")), network, {"dataset": "digits"})
    return places


@pytest.fixture
def used(files: dict[bytes, int], monkeypatch: pytest.MonkeyPatch) -> Used:
    """A function that does a job of a study, and returns the places of all images that went through a network meanwhile."""
    seen: list[int] = []

    def watched(extractor, images, *others):  # type: ignore[no-untyped-def]
        seen.extend(files[image.numpy().tobytes()] for image in images if image.min() < image.max())  # plain grey is no image
        return extract(extractor, images, *others)

    for module in (train, reference, real_vs_real, spaces):
        monkeypatch.setattr(module, "extract", watched)

    def do(kind: Kind, *sets: str, seed: int = 0) -> set[int]:
        seen.clear()
        study = load(ROOT / "params.yaml", sets=[*SETS, f"seeds=[{seed}]", *sets])
        job = planned(study, kind, {"dataset": "digits", "method": "dcgan", "seed": seed, "extractor": "classifier"})
        if isinstance(job.settings, TrainSettings):
            images = torch.from_numpy(arrays.read(job.inputs["images"]))
            train._judge(job.settings, images, job.inputs["classifier"], CPU.device)
        else:
            {REFERENCE: reference, REAL_VS_REAL: real_vs_real}[kind].work(job, CPU)
        return set(seen)

    return do


@pytest.mark.parametrize("rating_count", [2, 100, 250])
@pytest.mark.parametrize("split", ["train", "test"])
def test_what_rates_and_what_judges_share_no_image(used: Used, split: str, rating_count: int) -> None:
    sets = (f"train.rating_count={rating_count}", f"score.reference.split={split}")
    rates = used(TRAIN, *sets)
    assert len(rates) == rating_count
    for seed in (1, 7, 2**40):
        assert used(TRAIN, *sets, seed=seed) == rates
    for count in (4, 60, min(COUNTS[split], 400 - rating_count)):
        judges = used(REFERENCE, *sets, f"score.reference.count={count}")
        assert len(judges & set(range(400))) == 400 - rating_count  # all the others are known to memorisation
        assert not judges & rates
    for counts in ("[2, 50]", "[300]"):
        compared = used(REAL_VS_REAL, *sets, f"score.real_vs_real.counts={counts}")
        assert compared & set(range(400))
        assert not compared & rates


@pytest.mark.parametrize("split", ["train", "test"])
def test_what_scores_compare_with_is_a_sample_of_the_file(used: Used, split: str) -> None:
    """The first images of a file are none: MNIST's test images are ordered by difficulty."""
    used(REFERENCE, "train.rating_count=100", f"score.reference.split={split}", "score.reference.count=50")
    statistics = Path(str(Layout("main").statistics).format(dataset="digits", extractor="classifier"))
    places = load_beside(statistics, "training_places")
    assert abs(np.corrcoef(places, range(len(places)))[0, 1]) < 4 / len(places) ** 0.5
    images = torch.from_numpy(arrays.read(Path(str(Layout("main").images(split)).format(dataset="digits"))))
    space = spaces.classifier_extractor(Path(str(Layout("main").classifier).format(dataset="digits")), CPU.device)
    found, all_of_them = load_beside(statistics, "features"), extract(space, images)
    taken = [int(np.abs(all_of_them - row).sum(1).argmin()) for row in found]
    assert len(set(taken)) == 50
    assert max(taken) >= len(images) // 2
    assert taken != sorted(taken)


def test_a_dataset_too_small_for_both_is_refused_with_the_two_keys(used: Used) -> None:
    line = (
        r"^digits: 400 training images are too few for train.rating_count \(100\) and score.reference.count \(301\), "
        r"which share none; lower one$"
    )
    with pytest.raises(UserError, match=line):
        used(REFERENCE, "train.rating_count=100", "score.reference.count=301", "score.reference.split=train")
    with pytest.raises(
        UserError, match=r"^digits: 100 test images are too few for score.reference.count \(101\); lower it, or "
    ):
        used(REFERENCE, "train.rating_count=100", "score.reference.count=101", "score.reference.split=test")
    for kind in (TRAIN, REFERENCE, REAL_VS_REAL):
        with pytest.raises(UserError, match=r"^digits: train.rating_count: 400 images for ratings leave none of 400"):
            used(kind, "train.rating_count=400", "score.reference.count=301")
