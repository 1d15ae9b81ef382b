"""Overlays written into params.yaml: the result, the comments, and a diff that a person can read."""

import difflib
from pathlib import Path

import pytest
from dvc.utils.hydra import apply_overrides

from sagan_div.errors import UserError
from sagan_div.settings import plain
from sagan_div.study.adopt import adopt
from sagan_div.study.load import load
from support import ROOT, TINY, params_alone

PARAMS = ROOT / "params.yaml"
OVERLAYS = ROOT / "workflow" / "overlays"
ANCHORS = "methods:\n  dcgan: {optimiser: &adam {lr_critic: 0.5, betas: [0.1, 0.2]}}\n  sngan: {optimiser: *adam}\n"
TURNS = {
    "demo": [OVERLAYS / "demo.yaml"],
    "full": [OVERLAYS / "full.yaml"],
    "full, author-code": [OVERLAYS / "full.yaml", OVERLAYS / "author-code.yaml"],
}


def diff(before: str, after: str) -> list[str]:
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return [line for line in lines if line[0] in "+-" and not line.startswith(("+++", "---"))]


@pytest.mark.parametrize("overlays", TURNS.values(), ids=TURNS)
def test_what_was_laid_over_the_file_is_now_in_it(tmp_path: Path, overlays: list[Path]) -> None:
    path = params_alone(tmp_path)
    adopt(path, overlays)
    assert plain(load(path)) == plain(load(PARAMS, overlays)) | {"study": "main"}
    assert adopt(path, overlays) == []


@pytest.mark.parametrize("text", [TINY, ANCHORS, "methods: {sagan-div-d: {loss: {name: hinge}}}", "datasets: [{birds: b}]"])
def test_lists_anchors_and_new_names_are_written_out(tmp_path: Path, text: str) -> None:
    path, overlay = params_alone(tmp_path), tmp_path / "overlay.yaml"
    overlay.write_text(text)
    adopt(path, [overlay])
    assert plain(load(path)) == plain(load(PARAMS, [overlay])) | {"study": "main"}
    assert "&" not in path.read_text()
    assert "*adam" not in path.read_text()


def test_no_other_line_changes_and_comments_stay(tmp_path: Path) -> None:
    path, overlay = params_alone(tmp_path), tmp_path / "overlay.yaml"
    overlay.write_text("study: mine\nwidth: 8\nmethods: {dcgan: {n_critic: 2, batch_size: 32}}\ndatasets: [digits]\n")
    said = adopt(path, [overlay])
    assert said == [
        "datasets: ['mnist', 'fashion-mnist'] -> ['digits']",
        "width: 16 -> 8",
        "methods.dcgan.n_critic: 1 -> 2",
        "methods.dcgan.batch_size: added",
    ]
    changed = diff(PARAMS.read_text(), path.read_text())
    assert [line.split("#")[0].rstrip() for line in changed] == [
        *("-- mnist", "-- fashion-mnist", "+- digits"),
        *("-width: 16", "+width: 8"),
        *("-    n_critic: 1", "+    n_critic: 2", "+    batch_size: 32"),
    ]
    assert changed[4].partition("#")[2] == changed[3].partition("#")[2] != ""


def test_demo_changes_as_many_lines_as_it_has_values(tmp_path: Path) -> None:
    path = params_alone(tmp_path)
    said = adopt(path, [OVERLAYS / "demo.yaml"])
    removed = [line for line in diff(PARAMS.read_text(), path.read_text()) if line.startswith("-") and "betas" not in line]
    assert len(said) <= len(removed) <= len(said) + 45


def test_a_kept_method_is_not_touched(tmp_path: Path) -> None:
    path, overlay = params_alone(tmp_path), tmp_path / "overlay.yaml"
    overlay.write_text("methods: [dcgan]\n")
    adopt(path, [overlay])
    assert list(load(path).methods) == ["dcgan"]
    changed = diff(PARAMS.read_text(), path.read_text())
    assert all(line.startswith("-") for line in changed)
    assert not any("dcgan" in line.lower() for line in changed)


def test_the_style_is_that_of_dvc(tmp_path: Path) -> None:
    """What `dvc exp run -S` leaves differs in the line that it sets, and in the seeds, which it writes as a block."""
    path = params_alone(tmp_path)
    adopt(path, [OVERLAYS / "demo.yaml"])
    before = path.read_text()
    apply_overrides(path, ["methods.dcgan.n_critic=3"])
    changed = diff(before, path.read_text())
    assert [line.split("#")[0].strip() for line in changed] == ["-    n_critic: 1", "+    n_critic: 3"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("width: 0", "width: 0 is out of range"),
        ("widths: 8", "widths: unknown key (did you mean 'width'?)"),
        ("methods: [gan]", "methods.gan: unknown entry"),
        ("- 1", "expected keys with values"),
    ],
)
def test_a_result_that_is_no_study_leaves_the_file_as_it_was(tmp_path: Path, text: str, words: str) -> None:
    path, overlay = params_alone(tmp_path), tmp_path / "overlay.yaml"
    overlay.write_text(text)
    with pytest.raises(UserError) as caught:
        adopt(path, [overlay])
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
    assert path.read_text() == PARAMS.read_text()


def test_anchors_in_params_yaml_change_no_other_key_in_silence(tmp_path: Path) -> None:
    path, overlay = params_alone(tmp_path), tmp_path / "overlay.yaml"
    text = (
        path.read_text()
        .replace("  sagan-div-d:  ", "  twin: *c\n  sagan-div-d:  ")
        .replace("  sagan-div-c:  ", "  sagan-div-c: &c")
    )
    path.write_text(text)
    overlay.write_text("methods: {twin: {n_critic: 1}}")
    with pytest.raises(UserError, match="has YAML anchors, so that a change of one key changes others"):
        adopt(path, [overlay])
    assert path.read_text() == text
    overlay.write_text("width: 8")
    assert adopt(path, [overlay]) == ["width: 16 -> 8"]
