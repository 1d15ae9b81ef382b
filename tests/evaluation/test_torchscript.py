"""Feature spaces of TorchScript files: the network's own numbers, and one line for whatever does not fit."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from sagan_div import files
from sagan_div.errors import UserError
from sagan_div.evaluation.spaces.extractor import Extractor, extract
from sagan_div.evaluation.spaces.torchscript import torchscript_extractor
from sagan_div.settings import read
from sagan_div.study.load import load
from sagan_div.study.schema import TorchScriptConfig
from support import ROOT, digits
from torchscript import torchscript


def space(path: Path, **changed: Any) -> Extractor:
    return torchscript_extractor(read(TorchScriptConfig, torchscript(path, **changed)), "cpu")


def test_features_are_the_networks_own_of_images_as_it_wants_them(tmp_path: Path) -> None:
    images = digits(16)[0][:7]
    found = extract(space(tmp_path / "net.pt"), images, 3)
    small = [np.asarray(Image.fromarray(image[0].numpy()).resize((12, 12), Image.Resampling.BILINEAR)) for image in images]
    grey = torch.from_numpy(np.stack(small))[:, None].double() / 255 * 2 - 1
    inputs = (grey.repeat(1, 3, 1, 1) - torch.tensor([0.1, 0.2, 0.3]).view(1, 3, 1, 1)) / 0.5
    with torch.no_grad():
        expected = torch.jit.load(str(tmp_path / "net.pt"))(inputs.float())[1].flatten(1).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    assert found.std(0).max() > 1e-3
    doubled = extract(space(tmp_path / "net.pt", arguments={"doubled": True}), images)
    np.testing.assert_allclose(doubled, 2 * expected, rtol=1e-5, atol=1e-6)
    logits = extract(space(tmp_path / "net.pt", output=0), images)
    assert logits.shape == (7, 5)
    assert space(tmp_path / "net.pt").probabilities(found) is None


def test_a_file_of_another_digest_is_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    about = torchscript(tmp_path / "net.pt")
    with (tmp_path / "net.pt").open("ab") as file:
        file.write(b"x")
    monkeypatch.setattr(torch.jit, "load", lambda *_, **__: pytest.fail("untrusted code was loaded"))
    with pytest.raises(UserError, match=r"net.pt: its SHA-256 is [0-9a-f]{64}, not that of 'random-net'"):
        torchscript_extractor(read(TorchScriptConfig, about), "cpu")


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"output": None}, "returns a tuple; say which `output`"),
        ({"output": 7}, "has no output 7"),
        ({"output": "pool"}, "has no output 'pool'"),
        ({"arguments": {"fp16": True}}, "does not take inputs"),
        ({"size": 3}, "does not take inputs"),
    ],
)
def test_what_the_network_does_not_take_or_return_is_a_line(changed: dict[str, Any], line: str, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=line) as caught:
        extract(space(tmp_path / "net.pt", **changed), digits(16)[0][:2])
    assert "\n" not in str(caught.value)


def test_files_that_hold_no_network_are_a_line(tmp_path: Path) -> None:
    (tmp_path / "net.pt").write_bytes(b"hello")
    digest = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
    with pytest.raises(UserError, match="holds no TorchScript"):
        torchscript_extractor(TorchScriptConfig(name="a", file=str(tmp_path / "net.pt"), sha256=digest), "cpu")
    with pytest.raises(UserError, match=r"nowhere.pt: cannot be read \(No such file"):
        torchscript_extractor(TorchScriptConfig(name="a", file="nowhere.pt", sha256=digest), "cpu")


def test_coloured_images_do_not_become_grey_unasked(tmp_path: Path) -> None:
    network = torch.jit.script(torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(16, 3)))
    network.save(str(tmp_path / "net.pt"))
    about = torchscript(tmp_path / "other.pt", channels=1, size=4, mean=None, std=None, output=None)
    config = read(TorchScriptConfig, about | {"file": str(tmp_path / "net.pt"), "sha256": files.sha256(tmp_path / "net.pt")})
    grey = digits(16)[0][:3]
    extractor = torchscript_extractor(config, "cpu")
    assert np.array_equal(extract(extractor, grey.repeat(1, 3, 1, 1)), extract(extractor, grey))
    coloured = grey.repeat(1, 3, 1, 1)
    coloured[:, 1] //= 2
    with pytest.raises(UserError, match="these images are coloured"):
        extract(extractor, coloured)


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"name": "inception"}, "score.extractors[0]: 'inception' is a name of our own"),
        ({"name": "domain-classifier"}, "'domain-classifier' is a name of our own"),
        ({"name": "../up"}, "score.extractors[0].name: the text '../up' cannot be a name"),
        ({"sha256": "abc"}, "score.extractors[0].sha256: "),
        ({"size": 0}, "score.extractors[0].size: 0 is out of range; it must be at least 1"),
        ({"range": [1, 0]}, "the range [1.0, 0.0] does not rise"),
        ({"std": [0.1, 0.2]}, "std has 2 values for 3 channels"),
        ({"std": [0.0]}, "score.extractors[0].std[0]: 0.0 is out of range"),
        ({"channels": 2}, "score.extractors[0].channels: 2 is none of 1, 3"),
        ({"colour": True}, "score.extractors[0].colour: unknown key"),
        ({"mean": "much"}, "score.extractors[0].mean: expected a list, found the text 'much'"),
    ],
)
def test_a_mapping_that_says_nonsense_is_a_line(changed: dict[str, Any], line: str, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        load(ROOT / "params.yaml", layer={"score": {"extractors": [torchscript(tmp_path / "net.pt") | changed]}})
    assert line.removeprefix("score.extractors[0]: ") in str(caught.value)
    assert "score.extractors[0]" in str(caught.value)
    assert "\n" not in str(caught.value)
