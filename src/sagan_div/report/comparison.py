"""Two sets of results side by side: the scores of two folders, or of two git revisions.

A folder of results has them in metrics/<dataset>/<method>.json and, all but the FID, in tables/measures.csv.
"""

import csv
import io
import json
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path, PurePath

from rich.table import Table

from sagan_div.errors import UserError
from sagan_div.report import naming, paper
from sagan_div.study.metrics import METRICS

Score = tuple[float, float | None]  # mean and standard deviation over seeds
Scores = dict[tuple[str, str], dict[str, Score]]  # (dataset, method) -> measure -> score
METRICS_FILES, MEASURES = "metrics", PurePath("tables/measures.csv")
SCORES = [key.key for metric in METRICS.values() for key in metric.keys if key.role == "score"]
BESIDE = ("fid_floor", "fid_grey")  # what an FID is held against
OTHER_FIDS = ("fid_infinity", "fid_repeated")


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
    b: float | None
    b_std: float | None

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
    for path, text in _folder(Path(where)) if Path(where).is_dir() else _revision(where):
        try:
            scores = _measures(text) if path.suffix == ".csv" else {(path.parent.name, path.stem): _headline(text)}
        except (ValueError, AttributeError, TypeError, KeyError):
            raise UserError(f"{where}: {path} is damaged; write the report again") from None
        for cell, measures in scores.items():
            found[cell] = found.get(cell, {}) | measures
    if not found:
        raise UserError(f"{where}: has no metrics; name a folder with metrics/DATASET/METHOD.json in it, or a git revision")
    return found


def _headline(text: str) -> dict[str, Score]:
    """The measures in a file of metrics; version 0.1 named the classifier in its keys: `fid_classifier`."""
    entries = {name.replace(f"_{naming.UNNAMED}", ""): float(value) for name, value in json.loads(text).items()}
    wanted = (name for name in entries if _is_score(name))
    return {name: (entries[name], entries.get(f"{name}_std")) for name in wanted}


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
        numbers = {name: float(value) for name, value in row.items() if value and name not in ("n", "marks")}
        scores = {name: (value, numbers.get(f"{name}_std")) for name, value in numbers.items() if not name.endswith("_std")}
        cell = found.setdefault((dataset, method), {})
        cell |= {naming.key(name, extractor): score for name, score in scores.items()}
    return found


def _folder(folder: Path) -> Iterator[tuple[PurePath, str]]:
    for path in (*sorted(folder.glob(f"{METRICS_FILES}/*/*.json")), folder / MEASURES):
        if path.exists():
            yield path.relative_to(folder), path.read_text(encoding="utf-8")


def _revision(where: str) -> Iterator[tuple[PurePath, str]]:
    revision, _, named = where.partition(":")
    folder = PurePath(named or "results")
    try:
        packed = _git("archive", revision, "--", str(folder / METRICS_FILES))
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", b"").decode().strip() or str(error)
        raise UserError(f"{where}: is no folder, and as a git revision: {said.removeprefix('fatal: ')}") from None
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        for member in archive:
            content = archive.extractfile(member)
            if content is not None and member.name.endswith(".json"):
                yield PurePath(member.name), content.read().decode()
    if _git("ls-tree", revision, "--", str(folder / MEASURES)):
        yield MEASURES, _git("show", f"{revision}:./{folder / MEASURES}").decode()


def _git(*words: str) -> bytes:
    return subprocess.run(["git", *words], capture_output=True, check=True).stdout


def compare(a: Scores, b: Scores, every: bool = False) -> list[Row]:
    """A row for each measure that either side has; the FIDs alone unless `every` measure is wanted."""
    rows = []
    for cell in sorted(a.keys() | b.keys()):
        first, second = a.get(cell, {}), b.get(cell, {})
        for measure in first | second:
            if every or _is_fid(measure):
                rows.append(Row(*cell, measure, *first.get(measure, (None, None)), *second.get(measure, (None, None))))
    return rows


def table(rows: list[Row], a: str, b: str) -> Table:
    """The rows for a terminal: mean ± standard deviation of each side, and b - a."""
    shown = Table(title=f"{a} beside {b}: mean ± standard deviation over seeds", title_justify="left", min_width=60)
    for head in ("dataset", "method", "measure"):
        shown.add_column(head, no_wrap=True)
    for head in (a, b, "difference", ""):
        shown.add_column(head, justify="right", no_wrap=head != a and head != b)
    for row in rows:
        shown.add_row(
            paper.dataset_label(row.dataset),
            paper.label(row.method),
            row.measure,
            _spread(row.a, row.a_std),
            _spread(row.b, row.b_std),
            "–" if row.difference is None else f"{row.difference:+.4g}",
            "" if row.relative is None else f"{row.relative:+.1%}",
        )
    return shown


def _spread(mean: float | None, deviation: float | None) -> str:
    if mean is None:
        return "–"
    return f"{mean:.4g}" if deviation is None else f"{mean:.4g} ± {deviation:.2g}"
