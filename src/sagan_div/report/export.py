"""A trained generator as a file for others, and the model card beside it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2
import torch

from sagan_div import files
from sagan_div.errors import UserError
from sagan_div.models import checkpoints, sampling
from sagan_div.report import model_index, paper, words
from sagan_div.report.forms import FORMS
from sagan_div.settings import plain
from sagan_div.workflow.jobs import beside
from sagan_div.workflow.records import recorded

CARD = "README.md"
NAMES = {"safetensors": "generator.safetensors", "torchscript": "generator.pt", "onnx": "generator.onnx"}
FILES = (CARD, *NAMES.values())
TERMS = {  # of the images that a generator has learnt from
    "mnist": "Y. LeCun, C. Cortes and C. Burges, CC BY-SA 3.0",
    "fashion-mnist": "Zalando SE, MIT",
    "digits": "E. Alpaydin and C. Kaynak, Optical Recognition of Handwritten Digits (UCI), CC BY 4.0",
}


ESCAPES = str.maketrans({"<": "&lt;", ">": "&gt;", "|": "\\|", "`": "'", "\n": " ", "\r": " "})


@dataclass(frozen=True)
class Export:
    """What lies in a folder: a generator in one form or several, and its card, from the checkpoint with this SHA-256."""

    folder: Path
    title: str
    digest: str

    @property
    def files(self) -> list[Path]:
        return _exported(self.folder)


def export(checkpoint: Path, form: str, folder: Path) -> Export:
    """Write the generator of a checkpoint in a form of NAMES, and its card, beside what was exported from it before.

    Raises UserError where the checkpoint is not one of ours, or is no longer what the record beside it describes, and for a
    folder with files of these names that were not exported from it.
    """
    generator, shape, settings = sampling.load_generator(checkpoint, torch.device("cpu"))
    facts = _facts(checkpoint) | {"shape": shape, "settings": settings}
    _refuse_others(folder, facts["digest"])
    files.write_bytes(folder / NAMES[form], FORMS[form](generator, shape, checkpoint))
    there = {name: Path(file) for name, file in NAMES.items() if (folder / file).exists()}
    files.write_text(folder / CARD, _card(facts | {"names": there}))
    return Export(folder, model_index.title(settings), facts["digest"])


def _exported(folder: Path) -> list[Path]:
    return [folder / name for name in FILES if (folder / name).exists()]


def _refuse_others(folder: Path, digest: str) -> None:
    """A card names the checkpoint that all files beside it come from."""
    taken = _exported(folder)
    card = folder / CARD
    if taken and not (card.is_file() and digest in card.read_text(encoding="utf-8", errors="replace")):
        raise UserError(f"{taken[0]}: is there, and was not exported from this checkpoint; name another folder by --out")


def card(checkpoint: Path, names: Mapping[str, Path]) -> str:
    """The card of a checkpoint whose generator lies in these files, by form. Raises UserError as `export` does."""
    _, shape, settings = sampling.load_generator(checkpoint, torch.device("cpu"))
    return _card(_facts(checkpoint) | {"shape": shape, "settings": settings, "names": names})


def _facts(checkpoint: Path) -> dict[str, Any]:
    """What is known of a checkpoint: its header, the record of its training, and the scores of what it drew."""
    _, about = checkpoints.load(checkpoint)
    digest, record = files.sha256(checkpoint), recorded(checkpoint.with_name("record.json"))
    if record and record["outputs"].get(checkpoint.stem, digest) != digest:
        raise UserError(f"{checkpoint}: is not what the record beside it describes; train the cell again")
    return {"about": about, "digest": digest, "record": record or {}, "scores": _scores(checkpoint, digest)}


def _scores(checkpoint: Path, digest: str) -> dict[str, dict[str, Any]]:
    """The scores by feature space, where the records tie them to this very checkpoint."""
    drawn, scored = (recorded(beside(checkpoint, phase, "record.json")) for phase in ("sample", "score"))
    if drawn is None or scored is None:
        return {}
    ours = drawn["settings"].get("sample", {}).get("select") == checkpoint.stem
    ours = ours and drawn["inputs"].get(checkpoint.stem) == digest
    if not ours or scored["inputs"].get("samples") != drawn["outputs"].get("samples"):
        return {}
    path = beside(checkpoint, "score", "metrics.json")
    with files.parsing(path, "is damaged; delete it and score the cell again"):
        spaces = json.loads(path.read_text(encoding="utf-8"))["extractors"]
        return {name: dict(entry.items()) for name, entry in spaces.items()}


def _card(facts: dict[str, Any]) -> str:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("sagan_div.report", ""),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
        finalize=_inert,
    )
    settings = facts["settings"]
    text = environment.get_template("card.md.jinja").render(
        **facts,
        recipe=plain(settings.recipe),
        measures=_measures(facts["scores"]),
        label=paper.label(settings.method),
        dataset=paper.dataset_label(settings.dataset),
        printed=paper.fid(settings.dataset, settings.method),
        source=paper.facts()["source"],
        terms=TERMS.get(settings.dataset),
        without_folders=words.without_folders,
    )
    return model_index.head(settings, facts["scores"]) + text


def _inert(value: Any) -> Any:
    """A value as text that is neither HTML nor a link nor the end of a cell: checkpoints and records may be anyone's."""
    if isinstance(value, int | float | jinja2.Undefined):
        return value
    return str(value).translate(ESCAPES).replace("](", "]\\(")


def _measures(scores: dict[str, dict[str, Any]]) -> dict[str, list[float | None]]:
    """Every number in the scores by its name, with a place for each feature space."""
    spaces = list(scores.values())
    names = dict.fromkeys(name for space in spaces for name, value in space.items() if isinstance(value, int | float))
    return {name: [space.get(name) for space in spaces] for name in names}
