"""Reading a folder of images: what lies there, what each is, which are used, and their pixels."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median_low
from types import MappingProxyType
from typing import Any, NamedTuple, TypeVar

import numpy as np

from sagan_div.data.folders.parallel import each
from sagan_div.data.folders.picture import Header, Unfit, header, pixels
from sagan_div.data.folders.splits import Arrangement, arranged, counts
from sagan_div.data.images import Split, divided
from sagan_div.errors import UserError
from sagan_div.image_files import Listing, counted, endings, few, grouped, listing, shown
from sagan_div.study.datasets import FolderConfig

LARGEST_SIDE = 256  # pixels at which images are kept
FEWEST = 4  # images of a dataset: no score compares with fewer (score.reference.count)
Found = TypeVar("Found")


class Reading(NamedTuple):
    """The `train` and `test` splits, what a user is told of them, and what a record says."""

    splits: dict[str, Split]
    lines: Sequence[str] = ()
    about: Mapping[str, Any] = MappingProxyType({})


def read(name: str, folder: FolderConfig) -> Reading:
    """The images below a folder: their central squares at the smallest side among them, at most 256; grey if all are.

    Those that cannot be used are refused, or left out where the folder's `unfit` is `skip`. Raises UserError.
    """
    found = listing(folder.place)
    headers = _headers(name, folder.place, found)
    while True:
        arrangement = _usable(folder, found, headers)
        used = {path: headers[path] for paths in arrangement.splits.values() for path in paths}
        splits, damaged = _decoded(name, folder, arrangement, used)
        if not damaged:
            return Reading(splits, _lines(arrangement, used, found), {"found": _about(arrangement, used, found)})
        found.unfit |= damaged


def _attempted(work: Callable[..., Found], *given: Any) -> Found | Unfit:
    try:
        return work(*given)
    except Unfit as why:
        return why


def _headers(name: str, root: Path, found: Listing) -> dict[Path, Header]:
    """The headers of all images that have one; the others are unfit."""
    headers = {}
    for path, what in each(f"{name}: headers", found.images, lambda path: _attempted(header, root / path)):
        if isinstance(what, Unfit):
            found.unfit[path] = str(what)
        else:
            headers[path] = what
    return headers


def _usable(folder: FolderConfig, found: Listing, headers: Mapping[Path, Header]) -> Arrangement:
    """What is left without the unfit images, in splits that are `train` and `test`. Raises UserError where it is not enough."""
    found.unfit |= _too_small({path: each for path, each in headers.items() if path not in found.unfit}, folder.minimum_side)
    try:
        arrangement = arranged([path for path in headers if path not in found.unfit], folder.labels == "folders")
    except UserError as error:
        raise UserError(f"{shown(folder.path)}: {error}") from None
    found.unfit |= arrangement.stray
    if found.unfit and folder.unfit == "refuse":
        raise _refusal(folder, found)
    count = sum(map(len, arrangement.splits.values()))
    if count < FEWEST:
        beside = f"; beside: {grouped(found.passed_over)}" if found.passed_over else ""
        raise UserError(
            f"{shown(folder.path)}: holds {counted(count, 'image')}, at least {FEWEST} are needed ({endings()}){beside}"
        )
    return _divided(arrangement) if "all" in arrangement.splits else arrangement


def _too_small(headers: Mapping[Path, Header], minimum: int | None) -> dict[Path, str]:
    """Images that would have all others shrunk to their size."""
    sides = [each.side for each in headers.values()]
    if not sides:
        return {}
    least = minimum or median_low(sides) / 2
    than = (
        f"minimum_side, {minimum}" if minimum else f"half the median side of {median_low(sides)}; `minimum_side` may allow it"
    )
    return {
        path: f"has {each.width}x{each.height} pixels, less than {than}" for path, each in headers.items() if each.side < least
    }


def _refusal(folder: FolderConfig, found: Listing) -> UserError:
    mend = "mend or remove {}, or leave such images out with `{{path: …, unfit: skip}}`"
    if len(found.unfit) == 1:
        ((path, why),) = found.unfit.items()
        return UserError(f"{shown(folder.path)}/{shown(path)}: {why}; {mend.format('it')}")
    return UserError(
        f"{shown(folder.path)}: {len(found.unfit):,} files cannot be used: {few(found.unfit)}; {mend.format('them')}"
    )


def _divided(arrangement: Arrangement) -> Arrangement:
    """An arrangement of all images with a seeded fifth of them as the test split."""
    paths, classes = arrangement.splits["all"], arrangement.classes["all"]
    parts = {split: part.images.tolist() for split, part in divided(np.arange(len(paths)), None).items()}
    return replace(
        arrangement,
        splits={split: [paths[place] for place in part] for split, part in parts.items()},
        classes={split: classes and [classes[place] for place in part] for split, part in parts.items()},
    )


def _decoded(
    name: str, folder: FolderConfig, arrangement: Arrangement, used: Mapping[Path, Header]
) -> tuple[dict[str, Split], dict[Path, str]]:
    """The splits, and images of which a whole header promised too much. Each is put into its place as soon as it is read."""
    side = min(LARGEST_SIDE, *(each.side for each in used.values()))
    grey = all(each.grey for each in used.values())
    shape = (1 if grey else 3, side, side)
    images = {split: np.empty((len(paths), *shape), np.uint8) for split, paths in arrangement.splits.items()}
    places = [(split, place, path) for split, paths in arrangement.splits.items() for place, path in enumerate(paths)]

    def put(where: tuple[str, int, Path]) -> None:
        split, place, path = where
        images[split][place] = pixels(folder.place / path, side, grey, folder.background)

    outcomes = each(f"{name}: images", places, lambda where: _attempted(put, where))
    damaged = {path: str(why) for (_, _, path), why in outcomes if isinstance(why, Unfit)}
    known = {label: number for number, label in enumerate(arrangement.known)}
    labels = {
        split: None if names is None else np.array([known[each] for each in names], np.int64)
        for split, names in arrangement.classes.items()
    }
    return {split: Split(images[split], labels[split]) for split in images}, damaged


def _about(arrangement: Arrangement, used: Mapping[Path, Header], found: Listing) -> dict[str, Any]:
    return {
        "sizes": [list(size) for size in _sizes(used)],
        "classes": {shown(name): count for name, count in counts(arrangement.classes).items()},
        "names": [shown(name) for name in arrangement.known],  # of the classes, in the order of their numbers
        "notes": arrangement.notes,
        "passed_over": {why: len(paths) for why, paths in found.passed_over.items()},
        "left_out": {shown(path): why for path, why in list(found.unfit.items())[:100]},
    }


def _sizes(used: Mapping[Path, Header]) -> tuple[tuple[int, int], tuple[int, int]]:
    """The smallest and the largest image, (width, height)."""
    sizes = sorted((each.side, each.width, each.height) for each in used.values())
    return sizes[0][1:], sizes[-1][1:]


def _lines(arrangement: Arrangement, used: Mapping[Path, Header], found: Listing) -> list[str]:
    smallest, largest = ("x".join(map(str, size)) for size in _sizes(used))
    lines = [f"files of {smallest}{'' if smallest == largest else f' to {largest}'} pixels", *arrangement.notes]
    if classes := counts(arrangement.classes):
        numbers = {Path(name): f"{count:,}" for name, count in classes.items()}
        lines.append(f"{counted(len(classes), 'class').replace('classs', 'classes')}: {few(numbers, 20)}")
    if found.passed_over:
        lines.append(f"passed over: {grouped(found.passed_over)}")
    if found.unfit:
        lines.append(f"left out, as `unfit: skip` says: {counted(len(found.unfit), 'file')}: {few(found.unfit)}")
    return lines
