"""The rule of the marks on images: what was drawn wrongly is marked, and what was drawn well is not, in a trained classifier's
space and by the measurements that a score makes."""

import math

import numpy as np
import pytest
import torch
from synthetic import ROOT
from torch import Tensor

from sagan_div.data import digits
from sagan_div.data.images import resized
from sagan_div.evaluation import contrast
from sagan_div.evaluation.comparison import Comparison, Pixels
from sagan_div.evaluation.frechet import frechet_distance, moments
from sagan_div.evaluation.score import class_histogram
from sagan_div.evaluation.spaces.classifier import classifier_extractor, save_classifier
from sagan_div.evaluation.spaces.classifier_training import train_classifier
from sagan_div.evaluation.spaces.extractor import Extractor, extract
from sagan_div.models import networks, sampling
from sagan_div.report import marks
from sagan_div.study.load import load
from sagan_div.study.schema import ClassifierConfig

SIZE, COUNT = 16, 500


class Judge:
    """The digits, a classifier of them, and the signs of any samples against them."""

    def __init__(self, extractor: Extractor, train: Tensor, labels: Tensor, test: Tensor) -> None:
        self.extractor, self.train, self.labels, self.test = extractor, train, labels, test
        self.real = extract(extractor, train)

    def mark(self, images: Tensor) -> str:
        fake, real = extract(self.extractor, images), contrast.spread(self.train)
        grey = extract(self.extractor, contrast.plain_grey(images))
        given = Comparison(
            fake,
            self.extractor.probabilities(fake),
            self.real,
            moments(self.real),
            pixels=Pixels(contrast.spread(images), real, grey),
        )
        shares, classes = list(contrast.measure(given)), class_histogram(given.probabilities)
        numbers = [math.nan if share is None else share for share in shares]
        real_classes = marks.effective(class_histogram(self.extractor.probabilities(self.real)))
        fid = frechet_distance(moments(fake), moments(self.real))
        return marks.mark(marks.Signs(fid, numbers[3], math.nan, *numbers[:3], marks.effective(classes), real_classes))


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Judge:
    split = digits.load()
    train, test = (resized(split[name].images, SIZE) for name in ("train", "test"))
    labels, others = (torch.from_numpy(np.array(split[name].labels)) for name in ("train", "test"))
    network, accuracy = train_classifier(
        train, labels, test, others, ClassifierConfig(epochs=12, seed=0), torch.device("cpu"), lambda line: None
    )
    assert accuracy > 0.9
    path = tmp_path_factory.mktemp("classifier") / "classifier.safetensors"
    save_classifier(path, network, {"dataset": "digits", "accuracy": accuracy})
    return Judge(classifier_extractor(path, torch.device("cpu")), train, labels, test)


def test_real_digits_have_no_mark(judge: Judge) -> None:
    assert judge.mark(judge.test) == ""
    noisy = judge.test + torch.randn(judge.test.shape, generator=torch.Generator().manual_seed(0)) * 20
    assert judge.mark(noisy.clamp(0, 255).to(torch.uint8)) == ""


@pytest.mark.parametrize("grey", [100, 127, 140])
def test_grey_squares_have_not_left_their_start(judge: Judge, grey: int) -> None:
    squares = torch.full((COUNT, 1, SIZE, SIZE), grey) + torch.randint(
        -8, 9, (COUNT, 1, SIZE, SIZE), generator=torch.Generator().manual_seed(0)
    )
    assert judge.mark(squares.to(torch.uint8)) == marks.AT_START


@pytest.mark.parametrize("digit", range(10))
def test_one_digit_only_has_collapsed(judge: Judge, digit: int) -> None:
    assert judge.mark(judge.train[judge.labels == digit]) == marks.COLLAPSED


def test_one_image_again_and_again_has_collapsed(judge: Judge) -> None:
    assert judge.mark(judge.test[:1].repeat(COUNT, 1, 1, 1)) == marks.COLLAPSED


def test_noise_has_not_left_its_start(judge: Judge) -> None:
    noise = torch.randint(0, 256, (COUNT, 1, SIZE, SIZE), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    assert judge.mark(noise) == marks.AT_START


@pytest.mark.parametrize("method", ["dcgan", "wgan-div", "sngan", *(f"sagan-div-{letter}" for letter in "abcd")])
def test_an_untrained_generator_has_not_left_its_start(judge: Judge, method: str) -> None:
    shape = networks.Shape(SIZE, 1, 16, 100)
    generator, _ = networks.build(load(ROOT / "params.yaml").methods[method], shape, seed=0)
    drawn = sampling.draw(generator, shape.latent, COUNT, 250, 0, "rating")
    assert judge.mark(drawn) == marks.AT_START
