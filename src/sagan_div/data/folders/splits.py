"""Which split and which class an image belongs to, by the folders that it lies in."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sagan_div.errors import UserError
from sagan_div.image_files import few, shown

ROLES = {  # of a folder at the top, by its name in lower case
    **dict.fromkeys(("train", "training"), "train"),
    **dict.fromkeys(("test", "testing"), "test"),
    **dict.fromkeys(("val", "valid", "validation"), "val"),
}


@dataclass
class Arrangement:
    """The images of each split, or of `all` where one is still to be held out, with their classes."""

    splits: dict[str, list[Path]]
    classes: dict[str, list[str] | None] = field(default_factory=dict)  # of each image of a split; None: the split has none
    stray: dict[Path, str] = field(default_factory=dict)  # images that have no place among the others, and why
    notes: list[str] = field(default_factory=list)  # what was decided

    @property
    def known(self) -> list[str]:
        """The names of the classes, in order; none where the images carry no labels."""
        return sorted({name for names in self.classes.values() for name in names or ()})


def arranged(images: Sequence[Path], labelled: bool = True) -> Arrangement:
    """Images, by paths relative to the dataset's folder, in splits and classes; none of the latter unless `labelled`.

    Folders above all images mean nothing. Raises UserError for folders that contradict each other.
    """
    top = _entered(images)
    parts = _by_folder(images, top)
    roles = _roles(name for name in parts if name is not None)
    test = roles.get("test") or roles.get("val")
    if len(parts) == len(roles) > 1 and "train" not in roles:
        raise UserError(f"has {' and '.join(f'{shown(name)}/' for name in sorted(roles.values()))}, and no train/; add it")
    if "train" in roles and test:
        found = _parted(parts, roles["train"], test, roles)
    else:
        found = Arrangement({"all": list(images)}, notes=["no train/ and test/ folders: a seeded fifth is the test split"])
    for split, paths in found.splits.items():
        found.classes[split] = _classes(paths, found) if labelled else None
    for split, paths in found.splits.items():
        found.splits[split] = [path for path in paths if path not in found.stray]
    if labelled:
        _agree(found)
    else:
        found.notes.append("no labels: `labels: none` says so")
    return found


def _entered(images: Iterable[Path]) -> Path:
    """The folder that holds all images, entered as long as it is a single one."""
    above: list[tuple[str, ...]] = [path.parent.parts for path in images]
    common = min(above, default=(), key=len)
    while any(parts[: len(common)] != common for parts in above):
        common = common[:-1]
    return Path(*common)


def _by_folder(images: Iterable[Path], top: Path) -> dict[str | None, list[Path]]:
    """Images by the folder below `top` that they lie in; None: in `top` itself."""
    found: dict[str | None, list[Path]] = {}
    for path in images:
        below = path.relative_to(top).parts
        found.setdefault(below[0] if len(below) > 1 else None, []).append(path)
    return found


def _roles(names: Iterable[str]) -> dict[str, str]:
    """The folders that are splits, by what they are. Raises UserError where two are the same."""
    found: dict[str, str] = {}
    for name in names:
        role = ROLES.get(name.lower())
        if role in found:
            raise UserError(f"{shown(found[role])}/ and {shown(name)}/ are both the {role} split; keep one of them")
        if role:
            found[role] = name
    return found


def _parted(parts: Mapping[str | None, list[Path]], train: str, test: str, roles: Mapping[str, str]) -> Arrangement:
    found = Arrangement({"train": parts[train], "test": parts[test]}, notes=[f"splits: {shown(train)}/ and {shown(test)}/"])
    if test == roles.get("val"):
        found.notes[0] += ", which is the test split, since there is no test/"
    for name, paths in parts.items():
        if name == roles.get("val") != test:
            found.notes.append(f"{shown(str(name))}/ is left out with {len(paths):,} images: train/ and test/ are the splits")
        elif name not in (train, test):
            found.stray |= dict.fromkeys(paths, f"lies beside {shown(train)}/ and {shown(test)}/, in neither split")
    return found


def _classes(paths: Sequence[Path], found: Arrangement) -> list[str] | None:
    """The class of each image of a split, the folder below the split that it lies in; images beside such folders are stray."""
    parts = _by_folder(paths, _entered(paths))
    folders = [name for name in parts if name is not None]
    if not folders:
        return None
    found.stray |= dict.fromkeys(
        parts.get(None, ()), f"lies beside folders of classes, {few([Path(name) for name in folders])}"
    )
    names = {path: name for name, members in parts.items() if name is not None for path in members}
    return [names[path] for path in paths if path in names]


def _agree(found: Arrangement) -> None:
    """Leave labels only where they mean the same on both sides. Raises UserError where the classes differ."""
    train, test = (found.classes.get(split) for split in ("train", "test"))
    if "all" in found.splits:
        if len(found.known) < 2:
            found.classes["all"] = None
            found.notes.append("no labels: there are no folders of classes")
    elif train is None:
        found.classes = {"train": None, "test": None}
        only = ", those of the test split are not used" if test else ""
        found.notes.append(f"no labels: the training split has no folders of classes{only}")
    elif test is None:
        found.notes.append("the test split has no folders of classes: its labels are not known")
    elif set(train) != set(test):
        sides = [(where, sorted(ours - theirs)) for where, ours, theirs in _each_way(set(train), set(test))]
        only = "; ".join(f"only in the {where} split: {few([Path(name) for name in names])}" for where, names in sides if names)
        raise UserError(
            f"the classes of the splits differ ({only}); give both the same, or write `labels: none` under the dataset"
        )


def _each_way(train: set[str], test: set[str]) -> tuple[tuple[str, set[str], set[str]], ...]:
    return ("training", train, test), ("test", test, train)


def counts(classes: Mapping[str, Sequence[str] | None]) -> dict[str, int]:
    """How many images each class has in all splits."""
    return dict(sorted(Counter(name for names in classes.values() for name in names or ()).items()))
