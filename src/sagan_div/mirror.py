"""A mirror: the folder or URL of the user's from which published files are fetched, and how it is shown to people."""

import hashlib
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from sagan_div.errors import UserError

VARIABLE = "SAGAN_DIV_MIRROR"  # in the environment
OPTION = "--mirror"
MEND = f"connect, or name a folder or URL by {OPTION} or {VARIABLE}"
SCHEMES = ("http", "https", "file")


@dataclass(frozen=True)
class Mirror:
    place: str = field(repr=False)  # may hold a password
    named_by: str  # the option or the variable

    def sources(self, *paths: str) -> list[str]:
        """The URLs or paths of files that the mirror may have."""
        return [f"{self.place.rstrip('/')}/{path}" for path in paths]

    def may_have(self, *paths: str, asked: str | None) -> bool:
        """Whether files may be had, when the mirror of the digest `asked` lacked them. Connects to nothing."""
        if "://" in self.place:
            return self.digest != asked
        return any(Path(source).is_file() for source in self.sources(*paths))

    @property
    def digest(self) -> str:
        """What tells a mirror from others in a record, which names no machine and holds no password."""
        return hashlib.sha256(shown(self.place).encode()).hexdigest()

    @property
    def mend(self) -> str:
        return f"put the whole file into the mirror, or {'leave out' if self.named_by == OPTION else 'unset'} {self.named_by}"


def chosen(option: str | None) -> Mirror | None:
    """The mirror of the option, else of the environment. Raises UserError for what is neither a folder nor a URL."""
    place, named_by = (option, OPTION) if option else (os.environ.get(VARIABLE), VARIABLE)
    if not place:
        return None
    scheme, separator, _ = place.partition("://")
    if not separator:
        return Mirror(str(Path(place).expanduser()), named_by)
    if scheme.lower() not in SCHEMES:
        raise UserError(f"{named_by}: nothing is fetched from {shown(place)}; name a folder, or a URL of http or https")
    try:
        _ = urlsplit(place).port
    except ValueError:
        raise UserError(f"{named_by}: is no URL; in a user's name or password write %2F for / and %40 for @") from None
    return Mirror(place, named_by)


def shown(place: str) -> str:
    """A URL or path without a user's name and password."""
    return re.sub(r"(?<=://).*@|^[^/]+:[^/]*@", "***@", place, count=1)
