"""How a measure is named outside of its feature space: in results/metrics, and where results are compared.

A name without a space is of the classifier's features, `_inception` names the other space, so that no name ever changes its
meaning from one commit to the next.
"""

UNNAMED = "classifier"  # every study has this feature space, to rate generators by


def key(measure: str, extractor: str) -> str:
    """A measure's name in a feature space."""
    return measure if extractor == UNNAMED else f"{measure}_{extractor}"
