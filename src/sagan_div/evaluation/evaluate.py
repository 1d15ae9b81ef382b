"""Every metric between two places, A generated and B real, in any feature space."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from sagan_div import terminal
from sagan_div.errors import UserError
from sagan_div.evaluation.arithmetic import DISTANCE, MOMENTS
from sagan_div.evaluation.comparison import Comparison, Training
from sagan_div.evaluation.frechet import Moments
from sagan_div.evaluation.neighbours import nearest
from sagan_div.evaluation.places import features, read
from sagan_div.evaluation.score import attempt, class_histogram
from sagan_div.evaluation.spaces.extractor import Extractor
from sagan_div.study.metrics import METRICS, Metric
from sagan_div.study.schema import Mode

HELD_OUT = (
    "memorisation is judged by real images that nobody has trained on; name them with --held-out, and B has those trained on"
)


@dataclass(frozen=True, eq=False)
class Side:
    """What is known of a place: moments always, features [N, d] where it has images."""

    path: Path
    moments: Moments
    features: np.ndarray | None


@dataclass(frozen=True)
class Evaluation:
    """How places are measured: the feature space (none: statistics alone), the arithmetic and the batches."""

    extractor: Extractor | None
    mode: Mode = "fast"
    batch_size: int = 50
    note: Callable[[str], None] = terminal.note

    def side(self, path: Path) -> Side:
        """Raises UserError for a place that cannot be read, and for images without a feature space."""
        found = read(path)
        if isinstance(found, Moments):
            return Side(path, found, None)
        if self.extractor is None:
            raise UserError(f"{path}: images need a feature space; Inception's needs its weights: --weights FILE")
        values = features(path, found, self.extractor, self.batch_size, self.note)
        try:
            return Side(path, MOMENTS[self.mode](values, self.extractor.identity), values)
        except UserError as error:
            raise UserError(f"{path}: {error}") from None

    def __call__(self, a: Path, b: Path, held_out: Path | None = None) -> dict[str, Any]:
        """The numbers of all metrics by their keys; None with `why_<metric>` for what cannot be had. Raises UserError."""
        generated, real = self.side(a), self.side(b)
        try:
            fid = DISTANCE[self.mode](generated.moments, real.moments)
        except UserError as error:
            raise UserError(f"{a}, {b}: {error}") from None
        counts = {"count": generated.moments.count or None, "reference_count": real.moments.count or None}
        given = self._comparison(generated, real, held_out)
        found: dict[str, Any] = {"a": str(a), "b": str(b), "space": self._space(generated, real), "mode": self.mode}
        found |= counts | {"fid": fid}
        for metric in METRICS.values():
            if metric.name != "fid":
                why = HELD_OUT if metric.name == "memorisation" and held_out is None else _missing(metric, generated, real)
                found |= _without(metric, why) if why else attempt(metric, given)
        return found | self._classes(generated, real)

    def _space(self, *sides: Side) -> str:
        """The name of the feature space, or what the statistics say of theirs."""
        known = [side.moments.extractor for side in sides if side.moments.extractor]
        return self.extractor.name if self.extractor else next(iter(known), "not recorded").partition(":")[0]

    def _comparison(self, a: Side, b: Side, held_out: Path | None) -> Comparison:
        nothing = np.empty((0, len(a.moments.mean)), np.float32)
        real, fake = (nothing if side.features is None else side.features for side in (b, a))
        probabilities = self.extractor.probabilities(fake) if self.extractor and a.features is not None else None
        given = Comparison(fake, probabilities, real, b.moments, MOMENTS[self.mode], DISTANCE[self.mode])
        if held_out is None or b.features is None:
            return given
        unseen = self.side(held_out).features
        if unseen is None:
            raise UserError(f"{held_out}: holds statistics; --held-out wants images")
        return replace(given, training=Training(real, np.arange(len(real)), nearest(unseen, real).distances))

    def _classes(self, a: Side, b: Side) -> dict[str, list[int]]:
        """How many images fall into each class, where the space knows classes and the place has images."""
        named = {"classes": a.features, "reference_classes": b.features}
        found = {
            name: self.extractor.probabilities(values)
            for name, values in named.items()
            if values is not None and self.extractor
        }
        return {name: class_histogram(values) for name, values in found.items() if values is not None}


def _missing(metric: Metric, a: Side, b: Side) -> str | None:
    """Why a metric cannot be had of sides of which one may be statistics."""
    sides = {"generated": a, "real": b}
    paths = [str(sides[need].path) for need in metric.needs if sides[need].features is None]
    return f"it is measured on images, and {' and '.join(paths)} holds statistics alone, which give FID" if paths else None


def _without(metric: Metric, why: str) -> dict[str, Any]:
    return dict.fromkeys(key.key for key in metric.keys) | {f"why_{metric.name}": why}
