"""Two sets of results side by side: what `results/metrics` holds in two folders, or in two git revisions."""

import io
import json
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path, PurePath
from typing import get_args

from rich.table import Table

from sagan_div.errors import UserError
from sagan_div.report import paper
from sagan_div.study.schema import Extractor

Metrics = dict[tuple[str, str], dict[str, float]]  # (dataset, method) -> the flat numbers of its file
BESIDE = ("images", "seeds", "paper_fid")  # entries that are no measures
ENDINGS = ("_std", "_floor")
FIDS = tuple(f"fid_{extractor}" for extractor in get_args(Extractor))


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


def read(where: str) -> Metrics:
    """The metrics of a folder of results, or of a git revision: `HEAD~1`, or `HEAD~1:results/NAME` for another study's.

    Raises UserError where there are none.
    """
    found = {}
    for path, text in _folder(Path(where)) if Path(where).is_dir() else _revision(where):
        try:
            found[(path.parent.name, path.stem)] = {name: float(value) for name, value in json.loads(text).items()}
        except (ValueError, AttributeError, TypeError):
            raise UserError(f"{where}: {path} is damaged; write the report again") from None
    if not found:
        raise UserError(f"{where}: has no metrics; name a folder with metrics/DATASET/METHOD.json in it, or a git revision")
    return found


def _folder(folder: Path) -> Iterator[tuple[PurePath, str]]:
    for path in sorted(folder.glob("metrics/*/*.json")):
        yield path.relative_to(folder), path.read_text(encoding="utf-8")


def _revision(where: str) -> Iterator[tuple[PurePath, str]]:
    revision, _, folder = where.partition(":")
    inside = PurePath(folder or "results", "metrics")
    try:
        packed = subprocess.run(["git", "archive", revision, "--", str(inside)], capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", b"").decode().strip() or str(error)
        raise UserError(f"{where}: is no folder, and as a git revision: {said.removeprefix('fatal: ')}") from None
    with tarfile.open(fileobj=io.BytesIO(packed)) as archive:
        for member in archive:
            content = archive.extractfile(member)
            if content is not None and member.name.endswith(".json"):
                yield PurePath(member.name), content.read().decode()


def compare(a: Metrics, b: Metrics, every: bool = False) -> list[Row]:
    """A row for each measure that either side has; the FIDs alone unless `every` measure is wanted."""
    rows = []
    for cell in sorted(a.keys() | b.keys()):
        first, second = a.get(cell, {}), b.get(cell, {})
        for measure in first | second:
            wanted = measure in FIDS or (every and measure not in BESIDE and not measure.endswith(ENDINGS))
            if wanted:
                sides = (side.get(name) for side in (first, second) for name in (measure, f"{measure}_std"))
                rows.append(Row(*cell, measure, *sides))
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
