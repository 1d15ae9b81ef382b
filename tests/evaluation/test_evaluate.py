"""`sagan-div evaluate`: the numbers of public tools, and in place what cannot be had and why."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from sagan_div.cli.tables import evaluation as evaluated
from sagan_div.errors import UserError
from sagan_div.evaluation.evaluate import Evaluation
from sagan_div.evaluation.frechet import Moments
from sagan_div.evaluation.spaces.classifier import save_classifier
from sagan_div.evaluation.spaces.extractor import extract
from sagan_div.evaluation.spaces.torchscript import torchscript_extractor
from sagan_div.evaluation.statistics import save_statistics
from sagan_div.settings import read
from sagan_div.study.metrics import METRICS
from sagan_div.study.schema import TorchScriptConfig
from support import ROOT, as_folder, command, digits, trained
from torchscript import torchscript

IMAGES = digits(16)[0]
A, B, HELD_OUT = IMAGES[:120], IMAGES[200:360], IMAGES[400:450]


@pytest.fixture
def places(tmp_path: Path) -> Path:
    """A folder a, samples b.npz, statistics of nothing that is known, held-out images, and a space."""
    as_folder(A.numpy(), tmp_path / "a")
    as_folder(HELD_OUT.numpy(), tmp_path / "held-out")
    np.savez(tmp_path / "b.npz", images=B.numpy())
    (tmp_path / "space.yaml").write_text(yaml.safe_dump(torchscript(tmp_path / "net.pt")))
    return tmp_path


def evaluation(places: Path) -> Evaluation:
    space = read(TorchScriptConfig, yaml.safe_load((places / "space.yaml").read_text()))
    return Evaluation(torchscript_extractor(space, "cpu"), note=lambda text: None)


def test_the_command_prints_every_metric_as_public_tools_have_it(places: Path) -> None:
    fid_score, published = pytest.importorskip("pytorch_fid.fid_score"), pytest.importorskip("prdc")
    words = ["evaluate", "a", "b.npz", "--space", "torchscript:space.yaml", "--held-out", "held-out", "--device", "cpu"]
    done = command("sagan-div", *words, "--json", cwd=places)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    a, b = (extract(evaluation(places).extractor, each).astype(float) for each in (A, B))  # type: ignore[arg-type]
    moments = [each for values in (a, b) for each in (values.mean(0), np.cov(values, rowvar=False))]
    assert found["fid"] == pytest.approx(fid_score.calculate_frechet_distance(*moments), rel=1e-6)
    assert {name: found[name] for name in ("precision", "recall", "density", "coverage")} == pytest.approx(
        published.compute_prdc(b, a, 5), abs=1e-12
    )
    assert (found["count"], found["reference_count"]) == (120, 160)
    assert found["space"] == "random-net"
    assert all(found[name] is not None for name in ("fid_infinity", "kid", "kid_error", "memorised", "nearer"))
    assert found["is"] is None
    assert "knows no classes" in found["why_is"]
    table = command("sagan-div", *words, cwd=places).stdout
    assert "not measured: the Inception score is of class probabilities" in table
    assert f"{found['fid']:.6g}" in table


def test_the_classifiers_space_has_classes_and_takes_folders_of_any_size(places: Path) -> None:
    images, labels = digits(16)
    network, _ = trained(images[:600], labels[:600], epochs=1)
    save_classifier(places / "classifier.safetensors", network, {"dataset": "digits"})
    as_folder(digits(32)[0][:120].numpy(), places / "larger")
    words = ["--space", "classifier:classifier.safetensors", "--device", "cpu", "--json"]
    found: dict[str, Any] = json.loads(command("sagan-div", "evaluate", "a", "larger", *words, cwd=places).stdout)
    assert sum(found["classes"]) == sum(found["reference_classes"]) == 120
    assert np.abs(np.subtract(found["classes"], found["reference_classes"])).sum() < 24  # the same digits, made smaller
    assert 1 < found["is"] <= 10


def test_statistics_give_fid_and_say_in_place_what_they_lack(places: Path) -> None:
    evaluate = evaluation(places)
    assert evaluate.extractor is not None
    real = evaluate.side(places / "b.npz").moments
    save_statistics(places / "real.npz", real)
    whole, of_statistics = evaluate(places / "a", places / "b.npz"), evaluate(places / "a", places / "real.npz")
    for key in ("fid", "fid_infinity"):
        assert of_statistics[key] == pytest.approx(whole[key], rel=1e-12)
    table = evaluated(of_statistics).notes
    for metric in ("kid", "prdc"):
        why = f"it is measured on images, and {places / 'real.npz'} holds statistics alone, which give FID"
        assert of_statistics[f"why_{metric}"] == why
        assert f"{METRICS[metric].title}: not measured: {why}" in table
    assert "name them with --held-out" in of_statistics["why_memorisation"]
    alone = Evaluation(None)(places / "real.npz", places / "real.npz")
    assert alone["fid"] == pytest.approx(0, abs=1e-9)
    assert all(alone[key.key] is None for name, metric in METRICS.items() if name != "fid" for key in metric.keys)


def test_mistakes_are_a_line_each(places: Path) -> None:
    for words, line in (
        (["a", "b.npz"], "a: images need a feature space; Inception's needs its weights: --weights FILE"),
        (["a", "b.npz", "--space", "dino"], "--space dino: unknown; use inception, classifier:FILE or torchscript:FILE"),
        (["a", "b.npz", "--space", "torchscript:net.pt"], "net.pt: "),
    ):
        done = command("sagan-div", "evaluate", *words, "--device", "cpu", cwd=places)
        assert done.returncode == 2
        assert line in done.line
    save_statistics(places / "other.npz", Moments(9, np.zeros(6), np.eye(6), "random-net:other"))
    with pytest.raises(UserError, match=r"a, .*other.npz: statistics of random-net:.* cannot be compared"):
        evaluation(places)(places / "a", places / "other.npz")
    with pytest.raises(UserError, match="--held-out wants images"):
        evaluation(places)(places / "a", places / "b.npz", places / "other.npz")


def test_the_shared_words_of_fid_and_evaluate_are_in_the_help() -> None:
    shown = command("sagan-div", "evaluate", "--help", cwd=ROOT).stdout
    assert all(word in shown for word in ("--space", "--weights", "--held-out", "--json", "--mode"))
