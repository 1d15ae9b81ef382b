"""Everything that the runs of a study left behind, as pandas frames. The reader of result files, with real_vs_real."""

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sagan_div.errors import UserError
from sagan_div.report import marks, paper, real_vs_real, words
from sagan_div.report.catalogue import PAGE
from sagan_div.study import metrics
from sagan_div.study.metrics import Metric
from sagan_div.study.schema import Checkpoint, Study
from sagan_div.workflow.jobs import cells
from sagan_div.workflow.kinds import DATA
from sagan_div.workflow.layout import Layout, filled
from sagan_div.workflow.records import recorded

CELL = ["dataset", "method", "seed"]
COUNTED = ["images", "critic_updates", "generator_updates"]
HISTORY = [*COUNTED, "loss_critic", "loss_generator", "score_real", "score_fake", "gradient_norm", "fid"]
SCORES = ["extractor", "fid", "floor", "floor_measured", "count", "reference_count", "reference_split", "why"]
LEAVINGS = {"scored": ("score", "metrics.json"), "sampled": ("sample", "samples.npz"), "trained": ("train", "history.csv")}
NOT_RUN = "not run"

Cell = tuple[str, str, int]
Records = dict[str, dict[str, Any]]


@dataclass(frozen=True)
class Results:
    """A study and what is there of it.

    `scores`: a row per cell x extractor (columns CELL, SCORES, `noise` and any further metric; `fid` NaN with `why` where not
    measured). `runs`: a row per planned cell with its `state` (scored, sampled, trained, not run), kept checkpoint, cost,
    hardware, `diverged` (images at which, NaN where it did not) and `mark` (see `marks`). `history`: the rows of every
    history.csv. `real_vs_real`: a row per pair of sets of real images (columns dataset, extractor, pair, sampler, images, fid).
    `records`: cell -> phase -> record.json. `entries`: cell -> extractor -> what metrics.json says, lists included.
    `channels`: of the images of a dataset, where they are there. `compared`: (dataset, extractor) -> the record of
    comparing real images with real ones. `classes`: the names of a dataset's classes, in the order of their numbers.
    """

    study: Study
    layout: Layout
    scores: pd.DataFrame
    runs: pd.DataFrame
    history: pd.DataFrame
    real_vs_real: pd.DataFrame
    records: dict[Cell, Records]
    entries: dict[Cell, Records]
    channels: dict[str, int] = field(default_factory=dict)
    compared: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    classes: dict[str, list[str]] = field(default_factory=dict)

    @property
    def datasets(self) -> list[str]:
        return [dataset.name for dataset in self.study.datasets]

    @property
    def methods(self) -> list[str]:
        """In the order of the paper's tables, whatever the order of the settings; methods of one's own come last."""
        printed = list(paper.facts()["labels"])
        return sorted(self.study.methods, key=lambda method: printed.index(method) if method in printed else len(printed))

    @property
    def extractors(self) -> list[str]:
        """The extractors of the study that measured at least one cell."""
        measured = set(self.scores.dropna(subset=["fid"])["extractor"])
        return [extractor for extractor in self.study.score.spaces if extractor in measured]

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """What a score of the study consists of."""
        return metrics.chosen(self.study.score.metrics, self.study.score.repeat_last_batch)

    @property
    def by_channels(self) -> dict[int, list[str]]:
        """The datasets by the channels of their images; grey, as the paper's are, where none of the images is there."""
        counts = [(count, dataset) for dataset, count in self.channels.items()] or [(1, dataset) for dataset in self.datasets]
        return {count: [dataset for other, dataset in counts if other == count] for count, _ in counts}

    def select(self, method: str) -> Checkpoint:
        """The checkpoint that a method's samples are drawn from: best or last."""
        return self.study.methods[method].select or self.study.sample.select

    def fids(self, dataset: str, method: str, extractor: str) -> pd.Series:
        """The measured FIDs of a method's seeds, indexed by seed."""
        chosen = rows_of(self.scores, dataset=dataset, method=method, extractor=extractor)
        return chosen.set_index("seed")["fid"].dropna().sort_index()

    def marks(self, dataset: str, method: str) -> str:
        """What a method's runs are marked with, in words: nothing, `collapsed` or `1 of 3 collapsed`."""
        return marks.in_words(list(self.marked(dataset, method)))

    def marked(self, dataset: str, method: str) -> pd.Series:
        """The mark of each of a method's runs, indexed by seed; empty text for a run without one."""
        return rows_of(self.runs, dataset=dataset, method=method).set_index("seed")["mark"]

    def floor(self, dataset: str, extractor: str, kind: str = "floor") -> float | None:
        """The FID expected of a perfect generator at the study's counts, where the scores carry it.

        `kind`: floor, from the closed form, or floor_measured, from real images alone.
        """
        found = rows_of(self.scores, dataset=dataset, extractor=extractor)[kind].dropna()
        return float(found.iloc[0]) if len(found) else None

    def class_name(self, dataset: str, number: int) -> str:
        """A class by its name, else by its number."""
        names = self.classes.get(dataset, [])
        return names[number] if number < len(names) else str(number)

    def at(self, phase: str, name: str, cell: Cell) -> Path:
        """The path of a cell's file."""
        return at(self.layout.cell(phase, name), cell)


