"""MNIST and Fashion-MNIST: their published archives, fetched, verified and decoded."""

import gzip
import hashlib
import io
import math
import zlib
from collections.abc import Callable

import numpy as np

from sagan_div import mirror
from sagan_div.data import fetch
from sagan_div.data.images import Split
from sagan_div.errors import UserError
from sagan_div.mirror import Mirror

Note = Callable[[str], None]
PACKED = 32 * 2**20  # bytes of an archive at most; the largest has 26 MB
UNPACKED = 64 * 2**20  # 60,000 images of 28x28 pixels are 47 MB


def load(name: str, option: str | None, note: Note) -> dict[str, Split]:
    """Both splits, from the mirror of an option or of SAGAN_DIV_MIRROR, or else from the published hosts. Raises UserError."""
    from torchvision import datasets  # slow to import; it has the published hosts and checksums

    published = {"mnist": datasets.MNIST, "fashion-mnist": datasets.FashionMNIST}[name]
    place = mirror.chosen(option)
    files = {
        file: _archive(name, file, md5, place or [f"{host.rstrip('/')}/{file}" for host in published.mirrors], note)
        for file, md5 in published.resources
    }
    train_images, train_labels, test_images, test_labels = (_idx(content, file) for file, content in files.items())
    return {
        "train": Split(train_images[:, None], train_labels.astype(np.int64)),
        "test": Split(test_images[:, None], test_labels.astype(np.int64)),
    }


def _archive(name: str, file: str, md5: str, places: Mirror | list[str], note: Note) -> bytes:
    """The archive's bytes from the first place that has them whole. Raises UserError."""

    def verify(content: bytes) -> None:
        found = hashlib.md5(content, usedforsecurity=False).hexdigest()
        if found != md5:
            raise ValueError(f"damaged or truncated, its MD5 is {found} and must be {md5}")

    sources = places.sources(f"{name}/{file}") if isinstance(places, Mirror) else places
    try:
        return fetch.first_intact(sources, PACKED, verify, lambda text: note(f"{name}: {text}"))
    except fetch.NowhereIntact as failures:
        mend = places.mend if isinstance(places, Mirror) else mirror.MEND
        raise UserError(f"{name}: cannot fetch {file} ({failures}); {mend}") from None


def _idx(archive: bytes, file: str) -> np.ndarray:
    """An IDX file of unsigned bytes (the format is described on MNIST's page): magic 0, 0, 8, rank; sizes; bytes.

    Raises UserError for another file, and for one of more than UNPACKED bytes.
    """
    try:
        content = gzip.GzipFile(fileobj=io.BytesIO(archive)).read(UNPACKED + 1)
    except (OSError, EOFError, zlib.error):
        raise UserError(f"{file}: is no intact gzip archive") from None
    if len(content) > UNPACKED:
        raise UserError(f"{file}: unpacks to more than {UNPACKED:,} bytes, which is none of these datasets")
    rank = content[3] if content[:3] == b"\0\0\x08" else 0
    shape = [int.from_bytes(content[at : at + 4], "big") for at in range(4, 4 + 4 * rank, 4)]
    if not rank or math.prod(shape) != len(content) - 4 - 4 * rank:
        raise UserError(f"{file}: is no IDX file of bytes")
    return np.frombuffer(content, np.uint8, offset=4 + 4 * rank).reshape(shape)
