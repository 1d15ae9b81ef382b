"""The domain classifier: it learns, it is its seeds alone, it survives its file."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from sagan_div.data import sources
from sagan_div.data.images import resized, to_float
from sagan_div.errors import UserError
from sagan_div.evaluation.spaces import classifier_training
from sagan_div.evaluation.spaces.classifier import TURNS, Classifier, classifier_extractor, load_classifier, save_classifier
from sagan_div.evaluation.spaces.extractor import extract
from sagan_div.study.schema import ClassifierConfig, DatasetConfig
from support import OFFICIAL, digits, trained


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return trained(*digits())[0]


def test_classifier_learns_and_its_features_are_scaled(tmp_path: Path) -> None:
    images, labels = digits(32)
    split = len(images) * 3 // 4
    network, accuracy = trained(images, labels, epochs=4)
    assert accuracy > 0.95
    save_classifier(tmp_path / "c.safetensors", network, {"dataset": "digits"})
    extractor = classifier_extractor(tmp_path / "c.safetensors", "cpu")
    found = extract(extractor, images[:split], 100)
    assert np.square(found).sum(1).mean() == pytest.approx(network.dimensions, rel=1e-5)
    assert (found.max(0) > 0).all()  # no feature is dead
    probabilities = extractor.probabilities(extract(extractor, images[split:]))
    assert (probabilities.argmax(1) == labels[split:].numpy()).mean() == pytest.approx(accuracy)
    assert probabilities.sum(1) == pytest.approx(1)


def test_classifier_is_its_seeds_alone() -> None:
    images, labels = digits()

    def weights(seed: int, noise: int) -> Tensor:
        torch.manual_seed(noise)
        before = torch.get_rng_state()
        network, _ = trained(images[:400], labels[:400], epochs=1, seed=seed)
        assert torch.equal(torch.get_rng_state(), before)  # nobody else's random numbers are drawn
        return torch.cat([value.flatten() for value in network.parameters()])

    assert torch.equal(weights(0, 1), weights(0, 2))
    assert not torch.allclose(weights(0, 1), weights(1, 1))


def test_scaling_the_features_keeps_the_logits(classifier: Classifier) -> None:
    images = digits()[0][:100]
    before = classifier(to_float(images))
    classifier_training._scale(classifier, images, "cpu")
    torch.testing.assert_close(classifier(to_float(images)), before)


def test_images_of_any_size_fit() -> None:
    for size in (16, 28, 32, 48, 64, 97, 128):
        network = Classifier(1, 2, size).eval()
        assert network(torch.zeros(1, 1, size, size)).shape == (1, 2)


@pytest.mark.parametrize("size", [16, 64])
def test_unlabelled_colour_images_are_told_by_their_turns(size: int) -> None:
    images = digits(size)[0][:600].expand(-1, 3, -1, -1) // torch.tensor([1, 2, 4], dtype=torch.uint8).view(3, 1, 1)
    network, accuracy = trained(images, None, epochs=2)
    assert network.head.out_features == 4
    assert accuracy is None  # how well it tells turns is not how well it tells classes
    upright = images[450:]
    found = [network(to_float(torch.rot90(upright, turn, (2, 3)))).argmax(1) == turn for turn in range(4)]
    assert torch.cat(found).float().mean() > 0.5  # chance is a quarter


def test_no_accuracy_is_stated_where_either_split_has_no_labels() -> None:
    images, labels = digits()
    settings = ClassifierConfig(epochs=1, seed=0)
    labels = labels[:100]
    for ours, theirs, words in (
        (labels, None, "the test split has no labels"),
        (None, labels, "the training split has no labels"),
        (None, None, "the training and the test split has no labels"),
    ):
        said: list[str] = []
        given = images[:100], ours, images[:100], theirs
        network, accuracy = classifier_training.train_classifier(*given, settings, "cpu", said.append)
        assert accuracy is None
        assert network.head.out_features == (4 if ours is None else 10)
        assert words in said[-1]
        assert "%" not in said[-1]


def test_a_classifier_of_turns_knows_no_classes(tmp_path: Path, classifier: Classifier) -> None:
    for about, knows in (({}, True), ({"labels": TURNS}, False)):
        save_classifier(tmp_path / "c.safetensors", classifier, about)
        found = classifier_extractor(tmp_path / "c.safetensors", "cpu").probabilities(np.zeros((2, 128), np.float32))
        assert (found is not None) == knows


def test_classifier_survives_its_file(tmp_path: Path, classifier: Classifier) -> None:
    path, images = tmp_path / "c.safetensors", digits()[0][:50]
    save_classifier(path, classifier, {"dataset": "digits"})
    logits = classifier(to_float(images))
    assert torch.equal(load_classifier(path, "cpu")(to_float(images)), logits)
    again = tmp_path / "again.safetensors"
    save_classifier(again, load_classifier(path, "cpu"), {"dataset": "digits"})
    assert again.read_bytes() == path.read_bytes()  # its digest can stand in git
    extractor = classifier_extractor(path, "cpu")
    found = extractor.probabilities(extract(extractor, images))
    np.testing.assert_allclose(found, logits.softmax(1), rtol=1e-4, atol=1e-7)


def test_damaged_or_foreign_classifiers_are_refused(tmp_path: Path, classifier: Classifier) -> None:
    path = tmp_path / "c.safetensors"
    save_classifier(path, classifier, {})
    whole = path.read_bytes()
    for content in (
        b"",
        whole[:100],
        whole[:-1],
        whole.replace(b"head.bias", b"tail.bias"),
        whole.replace(b"image_size", b"imagesize_"),
    ):
        path.write_bytes(content)
        with pytest.raises(UserError, match=r"is no domain classifier of this version|is truncated or no safetensors file"):
            load_classifier(path, "cpu")
    with pytest.raises(UserError, match="is missing"):
        load_classifier(tmp_path / "other", "cpu")


def test_classifier_refuses_images_of_another_size(tmp_path: Path, classifier: Classifier) -> None:
    save_classifier(tmp_path / "c.safetensors", classifier, {})
    extractor = classifier_extractor(tmp_path / "c.safetensors", "cpu")
    with pytest.raises(UserError, match=r"for images \(1, 16, 16\), these are \(1, 32, 32\)"):
        extract(extractor, digits(32)[0][:10])


@pytest.mark.slow
@pytest.mark.skipif(not OFFICIAL.is_dir(), reason="the official archives are not here")
@pytest.mark.parametrize(("name", "wanted"), [("mnist", 0.99), ("fashion-mnist", 0.91)])
def test_classifier_is_good_on_the_official_test_sets(name: str, wanted: float) -> None:
    splits = sources.load(DatasetConfig(name=name), str(OFFICIAL), lambda text: None)
    sized = {key: resized(torch.from_numpy(split.images), 32) for key, split in splits.items()}
    labels = {key: torch.from_numpy(split.labels) for key, split in splits.items()}
    settings = ClassifierConfig(epochs=4, seed=0)
    _, accuracy = classifier_training.train_classifier(
        sized["train"], labels["train"], sized["test"], labels["test"], settings, "cpu", lambda text: None
    )
    assert accuracy >= wanted
