"""Datasets by name: published archives, scikit-learn's digits, or a folder of images."""

from collections.abc import Callable

from sagan_div.data.folders import reading
from sagan_div.data.folders.reading import Reading
from sagan_div.data.images import Split
from sagan_div.study.datasets import DatasetConfig


def load(dataset: DatasetConfig, mirror: str | None, note: Callable[[str], None]) -> dict[str, Split]:
    """The `train` and `test` splits of a dataset, as `read` has them."""
    return read(dataset, mirror, note).splits


def read(dataset: DatasetConfig, mirror: str | None, note: Callable[[str], None]) -> Reading:
    """The `train` and `test` splits of a dataset, and what there is to say of them.

    `mirror` (a folder or URL, else the environment's SAGAN_DIV_MIRROR) holds the archives of MNIST and Fashion-MNIST under
    `mnist/` and `fashion-mnist/`. Raises UserError for a missing network, a damaged archive, or an unusable folder.
    """
    from sagan_div.data import archives, digits  # each needs a library of its own

    if dataset.folder is not None:
        return reading.read(dataset.name, dataset.folder)
    return Reading(digits.load() if dataset.name == "digits" else archives.load(dataset.name, mirror, note))
