"""What a study publishes beside its page draws, judges and tells the same as what it was made from."""

import contextlib
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner, Result
from synthetic import GAPS, Tree, grow, study

from sagan_div.cli import app as cli
from sagan_div.errors import UserError
from sagan_div.evaluation.evaluate import Evaluation
from sagan_div.evaluation.frechet import moments
from sagan_div.evaluation.spaces.classifier import classifier_extractor, save_classifier
from sagan_div.evaluation.spaces.extractor import extract
from sagan_div.evaluation.statistics import save_statistics
from sagan_div.models import checkpoints, sampling
from support import digits, trained

CPU = torch.device("cpu")


def call(folder: Path, *words: object) -> Result:
    with contextlib.chdir(folder):
        return CliRunner().invoke(cli.app, [str(word) for word in words], catch_exceptions=False)


def of(tree: Tree, name: str) -> Path:
    return tree.results / "models" / name


@pytest.mark.parametrize("method", ["dcgan", "sagan-div-d"])
def test_a_published_generator_is_half_as_large_and_draws_the_same_images(demo: Tree, method: str) -> None:
    source, path = demo.at("train", "best.safetensors", "digits", method, 0), of(demo, f"digits/{method}.safetensors")
    images = [
        sampling.draw(sampling.load_generator(each, CPU)[0], demo.study.latent, 256, 64, 7, "any") for each in (source, path)
    ]
    assert (images[0].int() - images[1].int()).abs().max() <= 1
    assert 0.45 < path.stat().st_size / source.stat().st_size < 0.65
    assert checkpoints.load(path)[1] == checkpoints.load(source)[1]


@pytest.mark.parametrize("factor", [1e8, 1e4])
def test_a_generator_that_half_precision_would_change_is_published_whole(tmp_path: Path, factor: float) -> None:
    """Weights beyond what half precision holds, and weights whose rounding would turn pixels about."""
    tree = grow(tmp_path, study("datasets=[digits]", "seeds=[0]", "methods=[dcgan]"))
    source = tree.at("train", "best.safetensors", "digits", "dcgan", 0)
    tensors, about = checkpoints.load(source)
    last = [name for name in tensors if name.endswith("weight")][-1]
    assert bool((tensors[last] * factor).half().isfinite().all()) == (factor < 1e8)
    checkpoints.save(source, tensors | {last: tensors[last] * factor}, about)
    tree.write()
    published, _ = checkpoints.load(of(tree, "digits/dcgan.safetensors"))
    assert torch.equal(published[last], tensors[last] * factor)


def test_the_command_on_a_card_draws(demo: Tree) -> None:
    card = of(demo, "digits/sagan-div-d.md").read_text()
    (command,) = [line for line in card.splitlines() if line.startswith("sagan-div generate")]
    done = call(demo.root, *command.split()[1:-1], demo.root / "drawn")
    assert done.exit_code == 0, done.output
    assert len([*(demo.root / "drawn").glob("*.png")]) == 64
    assert str(demo.root) not in card


def test_what_has_left_no_generator_says_why(written: Tree) -> None:
    assert GAPS["fashion-mnist", "sngan"] == "not run"
    with pytest.raises(UserError, match="holds no generator: the cell has not been trained"):
        sampling.load_generator(of(written, "fashion-mnist/sngan.safetensors"), CPU)
    assert "the cell has not been trained" in of(written, "fashion-mnist/sngan.md").read_text()


def test_samples_score_by_the_published_networks_as_by_the_studys(tmp_path: Path) -> None:
    tree = grow(tmp_path, study("datasets=[digits]", "seeds=[0]", "methods=[dcgan]", "score.extractors=[classifier]"))
    images, labels = digits()
    network, _ = trained(images[:200], labels[:200], epochs=1)
    space = Path(str(tree.root / tree.layout.classifier).format(dataset="digits"))
    save_classifier(space, network, {"dataset": "digits"})
    extractor = classifier_extractor(space, CPU)
    reference = Path(str(tree.root / tree.layout.statistics).format(dataset="digits", extractor="classifier"))
    save_statistics(reference, moments(extract(extractor, images[:200])), features=np.zeros(3))
    tree.write()
    drawn = tree.at("sample", "samples.npz", "digits", "dcgan", 0)
    expected = Evaluation(extractor, "fast", 50)(drawn, reference, None)
    words = ("--space", f"classifier:{of(tree, 'digits/domain-classifier.safetensors')}", "--json")
    found = call(tree.root, "evaluate", drawn, of(tree, "digits/reference.npz"), *words)
    assert found.exit_code == 0, found.output
    assert f'"fid": {expected["fid"]}' in found.output
