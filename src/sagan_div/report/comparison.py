"""Two sets of results side by side: the scores of two folders, or of two git revisions.

A folder of results has them in metrics/<dataset>/<method>.json and, all but the FID, in tables/measures.csv.
"""

import csv
import io
import json
import math
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path, PurePath
from typing import Any

from sagan_div.errors import UserError
from sagan_div.report import naming, paper, words
from sagan_div.settings import short
from sagan_div.study.metrics import METRICS
from sagan_div.terminal import Table

Score = tuple[float, float | None]  # mean and standard deviation over seeds
METRICS_FILES, MEASURES = "metrics", PurePath("tables/measures.csv")
SCORES = [key.key for metric in METRICS.values() for key in metric.keys if key.role == "score"]
BESIDE = ("fid_floor", "fid_grey")  # what an FID is held against
OTHER_FIDS = ("fid_infinity", "fid_repeated")


@dataclass(frozen=True)
class Measured:
    """What a side has of a method on a dataset: scores by measure, and what its runs are marked with (see `marks`)."""

    scores: dict[str, Score] = field(default_factory=dict)
    marks: str = ""

    def __or__(self, other: "Measured") -> "Measured":
        return Measured(self.scores | other.scores, other.marks or self.marks)


Scores = dict[tuple[str, str], Measured]  # by dataset and method


@dataclass(frozen=True)
class Row:
    """A measure of a method on a dataset: means over seeds, their standard deviations, and `difference` = b - a.

    None where a side has no such number; `relative` is the difference as a share of a.
    """

    dataset: str
    method: str
    measure: str
    a: float | None
    a_std: float | None
    a_marks: str
    b: float | None
    b_std: float | None
    b_marks: str

    @property
    def difference(self) -> float | None:
        return None if self.a is None or self.b is None else self.b - self.a

    @property
    def relative(self) -> float | None:
        return self.difference / self.a if self.difference is not None and self.a else None

    def as_dict(self) -> dict[str, str | float | None]:
        """The row as plain data, differences included."""
        return asdict(self) | {"difference": self.difference, "relative": self.relative}


def read(where: str) -> Scores:
    """The scores of a folder of results, or of a git revision: `HEAD~1`, or `HEAD~1:results/NAME` for another study's.

    Raises UserError where there are none.
    """
    found: Scores = {}
    for path, content in _folder(Path(where)) if _is_folder(where) else _revision(where):
        try:
            text = content.decode()
            measured = _measures(text) if path.suffix == ".csv" else {(path.parent.name, path.stem): _headline(text)}
        except (ValueError, AttributeError, TypeError, KeyError, RecursionError):
            raise UserError(f"{where}: {path} is damaged; write the report again") from None
        for cell, numbers in measured.items():
            found[cell] = found.get(cell, Measured()) | numbers
    if not found:
        raise UserError(f"{where}: has no metrics; name a folder with metrics/DATASET/METHOD.json in it, or a git revision")
    return found


def _headline(text: str) -> Measured:
    """The measures in a file of metrics; version 0.1 named the classifier in its keys: `fid_classifier`."""
    entries = {name.replace(f"_{naming.UNNAMED}", ""): _finite(value) for name, value in json.loads(text).items()}
    scores = {name: (entries[name], entries.get(f"{name}_std")) for name in entries if _is_score(name)}
    marked, seeds = (int(entries.get(name, 0)) for name in ("marked", "seeds"))
    return Measured(scores, (f"{marked} of {seeds} marked" if marked < seeds else "marked") if marked else "")


def _finite(value: Any) -> float:
    if not math.isfinite(number := float(value)):
        raise ValueError("no number")
    return number


def _is_score(name: str) -> bool:
    """Whether a name is that of a score, in whichever feature space, and not of its spread."""
    named = any(name == score or name.startswith(f"{score}_") for score in SCORES)
    return named and not name.endswith("_std") and not name.startswith(BESIDE)


def _is_fid(name: str) -> bool:
    """Whether a name is that of an FID itself, in whichever feature space."""
    return _is_score(name) and name.split("_")[0] == "fid" and not name.startswith(OTHER_FIDS)