def rows_of(frame: pd.DataFrame, **values: object) -> pd.DataFrame:
    """The rows in which the named columns have these values."""
    return frame[np.logical_and.reduce([frame[name] == value for name, value in values.items()])]


def at(path: Path, cell: Cell) -> Path:
    """A layout's path with its braces filled."""
    return Path(str(path).format(**dict(zip(CELL, cell, strict=True))))


def read(study: Study, layout: Layout) -> Results:
    """The results of a study. Raises UserError where none of its cells has left anything, or a file is damaged."""
    planned: list[Cell] = [(cell["dataset"], cell["method"], cell["seed"]) for cell in cells(study)]
    histories = {cell: _history(at(layout.cell("train", "history.csv"), cell)) for cell in planned}
    records = {cell: _records(layout, cell) for cell in planned}
    runs = pd.DataFrame([_run(layout, cell, records[cell], histories[cell]) for cell in planned])
    if (runs["state"] == NOT_RUN).all():
        raise UserError(_nothing(study, layout))
    entries = {cell: found for cell in planned if (found := _entries(layout, cell))}
    scores = _scores(study, entries, runs)
    runs = runs.assign(mark=[_mark(records[cell], entries.get(cell, {}), histories[cell]) for cell in planned])
    data = {dataset.name: recorded(filled(DATA.record(layout), dataset=dataset.name)) or {} for dataset in study.datasets}
    channels = {name: int(record["images"]["train"][1]) for name, record in data.items() if "train" in record.get("images", {})}
    classes = {name: _classes(record) or paper.classes(name) for name, record in data.items()}
    pairs, compared = real_vs_real.distances(study, layout), real_vs_real.records(study, layout)
    return Results(study, layout, scores, runs, _joined(histories), pairs, records, entries, channels, compared, classes)


def _nothing(study: Study, layout: Layout) -> str:
    """What is said where no cell has left anything: in a clone there may be the report of runs that git does not keep."""
    if not (layout.results / PAGE).is_file():
        return f"{layout.results}: no run of the study '{study.study}' is there yet; `snakemake --cores 2` runs it"
    return (
        f"{layout.results}: the runs of the study '{study.study}' are not here, but their report is: `sagan-div compare "
        f"{layout.results} {layout.results}` shows its numbers, {layout.results / PAGE} all of it; `dvc pull` brings the runs"
    )


def _classes(data: dict[str, Any]) -> list[str]:
    """The folders that a dataset's classes were, by the record of its images: none for a built-in dataset, an earlier record or
    images without labels. Names that look the same, since some letters cannot be shown, are told apart by their numbers."""
    found = data.get("found", {}).get("names")
    names = [str(name) for name in found] if isinstance(found, list) else []
    return [name if names.count(name) == 1 else f"{name} ({number})" for number, name in enumerate(names)]


def _records(layout: Layout, cell: Cell) -> Records:
    found = {phase: recorded(at(layout.cell(phase, "record.json"), cell)) for phase in ("train", "sample", "score")}
    return {phase: record for phase, record in found.items() if record}


def _scores(study: Study, entries: dict[Cell, Records], runs: pd.DataFrame) -> pd.DataFrame:
    rows = [
        dict(zip(CELL, cell, strict=True)) | {"extractor": name} | _flat(found[name])
        for cell, found in entries.items()
        for name in study.score.spaces
        if name in found
    ]
    further = sorted({name for row in rows for name in row} - {*CELL, *SCORES})
    frame = pd.DataFrame(rows, columns=[*CELL, *SCORES, *further])
    frame = frame.astype(dict.fromkeys(("fid", "floor", "floor_measured"), float))
    frame = frame.merge(runs[[*CELL, "noise"]], on=CELL, how="left")
    return frame.assign(noise=frame["noise"].where(frame["extractor"] == "classifier"))  # runs are rated in that space alone


