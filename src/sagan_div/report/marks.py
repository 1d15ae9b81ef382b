"""Runs that show nothing are marked wherever their numbers stand. This is the rule.

`not left its start`, which is grey or noise: contrast below FAINT and FID at NEAR of plain grey's or above; or grain above
GRAIN; or a FID no better than plain grey's. Untrained generators draw grey: on MNIST their FIDs are 1.00 to 1.08 of its.
`collapsed`: contrast below FAINT, or variety below ALIKE, or fewer than CLASSES classes by the classifier (exponential of the
histogram's entropy) at FAR of plain grey's FID or above. `diverged`: the record says so.

Contrast, variety and grain are shares of real images' (`evaluation.contrast`). The thresholds lie between what was seen at
32x32 (two numbers: MNIST, Fashion-MNIST; FID as a share of plain grey's, 340 and 161), and serve the digits at 16x16 as well:

| samples | FID | contrast | variety | grain | classes |
| --- | --- | --- | --- | --- | --- |
| grey squares: SNGAN | 1.03, 0.79 | 0.08, 0.14 | 0.08, 0.13 | 0.1, 0.2 | 1.0, 1.2 |
| one pattern: variant b | 0.85, 0.81 | 0.28, 0.28 | 0.10, 0.12 | 0.3, 0.2 | 1.0, 1.0 |
| uniform noise | 0.69, 0.66 | 1.0, 0.9 | 1.2, 1.0 | 2.9, 3.3 | 1.0, 2.0 |
| real images of a single class | 0.33 to 0.88 | 0.7 to 1.1 | 0.57 to 0.97 | - | 1.0 to 1.8 |
| the weakest that draw, on MNIST: d, WGAN-div | 0.22, 0.28 | 0.55, 0.80 | 0.51, 0.78 | 0.5, 0.8 | 1.2, 1.8 |
| real images | 0.00 | 1.0 | 1.0 | 1.0 | 10 |

Classes alone would mark d on MNIST: the classifier takes half-bright strokes for eights, whose FID is far from the start's.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

DIVERGED, AT_START, COLLAPSED = "diverged", "not left its start", "collapsed"
FAINT, ALIKE, GRAIN = 0.4, 0.25, 1.7  # of real images' contrast, variety and grain
CLASSES = 2.0  # effective; where real images have twice as many
NEAR, FAR = 0.7, 0.3  # of plain grey's FID


@dataclass(frozen=True)
class Signs:
    """What is known of a run's samples, NaN where it is not: FID, that of plain grey, the first rating of the run, which stands
    in where grey's is not recorded, contrast, variety and grain, and effective numbers of classes."""

    fid: float = math.nan
    grey: float = math.nan
    first: float = math.nan
    contrast: float = math.nan
    variety: float = math.nan
    grain: float = math.nan
    classes: float = math.nan
    real_classes: float = math.nan


def mark(signs: Signs) -> str:
    """AT_START, COLLAPSED, or nothing."""
    start = signs.first if math.isnan(signs.grey) else signs.grey
    share = signs.fid / start if start > 0 else math.nan
    single = signs.classes < CLASSES <= signs.real_classes / 2
    faint = single if math.isnan(signs.contrast) else signs.contrast < FAINT
    if signs.grain > GRAIN or (faint and share >= NEAR):
        return AT_START
    if signs.contrast < FAINT or signs.variety < ALIKE or (single and not share < FAR):
        return COLLAPSED
    return AT_START if signs.fid >= signs.grey else ""


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
    f"Marks: not left its start, where contrast is below {FAINT:.0%} of real images’ and FID at {NEAR:.0%} of plain grey’s or "
    f"above, where grain is above {GRAIN:.0%} of real images’ (noise), or where FID is no better than plain grey’s; collapsed, "
    f"where contrast is below {FAINT:.0%} or variety below {ALIKE:.0%} of real images’, or where the classifier sees fewer "
    f"than {CLASSES:g} classes at {FAR:.0%} of plain grey’s FID or above; diverged, where training ended in numbers that are "
    "not finite."
)
