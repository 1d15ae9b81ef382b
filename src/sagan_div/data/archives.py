"""MNIST and Fashion-MNIST: their published archives, fetched, verified and decoded."""

import gzip
import hashlib
import os
from collections.abc import Callable

import numpy as np

from sagan_div.data import fetch
from sagan_div.data.images import Split
from sagan_div.errors import UserError

Note = Callable[[str], None]


def load(name: str, mirror: str | None, note: Note) -> dict[str, Split]:
    """Both splits, from `mirror`, the environment's SAGAN_DIV_MIRROR or the published hosts. Raises UserError."""
    from torchvision import datasets  # slow to import; it has the published hosts and checksums

    published = {"mnist": datasets.MNIST, "fashion-mnist": datasets.FashionMNIST}[name]
    mirror = mirror or os.environ.get(fetch.MIRROR)
    hosts = [f"{mirror.rstrip('/')}/{name}"] if mirror else published.mirrors
    decoded = [_idx(_archive(name, file, md5, hosts, bool(mirror), note), file) for file, md5 in published.resources]
    train_images, train_labels, test_images, test_labels = decoded
    return {
        "train": Split(train_images[:, None], train_labels.astype(np.int64)),
        "test": Split(test_images[:, None], test_labels.astype(np.int64)),
    }


def _archive(name: str, file: str, md5: str, hosts: list[str], mirrored: bool, note: Note) -> bytes:
    """The archive's bytes from the first host that has them whole. Raises UserError."""

    def verify(content: bytes) -> None:
        found = hashlib.md5(content, usedforsecurity=False).hexdigest()
        if found != md5:
            raise ValueError(f"damaged or truncated, its MD5 is {found} and must be {md5}")

    sources = [f"{host.rstrip('/')}/{file}" for host in hosts]
    try:
        return fetch.first_intact(sources, verify, lambda text: note(f"{name}: {text}"))
    except fetch.NowhereIntact as failures:
        mend = f"put the whole file there or unset {fetch.MIRROR}" if mirrored else fetch.MEND
        raise UserError(f"{name}: cannot fetch {file} ({failures}); {mend}") from None


def _idx(archive: bytes, file: str) -> np.ndarray:
    """An IDX file of unsigned bytes (the format is described on MNIST's page): magic 0, 0, 8, rank; sizes; bytes."""
    content = gzip.decompress(archive)
    rank = content[3]
    if content[:3] != b"\0\0\x08":
        raise UserError(f"{file}: is not an IDX file of bytes")
    shape = np.frombuffer(content, ">i4", rank, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape)
