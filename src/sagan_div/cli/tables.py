"""What commands show as tables."""

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sagan_div.study.metrics import METRICS
from sagan_div.terminal import Table

if TYPE_CHECKING:
    from sagan_div.models.describe import Layer
    from sagan_div.training.estimate import Estimate


def layers(title: str, rows: Iterable["Layer"]) -> Table:
    """A network layer by layer, and its sums."""
    rows = list(rows)
    table = Table(title, ("block", "layer", "k / s / p", "output", "parameters", "MFLOP/image"), names=2)
    for row in rows:
        output = " x ".join(map(str, row.output)) or "1"
        flops = f"{row.flops / 1e6:,.2f}" if row.flops else ""
        table.add(str(row.block), row.name, row.kernel, output, f"{row.parameters:,}" if row.parameters else "", flops)
    parameters, operations = sum(row.parameters for row in rows), sum(row.flops for row in rows)
    table.add("", "all", "", "", f"{parameters:,}", f"{operations / 1e6:,.2f}", foot=True)
    return table


def estimates(title: str, rows: Sequence["Estimate"]) -> Table:
    """What training each method will take, and their sum."""
    table = Table(title, ("method", "timed cycles", "ms/cycle", "cells", "hours/cell", "device-hours", "GB on disk"))
    for row in rows:
        numbers = f"{row.seconds_per_cycle * 1e3:,.1f}", str(row.cells), f"{row.device_hours / row.cells:,.2f}"
        table.add(row.method, str(row.cycles), *numbers, f"{row.device_hours:,.2f}", f"{row.gigabytes:,.3f}")
    hours, gigabytes = sum(row.device_hours for row in rows), sum(row.gigabytes for row in rows)
    table.add("all", "", "", str(sum(row.cells for row in rows)), "", f"{hours:,.2f}", f"{gigabytes:,.3f}", foot=True)
    return table


def evaluation(found: Mapping[str, Any]) -> Table:
    """Each number of an evaluation; below, each metric that could not be had, and the classes."""
    counts = {"A": found["count"], "B": found["reference_count"]}
    sides = [f"{side}: {found[side.lower()]}, {count or 'an unknown number of'} images" for side, count in counts.items()]
    missing = {metric.title: found.get(f"why_{metric.name}") for metric in METRICS.values()}
    notes = [f"{title}: not measured: {why}" for title, why in missing.items() if why]
    classes = {"A": found.get("classes"), "B": found.get("reference_classes")}
    notes += [f"images per class, {side}: {_histogram(each)}" for side, each in classes.items() if each]
    title = "\n".join([f"space: {found['space']}, mode: {found['mode']}", *sides])
    table = Table(title, ("measure", "value"), notes=notes)
    for metric in METRICS.values():
        if not missing[metric.title]:
            for key in metric.keys:
                value = found[key.key]
                table.add(key.label, "-" if value is None else f"{value * key.factor:.6g}")
    return table


def _histogram(counts: Sequence[int]) -> str:
    if len(counts) <= 20:
        return " ".join(map(str, counts))
    return f"{sum(count > 0 for count in counts)} of {len(counts)} classes have some; --json lists them"
