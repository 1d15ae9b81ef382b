"""The metrics, each once: its name in params.yaml, the module that measures it, its keys and how they are shown.

Pure data without imports, so that tables, prose, the schema and a job's fingerprint can read it at no cost. A new metric is
an entry of METRICS and a module with `measure(given: Comparison) -> Iterable[float | None]`, a number per key.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

Direction = Literal["lower", "higher", "none"]
Role = Literal["score", "spread", "setting"]
Need = Literal["generated", "real"]


@dataclass(frozen=True)
class Key:
    """One number of a metric, as it stands in metrics.json."""

    key: str
    label: str  # at the head of a column
    direction: Direction = "none"  # which values are better
    factor: float = 1.0  # that it is shown with
    table: bool = False  # a column of the table of measures
    headline: bool = False  # one of the few that `dvc metrics show` prints
    role: Role = "score"  # or the spread of one, or what it was measured with


@dataclass(frozen=True)
class Metric:
    """A metric: what `score.metrics` calls it, what prose calls it, and the module whose `measure` gives its keys."""

    name: str
    title: str
    module: str
    keys: tuple[Key, ...]
    note: str = ""  # below the table of measures
    needs: tuple[Need, ...] = ("generated", "real")  # of more than moments, for where one side has no images
    spaces: tuple[str, ...] = ()  # the only feature spaces in which it is measured; none: in all of them

    def measured_in(self, space: str) -> bool:
        return not self.spaces or space in self.spaces


def _spread(key: str, label: str) -> Key:
    return Key(key, label, role="spread")


def _share(key: str) -> Key:
    return Key(key, key, "higher", table=True, headline=key in ("precision", "recall"))


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("fid", "FID", "sagan_div.evaluation.fid", (Key("fid", "FID", "lower", headline=True),), needs=()),
        Metric(
            "fid-infinity",
            "FID∞",
            "sagan_div.evaluation.fid_infinity",
            (Key("fid_infinity", "FID∞", "lower", table=True), _spread("fid_infinity_std", "FID∞, spread")),
            "FID∞: extrapolated to endless samples.",
            needs=("generated",),
        ),
        Metric(
            "kid",
            "KID",
            "sagan_div.evaluation.kid",
            (
                Key("kid", "KID × 1000", "lower", 1000.0, table=True),
                _spread("kid_std", "KID, spread over subsets"),
                _spread("kid_error", "KID, standard error"),
                Key("kid_subset", "images in a subset of KID", role="setting"),
            ),
            "KID: kernel distance, lower is better.",
        ),
        Metric(
            "is",
            "The Inception score",
            "sagan_div.evaluation.inception_score",
            (Key("is", "IS", "higher", table=True), _spread("is_std", "IS, spread over splits")),
            "IS: Inception score by the network named, higher is better.",
            needs=("generated",),
        ),
        Metric(
            "prdc",
            "Precision and recall",
            "sagan_div.evaluation.prdc",
            (_share("precision"), _share("recall"), _share("density"), _share("coverage")),
            "Precision, recall, density, coverage: higher is better.",
        ),
        Metric(
            "memorisation",
            "Memorisation",
            "sagan_div.evaluation.memorisation",
            (
                Key("memorised", "near copies, %", "lower", 100.0, table=True),
                Key("memorised_honest", "near copies where nothing is copied", role="setting"),
                Key("nearer", "P(nearer)", table=True),
                Key("nearer_z", "z of P(nearer)"),
            ),
            "Near copies: samples nearer to a training image than all but 1 % of held-out images are; 1 % where nothing is "
            "copied. P(nearer): the chance that a sample is nearer to its training image than a held-out image is to its own, "
            "then 0.5.",
            spaces=("classifier",),
        ),
    )
}

FLOOR = Metric(  # of every score
    "floor",
    "The FID expected of a perfect generator",
    "sagan_div.evaluation.floor",
    (
        Key("fid_floor", "perfect generator, by formula", headline=True, role="setting"),
        Key("fid_floor_measured", "perfect generator, measured", role="setting"),
    ),
)

CONTRAST = Metric(  # of every score: what tells a run that shows nothing
    "contrast",
    "Contrast",
    "sagan_div.evaluation.contrast",
    (
        Key("contrast", "contrast", table=True),
        Key("variety", "variety", table=True),
        Key("grain", "grain", table=True),
        Key("fid_grey", "FID of plain grey", role="setting"),
    ),
    "Contrast, variety, grain: standard deviation of grey levels over all pixels and between samples at the same place, and "
    "the steps between neighbouring pixels, as shares of real images’.",
)


def repeat_last_batch(counts: Iterable[int]) -> Metric:
    """FID as the author's sampler would have had it, of each number of distinct images: `score.repeat_last_batch`."""
    keys = [
        key
        for count in counts
        for key in (
            Key(f"fid_repeated_{count}", f"FID, {count} repeated", "lower", table=True),
            _spread(f"fid_repeated_{count}_std", f"FID, {count} repeated, spread"),
        )
    ]
    return Metric("repeat_last_batch", "FID of repeated batches", "sagan_div.evaluation.repeat_last_batch", tuple(keys))


def chosen(names: Iterable[str], counts: Iterable[int] = ()) -> tuple[Metric, ...]:
    """What a score consists of where `score.metrics` and `score.repeat_last_batch` are these, in the order of the tables."""
    named, repeated = set(names), repeat_last_batch(counts)
    wanted = [metric for metric in METRICS.values() if metric.name in named]
    return (FLOOR, CONTRAST, *wanted, *((repeated,) if repeated.keys else ()))


def keys(metrics: Iterable[Metric]) -> dict[str, Key]:
    """The keys of metrics by their names."""
    return {key.key: key for metric in metrics for key in metric.keys}
