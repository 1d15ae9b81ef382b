"""The frames of a run's growth, and samples sorted into classes: what the page shows of them is what is in the files."""

import contextlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from synthetic import RATINGS, Tree, grow, rings, study

from sagan_div.data.pictures import grid, save_picture
from sagan_div.evaluation.spaces.classifier import TURNS, Classifier, save_classifier
from sagan_div.report import by_class, gather, growth
from sagan_div.workflow.layout import filled


def test_a_film_has_a_frame_for_each_rating_with_its_images_in_their_places(tmp_path: Path) -> None:
    """Each image of rating r at place p is of one grey, 3 r + 2 p: a frame that is off by one would show another."""
    tree = grow(tmp_path, study("datasets=[mnist]", "methods=[dcgan]", "seeds=[0]"))
    greys = torch.tensor([[3 * rating + 2 * place for place in range(32)] for rating in range(RATINGS)], dtype=torch.uint8)
    images = greys.reshape(-1, 1, 1, 1).expand(-1, 1, 16, 16)
    save_picture(tree.at("train", "growth.png", "mnist", "dcgan", 0), grid(images, 32))
    with contextlib.chdir(tree.root):
        (film,) = growth.films(tree.read(), "mnist")
    assert (film.method, film.title, len(film.ratings)) == ("dcgan", "DCGAN, seed 0", RATINGS)
    assert [images for images, _ in film.ratings] == [32_000_000 * (rating + 1) // RATINGS for rating in range(RATINGS)]
    shown = np.asarray(film.picture.convert("L")).reshape(RATINGS, growth.DOWN, 17, growth.ACROSS, 17)
    centres = shown[:, :, 8, :, 8].reshape(RATINGS, -1).astype(int)
    assert np.abs(centres - greys[:, : growth.ACROSS * growth.DOWN].numpy()).max() <= 255 / (growth.LEVELS - 1) / 2 + 1
    assert (shown[:, :, 16] == 255).all()


def test_large_images_are_halved_and_colours_are_kept(tmp_path: Path) -> None:
    settings = study("datasets=[{photos: pictures}]", "methods=[dcgan]", "seeds=[0]", "image_size=64")
    tree = grow(tmp_path, settings, channels={"photos": 3})
    with contextlib.chdir(tree.root):
        (film,) = growth.films(tree.read(), "photos")
    assert film.picture.mode == "RGB"
    assert film.picture.size == (growth.ACROSS * 33, RATINGS * growth.DOWN * 33)


def test_a_run_that_was_rated_often_has_the_first_and_the_last_of_its_ratings() -> None:
    assert growth._evenly(3, 20) == [0, 1, 2]
    chosen = growth._evenly(100, 20)
    assert (len(chosen), chosen[0], chosen[-1]) == (20, 0, 99)


def test_samples_stand_in_the_row_that_the_classifier_takes_them_for(tmp_path: Path) -> None:
    """A classifier that counts only brightness: dark images are of class 0, bright ones of class 1, none of class 2."""
    tree = grow(tmp_path, study("datasets=[mnist]", "methods=[dcgan]", "seeds=[0]"))
    results = _read(tree)
    assert by_class.sort(results, "mnist") is None  # no classifier
    with contextlib.chdir(tree.root):
        path = filled(tree.layout.classifier, dataset="mnist")
        path.parent.mkdir(parents=True, exist_ok=True)
        save_classifier(path, _by_brightness(), {})
        drawn = rings(0, 20, 16)
        drawn[::2] = 200
        np.savez_compressed(results.at("sample", "samples.npz", ("mnist", "dcgan", 0)), images=drawn)
        found = by_class.sort(results, "mnist")
        named = by_class.sort(replace(results, classes={"mnist": ["dark", "bright", "neither"]}), "mnist")
        save_classifier(path, _by_brightness(), {"labels": TURNS})
        assert by_class.sort(results, "mnist") is None  # it tells turns, not classes
    assert named is not None
    assert named.classes == ["dark", "bright", "neither"]
    assert found is not None
    assert found.classes == ["0", "1", "2"]
    real, method = found.panels
    assert (real.title, method.title) == ("Real images", "DCGAN, seed 0")
    sheet = np.asarray(method.picture)
    assert (sheet[:16, :16] == drawn[1, 0]).all()  # the first dark one
    assert (sheet[17:33, :16] == 200).all()
    assert (sheet[34:] == 255).all()


def _by_brightness() -> Classifier:
    classifier = Classifier(1, 3, 16)
    with torch.no_grad():
        for parameter in classifier.parameters():
            parameter.zero_()
        for module in classifier.body:
            if isinstance(module, torch.nn.Conv2d):
                module.weight[0, 0, module.kernel_size[0] // 2, module.kernel_size[1] // 2] = 1.0
            if isinstance(module, torch.nn.BatchNorm2d):
                module.weight.fill_(1.0)
        classifier.penultimate.weight[0, :4] = 1.0
        classifier.norm.weight.fill_(1.0)
        classifier.head.weight[1, 0] = 1.0
        classifier.head.bias.copy_(torch.tensor([0.5, 0.0, -9.0]))
    return classifier.eval()


def _read(tree: Tree) -> gather.Results:
    with contextlib.chdir(tree.root):
        return tree.read()
