"""What messages advise can be pasted: it is about the study that the user's own command was about."""

import re
import shlex
from pathlib import Path

import click
import pytest

from sagan_div.cli.app import app
from sagan_div.workflow import advice
from support import ROOT, command, params_alone

OVERLAYS = [Path("workflow/overlays/demo.yaml"), Path("my own.yaml")]
SETS = ["train={images: 64}", "train.images=640", "methods=[dcgan, sngan]", "train.batch_size=32"]


def test_commands_name_the_study_by_the_options_that_were_given() -> None:
    text = "x: is missing; run `sagan-div train --seed 0` or `snakemake --cores 2`, not `sagan-div compare a b` or `git status`"
    assert advice.for_study(text) == text
    said = advice.for_study(text, Path("a/params.yaml"), OVERLAYS, SETS)
    train, snakemake, *others = re.findall("`([^`]*)`", said)
    assert others == ["sagan-div compare a b", "git status"]
    given = ["--params", "a/params.yaml", "--overlay", str(OVERLAYS[0]), "--overlay", str(OVERLAYS[1])]
    assert shlex.split(train) == ["sagan-div", "train", "--seed", "0", *given, *(w for text in SETS for w in ("--set", text))]
    config = ['train={"images": 640, "batch_size": 32}', 'methods=["dcgan", "sngan"]']
    assert shlex.split(snakemake) == ["snakemake", "--cores", "2", "--configfile", *map(str, OVERLAYS), "--config", *config]


def test_what_takes_no_study_is_known() -> None:
    names = {name for name, each in app.commands.items() if not any("--overlay" in option.opts for option in each.params)}
    assert set(advice.OF_NO_STUDY) == names
    assert isinstance(app, click.Group)


@pytest.mark.parametrize("phase", ["train", pytest.param("score", marks=pytest.mark.slow)])
def test_the_advised_commands_lead_to_what_was_wanted(tmp_path: Path, phase: str) -> None:
    """A cell by hand in an empty folder, by pasting what each message says."""
    params_alone(tmp_path)
    (tmp_path / "small.yaml").write_text(
        "study: small\ndatasets: [digits]\nimage_size: 16\nwidth: 8\nclassifier: {epochs: 1}\n"
        "train: {images: 64, batch_size: 16, log_rows: 1, checkpoints: 1, rating_count: 32}\n"
        "sample: {count: 20, batch_size: 10}\nscore: {extractors: [classifier], reference: {count: 200}}\n"
    )
    wanted = [f"sagan-div {phase} --dataset digits --method dcgan --seed 1 --overlay small.yaml --set 'latent=20'"]
    for _ in range(20):
        done = command(*shlex.split(wanted[-1]), cwd=tmp_path)
        if done.returncode == 0:
            wanted.pop()
        else:
            (advised,) = re.findall("`([^`]*)`", done.line)
            wanted.append(advised)
        if not wanted:
            break
    assert not wanted
    trained = [str(path.parent.relative_to(tmp_path)) for path in tmp_path.rglob("best.safetensors")]
    assert trained == ["results/small/train/digits/dcgan/seed1"]


def test_results_elsewhere_are_named_and_not_denied(tmp_path: Path) -> None:
    for words in (["summary"], ["check"], ["train", "--overlay", "../workflow/overlays/demo.yaml"]):
        done = command("sagan-div", *words, "--params", "../params.yaml", cwd=ROOT / "docs")
        assert done.returncode == 2
        assert "--params ../params.yaml: its results lie in ../results, and commands use those of the folder" in done.line
    assert not (ROOT / "docs/results/demo").exists()
    assert command("sagan-div", "describe", "dcgan", "--params", "../params.yaml", cwd=ROOT / "docs").returncode == 0
