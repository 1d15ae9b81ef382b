"""FID (Heusel et al. 2017, arXiv 1706.08500): the Fréchet distance of generated features to the reference."""

from collections.abc import Iterator

from sagan_div.evaluation.comparison import Comparison


def measure(given: Comparison) -> Iterator[float]:
    yield given.distance(given.moments(given.fake, given.reference.extractor), given.reference)
