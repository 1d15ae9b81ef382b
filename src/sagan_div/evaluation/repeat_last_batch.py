"""FID as the first author's public code would have had it: of one mini-batch, written again and again."""

from collections.abc import Iterator

import numpy as np

from sagan_div.errors import UserError
from sagan_div.evaluation.comparison import Comparison
from sagan_div.evaluation.real_vs_real import blockwise

DRAWS = 10  # at most: of few images a single one says little


def measure(given: Comparison) -> Iterator[float | None]:
    """Mean and standard deviation over draws for each number of distinct images; None where a side has too few of them.

    Raises UserError where it has too few for any of the numbers.
    """
    assert given.repeated is not None
    fake, real, counts = given.repeated.fake, given.repeated.real, given.repeated.counts
    if min(len(fake), len(real)) < min(counts):
        fewest = min(len(fake), len(real))
        raise UserError(f"the author's sampler writes {min(counts)} images or more, and there are {fewest} on one side")
    for count in counts:
        fids = blockwise(real, fake, count, DRAWS, "repeat-last-batch")
        yield float(np.mean(fids)) if fids else None
        yield float(np.std(fids, ddof=1)) if len(fids) > 1 else None
