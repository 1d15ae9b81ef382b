"""What is exported draws what the checkpoint draws, and its card says where it comes from."""

import contextlib
import json
import re
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from click.testing import CliRunner, Result
from torch import Tensor

from sagan_div.cli import app as cli
from sagan_div.errors import UserError
from sagan_div.models import checkpoints, networks, sampling
from sagan_div.report import export as sharing
from sagan_div.settings import plain
from sagan_div.study.load import load
from sagan_div.workflow import records
from sagan_div.workflow.jobs import planned
from sagan_div.workflow.kinds import KINDS
from support import ROOT, command

SMALL = (
    "image_size=32",
    "width=8",
    "latent=20",
    "seeds=[0]",
    "datasets=[digits]",
    "train.images=32000000",
    "score.extractors=[classifier]",
)


@dataclass(frozen=True)
class Cell:
    """A cell as the phases leave it: an untrained generator, its samples and its scores, with their records."""

    root: Path
    method: str

    @property
    def name(self) -> str:
        return f"digits/{self.method}/seed0"

    @property
    def checkpoint(self) -> Path:
        return self.root / "results/train" / self.name / "best.safetensors"

    def images(self, latents: Tensor) -> Tensor:
        generator, _, _ = sampling.load_generator(self.checkpoint, torch.device("cpu"))
        with torch.no_grad():
            return generator(latents)

    def call(self, *words: object) -> Result:
        sets = [word for text in SMALL for word in ("--set", text)]
        study = [*sets, "--params", str(ROOT / "params.yaml")] if words[0] == "export" else []
        with contextlib.chdir(self.root):
            return CliRunner().invoke(cli.app, [*map(str, words), *study])


def leave(root: Path, method: str) -> Cell:
    study = load(ROOT / "params.yaml", sets=SMALL)
    recipe, shape = study.methods[method], networks.Shape(study.image_size, 1, study.width, study.latent)
    generator, critic = networks.build(recipe, shape, seed=0)
    with torch.no_grad():
        for name, parameter in generator.named_parameters():
            parameter.fill_(0.7) if name.endswith("gamma") else parameter.mul_(5)  # images with contrast, attention at work
    with contextlib.chdir(root):
        for phase, about in (("train", {"seconds": 12.5, "commit": "0123abc"}), ("sample", {}), ("score", {})):
            job = planned(study, KINDS[phase], {"dataset": "digits", "method": method, "seed": 0})
            for path in (*job.inputs.values(), *job.outputs.values()):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.touch()
            if phase == "train":
                header = {"settings": plain(job.settings), "channels": 1, "images": 640, "fid": 12.25}
                checkpoints.save(job.outputs["best"], checkpoints.tensors_of(generator=generator, critic=critic), header)
            if phase == "score":
                scores = {"classifier": {"fid": 17.25, "count": 1000, "reference_split": "train"}}
                job.outputs["metrics"].write_text(json.dumps({"extractors": scores}))
            records.write(job, records.used(job), about)
    return Cell(root, method)


@pytest.fixture
def cell(tmp_path: Path) -> Cell:
    return leave(tmp_path, "sagan-div-a")


