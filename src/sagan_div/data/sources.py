"""Datasets by name: published archives, scikit-learn's digits, or a folder of images."""

from collections.abc import Callable
from pathlib import Path

from sagan_div.data.images import Split
from sagan_div.study.schema import DatasetConfig


def load(dataset: DatasetConfig, mirror: str | None, note: Callable[[str], None]) -> dict[str, Split]:
    """The `train` and `test` splits of a dataset.

    `mirror` (a folder or URL, else the environment's SAGAN_DIV_MIRROR) holds the archives of MNIST and Fashion-MNIST under
    `mnist/` and `fashion-mnist/`. Raises UserError for a missing network, a damaged archive, or an unusable folder.
    """
    from sagan_div.data import archives, digits, folder  # each needs a library of its own

    if dataset.folder is not None:
        return folder.load(Path(dataset.folder))
    if dataset.name == "digits":
        return digits.load()
    return archives.load(dataset.name, mirror, note)
