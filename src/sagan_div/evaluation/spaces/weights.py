"""Inception's published weights: where they are, and that they are whole."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from sagan_div import files
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


def fetch_weights(folder: Path, mirror: str | None, note: Callable[[str], None]) -> Path:
    """pytorch-fid's published Inception weights in `folder`, fetched once, verified by size and SHA-256.

    `mirror` is a folder or URL that has the file, directly or under `inception/`; without one the published URL is used.
    Raises UserError, in one line that says what to put where.
    """
    target = folder / WEIGHTS.name
    if target.is_file() and files.sha256(target) == WEIGHTS.sha256:
        return target
    try:
        content = fetch.first_intact(_sources(mirror), _verify, note)
    except fetch.NowhereIntact as failures:
        raise UserError(f"Inception's weights cannot be had ({failures}); put {WEIGHTS.name} into {folder}") from None
    files.write_bytes(target, content)
    return target


def _sources(mirror: str | None) -> list[str]:
    return [f"{mirror.rstrip('/')}/{inside}{WEIGHTS.name}" for inside in ("", "inception/")] if mirror else [WEIGHTS.url]


def _verify(content: bytes) -> None:
    """Raises ValueError for bytes that are not the published ones."""
    if len(content) != WEIGHTS.size:
        raise ValueError(f"{len(content)} bytes instead of {WEIGHTS.size}")
    if hashlib.sha256(content).hexdigest() != WEIGHTS.sha256:
        raise ValueError("its SHA-256 is not that of the published file")