def _entries(layout: Layout, cell: Cell) -> Records:
    path = at(layout.cell("score", "metrics.json"), cell)
    if not path.exists():
        return {}
    try:
        return {name: dict(entry) for name, entry in json.loads(path.read_text(encoding="utf-8"))["extractors"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise UserError(f"{path}: is damaged; delete it and score the cell again") from None


def _flat(entry: dict[str, Any]) -> dict[str, Any]:
    """An extractor's numbers and reasons without its lists, the floors and the reason of the FID by one name each."""
    names = {"fid_floor": "floor", "fid_floor_measured": "floor_measured", "why_fid": "why"}
    flat = {names.get(name, name): value for name, value in entry.items() if not isinstance(value, list)}
    return {name: words.without_folders(value) if isinstance(value, str) else value for name, value in flat.items()}


def _history(path: Path) -> pd.DataFrame:
    if not path.exists():
        return pd.DataFrame(columns=HISTORY, dtype=float)
    try:
        return pd.read_csv(path).reindex(columns=HISTORY).astype(float).astype(dict.fromkeys(COUNTED, int))
    except ValueError:
        raise UserError(f"{path}: is damaged; delete it and train the cell again") from None


def _joined(histories: dict[Cell, pd.DataFrame]) -> pd.DataFrame:
    frames = [frame.assign(dataset=cell[0], method=cell[1], seed=cell[2]) for cell, frame in histories.items() if len(frame)]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame(columns=[*HISTORY, *CELL])


def _run(layout: Layout, cell: Cell, records: Records, history: pd.DataFrame) -> dict[str, Any]:
    train = records.get("train", {})
    hardware, best, speed = train.get("hardware", {}), train.get("best") or {}, train.get("images_per_second")
    return {
        **dict(zip(CELL, cell, strict=True)),
        "state": next((state for state, place in LEAVINGS.items() if at(layout.cell(*place), cell).exists()), NOT_RUN),
        "best_images": number(best.get("images")),
        "best_fid": number(best.get("fid")),
        "seconds": number(train.get("seconds")),
        "device_hours": _device_hours(records),
        "images_per_second": number(speed),
        "cost": 1e6 / speed if speed else math.nan,
        "device": hardware.get("processor") or hardware.get("device"),
        "threads": number(hardware.get("threads")),
        "commit": train.get("commit"),
        "diverged": number(train.get("diverged")),
        **_unrest(history),
    }


def _mark(records: Records, entries: Records, history: pd.DataFrame) -> str:
    """The mark of a run by its scores in the classifier's features, or else in another space where it was measured."""
    if records.get("train", {}).get("diverged") is not None:
        return marks.DIVERGED
    measured = [entry for entry in (entries.get("classifier", {}), *entries.values()) if entry.get("fid") is not None]
    if not measured:
        return ""
    names = {"fid": "fid", "grey": "fid_grey", "contrast": "contrast", "variety": "variety", "grain": "grain"}
    known = {name: number(measured[0].get(key)) for name, key in names.items()}
    counted = {"classes": "classes", "real_classes": "reference_classes"}
    classes = {name: marks.effective(entries.get("classifier", {}).get(key, [])) for name, key in counted.items()}
    first = float(next(iter(history["fid"].dropna()), math.nan))
    return marks.mark(marks.Signs(first=first, **known, **classes))


def _device_hours(records: Records) -> float:
    """Training, sampling and scoring together, as far as they are recorded; a job has one device."""
    spent = [record["seconds"] for record in records.values() if "seconds" in record]
    return sum(spent) / 3600 if spent else math.nan


def number(value: float | None) -> float:
    """NaN where there is none."""
    return math.nan if value is None else float(value)


def _unrest(history: pd.DataFrame) -> dict[str, Any]:
    """How much a run's rating jumps over its second half, and whether the run held (None without a rating).

    `noise` is in FID, `unrest` in per cent of it, both NaN below three ratings.
    """
    ratings = history["fid"].dropna().to_numpy(dtype=float)
    tail = ratings[len(ratings) // 2 :]
    enough = len(tail) >= 3 and bool(np.isfinite(tail).all()) and bool((tail > 0).all())
    losses = history[["loss_critic", "loss_generator"]].to_numpy(dtype=float)
    return {
        "noise": _successive(tail) if enough else math.nan,
        "unrest": 100 * _successive(np.log(tail)) if enough else math.nan,
        "steady": bool(np.isfinite(losses).all() and ratings[-1] <= 2 * ratings.min()) if len(ratings) else None,
    }


def _successive(values: np.ndarray) -> float:
    """The standard deviation by successive differences (von Neumann), which a slow trend does not inflate."""
    return float(np.sqrt(np.mean(np.diff(values) ** 2) / 2))