def examples(card: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", card, re.DOTALL)


@pytest.mark.parametrize("form", ["safetensors", "torchscript", "onnx"])
def test_what_the_card_says_how_to_load_draws_the_checkpoints_images(
    cell: Cell, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Variant a has all there is: spectral norm on every layer and on the attention, instance norm."""
    done = cell.call("export", cell.name, "--format", form, "--out", "shared")
    assert done.exit_code == 0, done.output
    written = cell.root / "shared" / sharing.NAMES[form]
    assert done.output.strip() == str(written.relative_to(cell.root))
    (example,) = examples((cell.root / "shared/README.md").read_text(), "python")
    monkeypatch.chdir(written.parent)
    found: dict[str, object] = {}
    exec(example, found)
    latents, images = (torch.as_tensor(np.asarray(torch.as_tensor(found[name]).detach())) for name in ("latents", "images"))
    assert images.shape == (64, 1, 32, 32)  # another count than the two that it was traced with
    assert images.std() > 0.05
    torch.testing.assert_close(images, cell.images(latents), rtol=1e-4, atol=1e-5)


def test_generate_draws_the_same_from_the_checkpoint_and_from_its_export(cell: Cell) -> None:
    assert cell.call("export", cell.checkpoint).exit_code == 0
    exported = cell.root / "exports" / cell.name / "generator.safetensors"
    assert exported.stat().st_size < 0.7 * cell.checkpoint.stat().st_size  # without the critic
    for source, folder in ((cell.checkpoint, "a"), (exported, "b")):
        done = cell.call("generate", source, "--count", 5, "--out", folder)
        assert done.exit_code == 0, done.output
    drawn = [[path.read_bytes() for path in sorted((cell.root / folder).glob("*.png"))] for folder in "ab"]
    assert drawn[0] == drawn[1]
    assert len(drawn[0]) == 5


def test_the_card_says_what_it_is_how_it_was_made_and_how_it_scored(cell: Cell) -> None:
    sharing.export(cell.checkpoint, "safetensors", cell.root / "shared")
    sharing.export(cell.checkpoint, "torchscript", cell.root / "shared")
    card = (cell.root / "shared/README.md").read_text()
    _, head, _ = card.split("---\n", 2)
    about = yaml.safe_load(head)
    assert (about["license"], about["datasets"], about["metrics"]) == ("mit", ["digits"], ["fid"])
    (entry,) = about["model-index"]
    (result,) = entry["results"]
    assert entry["name"] == "SAGAN-div a on digits, seed 0"
    assert result["metrics"] == [{"type": "fid", "name": "fid in the features of the dataset's own classifier", "value": 17.25}]
    assert "# SAGAN-div a on digits, seed 0" in card
    for row in ("| commit | 0123abc |", "| n_critic | 5 |", "| fid | 17.25 |", "| count | 1,000 |"):
        assert row in card
    assert "640 of 32,000,000" in card
    assert "CC BY 4.0" in card
    assert len(examples(card, "python")) == 2  # of both files in the folder
    assert "\n\n\n" not in card


def test_scores_of_another_checkpoint_are_not_claimed(cell: Cell) -> None:
    path = cell.root / "results/sample" / cell.name / "record.json"
    record = json.loads(path.read_text())
    record["inputs"]["best"] = "0" * 64
    path.write_text(json.dumps(record))
    sharing.export(cell.checkpoint, "safetensors", cell.root / "shared")
    card = (cell.root / "shared/README.md").read_text()
    assert "17.25" not in card
    assert "Not measured, or the records do not tie a measurement to this checkpoint." in card


def test_a_checkpoint_without_a_record_says_so(cell: Cell) -> None:
    lone = cell.root / "lone.safetensors"
    lone.write_bytes(cell.checkpoint.read_bytes())
    sharing.export(lone, "safetensors", cell.root / "shared")
    assert "No record lies beside the checkpoint" in (cell.root / "shared/README.md").read_text()


def test_a_checkpoint_that_its_record_does_not_describe_is_refused(cell: Cell) -> None:
    tensors, about = checkpoints.load(cell.checkpoint)
    checkpoints.save(cell.checkpoint, tensors, about | {"images": 1})
    with pytest.raises(UserError, match="is not what the record beside it describes"):
        sharing.export(cell.checkpoint, "safetensors", cell.root / "shared")


def test_what_is_no_cell_and_what_generate_cannot_read_are_named(cell: Cell) -> None:
    (cell.root / "README.md").write_text("mine")
    for words, expected in (
        (("generate", "README.md", "--out", "x"), "README.md: is no checkpoint; generate reads .safetensors files"),
        (("export", "digits/gan/seed0"), "digits/gan/seed0: is no cell of the study, such as digits/dcgan/seed0"),
        (("export", "digits/dcgan/seed0"), "results/train/digits/dcgan/seed0/best.safetensors: there is no such checkpoint"),
        (("generate", "generator.onnx", "--out", "x"), "generator.onnx: generate reads safetensors"),
    ):
        done = cell.call(*words)
        assert isinstance(done.exception, UserError)
        assert expected in str(done.exception)


def test_nothing_that_is_there_is_replaced_or_mixed_with(cell: Cell) -> None:
    (cell.root / "README.md").write_text("mine")
    for words, expected in (
        (("export", cell.name, "--out", "."), "README.md: is there, and was not exported from this checkpoint"),
        (("generate", cell.checkpoint, "--out", "."), ".: is not empty; name a new folder by --out"),
    ):
        done = cell.call(*words)
        assert isinstance(done.exception, UserError)
        assert expected in str(done.exception)
    assert (cell.root / "README.md").read_text() == "mine"
    assert cell.call("export", cell.name, "--out", "shared").exit_code == 0
    assert cell.call("export", cell.name, "--out", "shared", "--format", "torchscript").exit_code == 0  # beside it
    other = leave(cell.root, "dcgan")
    refused = other.call("export", other.name, "--out", "shared", "--format", "onnx")  # its card would speak for both
    assert "was not exported from this checkpoint" in str(refused.exception)
    assert {path.name for path in (cell.root / "shared").iterdir()} == {"README.md", "generator.safetensors", "generator.pt"}


@pytest.mark.parametrize("depth", [0, 1, 4])
def test_a_checkpoint_of_anywhere_is_exported_into_exports(cell: Cell, depth: int) -> None:
    """However few folders its path has, and whatever links it goes by."""
    short = (
        Path("/tmp") / f"best-{cell.root.parent.name}.safetensors"
        if depth == 0
        else cell.root / "/".join("abcd"[:depth]) / "x.safetensors"
    )
    short.parent.mkdir(parents=True, exist_ok=True)
    short.write_bytes(cell.checkpoint.read_bytes())
    try:
        done = cell.call("export", short)
    finally:
        short.unlink()
    assert done.exit_code == 0, done.output
    assert done.output.startswith("exports/")
    assert (cell.root / done.output.strip()).is_file()


SHARE = """\
import sys, torch
from pathlib import Path
from sagan_div.report import export
for form in export.NAMES:
    export.export(Path(sys.argv[1]), form, Path(sys.argv[2]))
"""


def test_what_is_handed_out_has_the_same_bytes_from_any_clone_and_tells_of_none(cell: Cell) -> None:
    """Two clones of the package and of the results, for two users."""
    for name in ("one", "another/place"):
        home = cell.root / name
        shutil.copytree(ROOT / "src", home / "src", ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        shutil.copytree(cell.root / "results", home / "results")
        environment = {"PYTHONPATH": str(home / "src"), "HOME": str(home), "USER": f"user-{home.name}", "LOGNAME": "someone"}
        checkpoint = cell.checkpoint.relative_to(cell.root)
        done = command(sys.executable, "-c", SHARE, checkpoint, "shared", cwd=home, **environment)
        assert done.returncode == 0, done.stderr
    for file in (sharing.CARD, *sharing.NAMES.values()):
        first, second = ((cell.root / name / "shared" / file).read_bytes() for name in ("one", "another/place"))
        assert first == second, file
        for told in (str(cell.root), str(Path(torch.__file__).parents[1]), "site-packages", "user-one"):
            assert told.encode() not in first, (file, told)


@pytest.mark.parametrize("form", ["safetensors", "torchscript", "onnx"])
def test_a_disk_that_is_full_is_one_line_and_leaves_nothing(cell: Cell, form: str) -> None:
    words = f"ulimit -f 16; sagan-div export {cell.checkpoint} --format {form} --out shared"  # blocks of 1024 bytes
    done = command("bash", "-c", words, cwd=cell.root)
    assert done.returncode == 2
    assert re.fullmatch(
        rf"sagan-div: shared/{sharing.NAMES[form]}: cannot be written \(.*\); free or choose another place", done.line
    )
    assert list((cell.root / "shared").iterdir()) == []
