"""The image files below a folder: which there are, which are passed over, and which cannot be used.

Links are followed. Which files count is decided here alone, for what is read and for the digest that notices changes.
"""

import os
import stat
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sagan_div.errors import UserError
from sagan_div.settings import short

ENDINGS = frozenset(
    {".bmp", ".gif", ".jfif", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm", ".png", ".pnm", ".ppm", ".tif", ".tiff", ".webp"}
)
OTHER_FORMATS = frozenset(
    {".arw", ".avif", ".cr2", ".cr3", ".dcm", ".dng", ".exr", ".hdr", ".heic", ".heif", ".ico", ".jp2", ".jxl", ".nef"}
    | {".orf", ".psd", ".raf", ".raw", ".rw2", ".svg", ".tga"}
)
NOT_ONES_OWN = frozenset(  # folders that viewers and systems leave: small copies of images, and remains
    {
        "$recycle.bin",
        "@eadir",
        "__macosx",
        "lost+found",
        "system volume information",
        "thumb",
        "thumbnail",
        "thumbnails",
        "thumbs",
    }
)
HIDDEN, LEFT_BY_OTHERS, NO_IMAGES = "hidden", "thumbnails or a system's own", "no images"


@dataclass
class Listing:
    """What lies below a folder. Paths are relative to it."""

    images: list[Path] = field(default_factory=list)  # in order
    passed_over: dict[str, list[Path]] = field(default_factory=dict)  # files and folders by why they are no images
    unfit: dict[Path, str] = field(default_factory=dict)  # what should be an image, or hold some, and why it cannot be used

    def pass_over(self, path: Path, why: str) -> None:
        self.passed_over.setdefault(why, []).append(path)


def listing(root: Path) -> Listing:
    """The images below a folder. Raises UserError where it is no folder.

    A folder that is reached twice is read once: the link that leads to it again is unfit, and so no loop is followed.
    """
    require_folder(root)
    found, seen = Listing(), dict[tuple[int, int], Path]()
    waiting = deque([Path()])
    while waiting:
        place = waiting.popleft()
        try:
            about, entries = (root / place).stat(), sorted(os.scandir(root / place), key=lambda entry: entry.name)
        except OSError as error:
            found.unfit[place] = _of(error)
            continue
        first = seen.setdefault((about.st_dev, about.st_ino), place)
        if first != place:
            loop = place.is_relative_to(first)
            found.unfit[place] = f"{'leads back to' if loop else 'leads to the same folder as'} {shown(first)}/"
            continue
        for entry in entries:
            below = _sort_in(entry, place / entry.name, found)
            if below:  # links last, so that of two names for a folder the link is the second
                (waiting.append if entry.is_symlink() else waiting.appendleft)(place / entry.name)
    found.images.sort()
    return found


def _sort_in(entry: "os.DirEntry[str]", path: Path, found: Listing) -> bool:
    """Take note of a file, or of a folder that is not entered; returns whether it is a folder to enter."""
    ending = path.suffix.lower()
    if entry.name.startswith("."):
        found.pass_over(path, HIDDEN)
        return False
    try:
        kind = entry.stat().st_mode
    except OSError as error:
        if ending in ENDINGS or not ending:
            found.unfit[path] = _of(error)
        else:
            found.pass_over(path, NO_IMAGES)
        return False
    if stat.S_ISDIR(kind):
        if entry.name.lower() not in NOT_ONES_OWN:
            return True
        found.pass_over(path, LEFT_BY_OTHERS)
    elif ending in OTHER_FORMATS:
        found.unfit[path] = f"is in a format that is not read ({ending}); save it as PNG or JPEG"
    elif ending not in ENDINGS:
        found.pass_over(path, NO_IMAGES)
    elif not stat.S_ISREG(kind):
        found.unfit[path] = "is no regular file"
    else:
        found.images.append(path)
    return False


def _of(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "is a link that leads nowhere"
    return f"cannot be read ({error.strerror})"


def require_folder(root: Path) -> None:
    """Raises UserError where there is no folder at a place that should hold images."""
    if not root.is_dir():
        what = "is a file, not a folder of images" if root.is_file() else "there is no such folder of images"
        raise UserError(f"{shown(root)}: {what}; bring it back, or correct the path under `datasets`")


def shown(path: Path | str) -> str:
    """A path as messages show it: printable, on one line, whatever bytes a file's name has."""
    return short(str(path), 300)


def few(paths: Sequence[Path] | Mapping[Path, str], most: int = 3) -> str:
    """The first few paths, each with why where that is known, and how many more there are."""
    first = [shown(path) + (f" ({paths[path]})" if isinstance(paths, Mapping) else "") for path in list(paths)[:most]]
    more = len(paths) - len(first)
    return ", ".join(first) + (f" and {more:,} more" if more else "")


def counted(count: int, what: str) -> str:
    """`1 image`, `2 images`."""
    return f"{count:,} {what}{'' if count == 1 else 's'}"


def endings() -> str:
    return ", ".join(sorted(ENDINGS))


def grouped(passed_over: Mapping[str, Iterable[Path]]) -> str:
    """What was passed over, by why, in words."""
    return "; ".join(f"{len(paths := list(each)):,} {why}: {few(paths)}" for why, each in passed_over.items())
