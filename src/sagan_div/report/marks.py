"""Runs that show nothing are marked wherever their numbers stand. This is the rule, by three signs.

- *Faint, alike or of one class*: contrast below FAINT or variety below ALIKE, shares of real images'
  (`evaluation.contrast`), or fewer than CLASSES classes by the classifier, as an effective number (exponential of entropy).
- *Near its start*: FID at NEAR of plain grey's or above. Untrained generators draw grey: on MNIST at 1.00 to 1.08 of it.

A run with both signs, or with a FID no better than plain grey's, has `not left its start`. One that is faint or alike, or of
one class at FAR of grey's FID or above, has `collapsed`. One whose record says so has `diverged`.

The thresholds lie between what was seen at 32x32 (FID as a share of plain grey's: 340 on MNIST, 161 on Fashion-MNIST):

| samples | FID | contrast | variety | classes |
| --- | --- | --- | --- | --- |
| grey squares: SNGAN | 1.03, 0.79 | 0.08, 0.14 | 0.08, 0.13 | 1.0, 1.2 |
| one pattern: variant b | 0.85, 0.81 | 0.28, 0.28 | 0.10, 0.12 | 1.0, 1.0 |
| uniform noise | 0.69, 0.66 | 1.0, 0.9 | 1.2, 1.0 | 1.0, 2.0 |
| real images of a single class | 0.33 to 0.88 | 0.7 to 1.1 | 0.57 to 0.97 | 1.0 to 1.8 |
| the weakest that draw, on MNIST: d, WGAN-div | 0.22, 0.28 | 0.55, 0.80 | 0.51, 0.78 | 1.2, 1.8 |
| real images | 0.00 | 1.0 | 1.0 | 10 |

Classes alone would mark d on MNIST: the classifier takes half-bright strokes for eights, whose FID is far from the start's.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

DIVERGED, AT_START, COLLAPSED = "diverged", "not left its start", "collapsed"
FAINT, ALIKE = 0.4, 0.25  # of real images' contrast and variety
CLASSES = 2.0  # effective; where real images have twice as many
NEAR, FAR = 0.7, 0.3  # of plain grey's FID


@dataclass(frozen=True)
class Signs:
    """What is known of a run's samples, NaN where it is not: FID, that of plain grey, the first rating of the run, which stands
    in where grey's is not recorded, contrast and variety, and effective numbers of classes."""

    fid: float = math.nan
    grey: float = math.nan
    first: float = math.nan
    contrast: float = math.nan
    variety: float = math.nan
    classes: float = math.nan
    real_classes: float = math.nan


def mark(signs: Signs) -> str:
    """AT_START, COLLAPSED, or nothing."""
    start = signs.first if math.isnan(signs.grey) else signs.grey
    share = signs.fid / start if start > 0 else math.nan
    faint = signs.contrast < FAINT or signs.variety < ALIKE
    single = signs.classes < CLASSES <= signs.real_classes / 2
    if (share >= NEAR and (faint or single)) or signs.fid >= signs.grey:
        return AT_START
    return COLLAPSED if faint or (single and not share < FAR) else ""


def effective(histogram: Sequence[int]) -> float:
    """How many classes a histogram comes to if they were equally frequent: the exponential of its entropy; NaN of none."""
    total = sum(histogram)
    shares = [count / total for count in histogram if count] if total else []
    return math.exp(-sum(share * math.log(share) for share in shares)) if shares else math.nan


def in_words(marks: Sequence[str]) -> str:
    """The marks of a method's runs, one entry for each: `collapsed` where all have it, else `1 of 3 collapsed`."""
    found = {each: list(marks).count(each) for each in (DIVERGED, AT_START, COLLAPSED) if each in marks}
    return ", ".join(each if count == len(marks) else f"{count} of {len(marks)} {each}" for each, count in found.items())


RULE = (
    f"Marks: not left its start, where FID is at {NEAR:.0%} of plain grey’s or above and samples are faint (contrast below "
    f"{FAINT:.0%} of real images’), alike (variety below {ALIKE:.0%}) or of fewer than {CLASSES:g} classes by the classifier, "
    f"or where FID is no better than plain grey’s; collapsed, where they are faint, alike, or of so few classes at {FAR:.0%} "
    "of plain grey’s FID or above; diverged, where training ended in numbers that are not finite."
)
