"""scikit-learn's 1,797 handwritten digits of 8x8 pixels and 17 grey levels."""

import numpy as np

from sagan_div.data.images import Split, divided


def load() -> dict[str, Split]:
    """Both splits; a seeded fifth is the test split."""
    from sklearn.datasets import load_digits  # slow to import

    digits = load_digits()
    images = np.rint(digits.images * (255 / 16)).astype(np.uint8)[:, None]
    return divided(images, digits.target.astype(np.int64))