def _measures(text: str) -> Scores:
    """The table of measures: a row per dataset, method and feature space, `_std` at the end of a spread's name."""
    found: Scores = {}
    table, named = csv.DictReader(io.StringIO(text)), ("dataset", "method", "extractor")
    if not set(named) <= set(table.fieldnames or ()):
        raise ValueError("another table")
    for row in table:
        dataset, method, extractor = (row.pop(name) for name in named)
        marks = row.pop("marks", "") or ""
        numbers = {name: _finite(value) for name, value in row.items() if value and name != "n"}
        scores = {name: (value, numbers.get(f"{name}_std")) for name, value in numbers.items() if not name.endswith("_std")}
        ours = Measured({naming.key(name, extractor): score for name, score in scores.items()}, marks)
        found[dataset, method] = found.get((dataset, method), Measured()) | ours
    return found


def _is_folder(where: str) -> bool:
    return "\0" not in where and Path(where).is_dir()


def _folder(folder: Path) -> Iterator[tuple[PurePath, bytes]]:
    for path in (*sorted(folder.glob(f"{METRICS_FILES}/*/*.json")), folder / MEASURES):
        if path.exists():
            yield path.relative_to(folder), path.read_bytes()


def _revision(where: str) -> Iterator[tuple[PurePath, bytes]]:
    """The files in git. A revision that git could take for one of its options, such as --output=FILE, is none."""
    revision, _, named = where.partition(":")
    folder = PurePath(named or "results")
    try:
        if revision.startswith("-"):
            raise ValueError("a revision does not begin with a hyphen")
        packed = _git("archive", revision, "--", str(folder / METRICS_FILES))
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", b"").decode(errors="replace").strip() or str(error)
        raise UserError(f"{where}: is no folder, and as a git revision: {said.removeprefix('fatal: ')}") from None
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        for member in archive:
            content = archive.extractfile(member) if member.isfile() else None
            if content is not None and member.name.endswith(".json"):
                yield PurePath(member.name), content.read()
    if _git("ls-tree", revision, "--", str(folder / MEASURES)):
        yield MEASURES, _git("show", f"{revision}:./{folder / MEASURES}")


def _git(*words: str) -> bytes:
    return subprocess.run(["git", "--literal-pathspecs", *words], capture_output=True, check=True).stdout


def compare(a: Scores, b: Scores, every: bool = False) -> list[Row]:
    """A row for each measure that either side has; the FIDs alone unless `every` measure is wanted."""
    rows, nothing = [], (None, None)
    for cell in sorted(a.keys() | b.keys()):
        first, second = a.get(cell, Measured()), b.get(cell, Measured())
        for measure in first.scores | second.scores:
            if every or _is_fid(measure):
                sides = [(*side.scores.get(measure, nothing), side.marks) for side in (first, second)]
                rows.append(Row(*cell, measure, *sides[0], *sides[1]))
    return rows


def table(rows: list[Row], a: str, b: str) -> Table:
    """The rows for a terminal: mean ± standard deviation of each side and what its runs are marked with, and b - a."""
    a, b = short(a, 200), short(b, 200)
    shown = Table(
        f"{a} beside {b}: mean ± standard deviation over seeds",
        ("dataset", "method", "measure", a, b, "difference", "relative"),
        names=3,
    )
    for row in rows:
        shown.add(
            paper.dataset_label(row.dataset),
            paper.label(row.method),
            row.measure,
            _spread(row.a, row.a_std, row.a_marks),
            _spread(row.b, row.b_std, row.b_marks),
            "–" if row.difference is None else f"{row.difference:+.4g}",
            "" if row.relative is None else f"{row.relative:+.1%}",
        )
    return shown


def _spread(mean: float | None, deviation: float | None, marks: str) -> str:
    if mean is None:
        return words.marked("–", marks)
    return words.marked(f"{mean:.4g}" if deviation is None else f"{mean:.4g} ± {deviation:.2g}", marks)
