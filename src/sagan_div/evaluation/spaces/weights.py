"""Inception's published weights: where they are, and that they are whole."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from sagan_div import files, mirror
from sagan_div.data import fetch
from sagan_div.errors import UserError


class Weights(NamedTuple):
    name: str
    url: str
    size: int  # bytes
    sha256: str


WEIGHTS = Weights(
    "pt_inception-2015-12-05-6726825d.pth",
    "https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth",
    95_628_359,
    "6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
)


LACKING = "Inception's weights could not be fetched"  # without the cause, which names places of this machine


def why_none(path: Path) -> str | None:
    """Why a file of weights has none: it is empty where they could not be had."""
    return LACKING if path.is_file() and path.stat().st_size == 0 else None


def fetch_weights(target: Path, beside: Path, option: str | None, note: Callable[[str], None]) -> None:
    """Write pytorch-fid's published Inception weights to `target`, fetched once, verified by size and SHA-256.

    Where the user has put the file into the folder `beside`, it is taken. Else they come from the mirror of an option or of
    SAGAN_DIV_MIRROR, which has the file directly or under `inception/`; without one from the published URL. Raises UserError,
    in one line that says what to put where.
    """
    for there in (target, beside / WEIGHTS.name):
        if there.is_file() and files.sha256(there) == WEIGHTS.sha256:
            if there != target:
                files.write_bytes(target, there.read_bytes())
            return
    place = mirror.chosen(option)
    sources = place.sources(*places(WEIGHTS.name)) if place else [WEIGHTS.url]
    try:
        content = fetch.first_intact(sources, WEIGHTS.size, _verify, note)
    except fetch.NowhereIntact as failures:
        mend = f"put {WEIGHTS.name} into {beside}, or {place.mend if place else mirror.MEND}"
        raise UserError(f"Inception's weights cannot be had ({failures}); {mend}") from None
    files.write_bytes(target, content)


def places(name: str) -> tuple[str, str]:
    """Where a mirror may have a file of weights."""
    return name, f"inception/{name}"


def _verify(content: bytes) -> None:
    """Raises ValueError for bytes that are not the published ones."""
    if len(content) != WEIGHTS.size:
        raise ValueError(f"{len(content)} bytes instead of {WEIGHTS.size}")
    if hashlib.sha256(content).hexdigest() != WEIGHTS.sha256:
        raise ValueError("its SHA-256 is not that of the published file")
