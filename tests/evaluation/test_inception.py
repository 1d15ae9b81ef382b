"""pytorch-fid's network as a feature space, with random weights in the real ones' layout; fetching and reading weights."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from sagan_div.errors import UserError
from sagan_div.evaluation.spaces import weights as published_weights
from sagan_div.evaluation.spaces.inception import inception_extractor
from sagan_div.evaluation.spaces.weights import fetch_weights


def test_probabilities_are_those_of_the_last_layer_without_its_bias(weights: Path) -> None:
    extractor, state = inception_extractor(weights, "cpu"), torch.load(weights, weights_only=True)
    found = np.abs(np.random.default_rng(0).normal(size=(3, 2048))).astype(np.float32)
    expected = (torch.from_numpy(found) @ state["fc.weight"].T).double().softmax(1)
    np.testing.assert_allclose(extractor.probabilities(found), expected, rtol=1e-4)
    assert extractor.identity == f"inception:{hashlib.sha256(weights.read_bytes()).hexdigest()}"


def test_pytorch_fids_own_loader_is_left_as_it_was(weights: Path) -> None:
    published = pytest.importorskip("pytorch_fid.inception")
    before = published.load_state_dict_from_url
    inception_extractor(weights, "cpu")
    assert published.load_state_dict_from_url is before


def test_foreign_weights_are_refused(tmp_path: Path, weights: Path) -> None:
    def line(path: Path) -> str:
        with pytest.raises(UserError) as caught:
            inception_extractor(path, "cpu")
        return str(caught.value)

    path = tmp_path / "w.pth"
    assert "is missing" in line(path)
    with weights.open("rb") as file:
        path.write_bytes(file.read(100_000))
    assert "is damaged" in line(path)
    torch.save({"fc.weight": torch.zeros(2, 2)}, path)
    assert "holds weights of another network" in line(path)
    torch.save([1, 2], path)
    assert "holds no weights by name" in line(path)
    torch.save({"a": Path("b")}, path)  # would have to be unpickled
    assert "holds more than weights" in line(path)


# Fetching


@pytest.fixture
def published(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A mirror that has a file of weights, of which the published size and SHA-256 are now those."""
    content = np.random.default_rng(0).bytes(5000)
    path = tmp_path / "mirror" / "inception" / published_weights.WEIGHTS.name
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    known = published_weights.WEIGHTS._replace(
        size=5000, sha256=hashlib.sha256(content).hexdigest(), url="http://127.0.0.1:9/weights.pth"
    )
    monkeypatch.setattr(published_weights, "WEIGHTS", known)
    return path


def test_weights_are_fetched_once(published: Path, tmp_path: Path, serve: Callable[[Path], str]) -> None:
    content, notes = published.read_bytes(), list[str]()
    mirrors = [str(tmp_path / "mirror"), str(published.parent), serve(tmp_path / "mirror") + "/"]
    for i, mirror in enumerate(mirrors):
        path = tmp_path / f"{i}.pth"
        fetch_weights(path, tmp_path, mirror, notes.append)
        assert path.read_bytes() == content
    notes.clear()
    published.unlink()
    fetch_weights(tmp_path / "0.pth", tmp_path, mirrors[0], notes.append)
    assert (tmp_path / "0.pth").read_bytes() == content
    assert not notes


def test_weights_that_a_user_has_are_taken_and_left_where_they_are(published: Path, tmp_path: Path) -> None:
    (tmp_path / "beside").mkdir()
    own = published.rename(tmp_path / "beside" / published.name)
    fetch_weights(tmp_path / "weights.pth", own.parent, None, lambda text: None)
    assert (tmp_path / "weights.pth").read_bytes() == own.read_bytes()


@pytest.mark.parametrize("damage", ["short", "other"])
def test_damaged_weights_are_never_kept(published: Path, tmp_path: Path, damage: str) -> None:
    whole, target = published.read_bytes(), tmp_path / "kept" / "weights.pth"
    published.write_bytes(whole[:-1] if damage == "short" else whole[:-1] + b"x")
    with pytest.raises(UserError) as caught:
        fetch_weights(target, target.parent, str(tmp_path / "mirror"), lambda text: None)
    reason = "4999 bytes instead of 5000" if damage == "short" else "its SHA-256 is not that of the published file"
    assert reason in str(caught.value)
    assert f"put {published_weights.WEIGHTS.name} into {target.parent}" in str(caught.value)
    assert not target.parent.exists()
    target.parent.mkdir()
    for path in (target, target.with_name(published_weights.WEIGHTS.name)):
        path.write_bytes(whole[:40])  # of an earlier, broken attempt
    published.write_bytes(whole)
    fetch_weights(target, target.parent, str(tmp_path / "mirror"), lambda text: None)
    assert target.read_bytes() == whole


def test_without_a_network_one_line_says_what_to_put_where(published: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        fetch_weights(tmp_path / "kept" / "weights.pth", tmp_path / "kept", None, lambda text: None)
    assert str(caught.value).startswith("Inception's weights cannot be had (http://127.0.0.1:9/weights.pth:")
    assert "\n" not in str(caught.value)
