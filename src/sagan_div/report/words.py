"""Numbers and lists in words."""

import math
import re
from collections.abc import Sequence


def number(value: float | None, decimals: int = 2) -> str:
    """A measured number; a dash where there is none."""
    if value is None or math.isnan(value):
        return "–"
    return ("∞" if value > 0 else "−∞") if math.isinf(value) else f"{value:,.{decimals}f}".replace("-", "−")


def percent(share: float | None) -> str:
    """A signed share, `−7.6 %`."""
    return "–" if share is None or math.isnan(share) else f"{100 * share:+.1f} %".replace("-", "−")


def listed(names: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def marked(text: str, marks: str) -> str:
    """A number or a name, and beside it what its runs are marked with."""
    return f"{text} ({marks})" if marks else text


def counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def spelt(count: int) -> str:
    """A small number in words, `none` for 0."""
    words = ("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
    return words[count] if count < len(words) else f"{count:,}"


def are(count: int) -> str:
    return "is" if count == 1 else "are"


def duration(seconds: float | None) -> str:
    """`2 h 5 min`, `3 min 20 s` or `41 s`."""
    if seconds is None or math.isnan(seconds):
        return "–"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours:,} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def sentence(text: str) -> str:
    """Text with a capital and a full stop."""
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")


def without_folders(text: str) -> str:
    """A reason without the folders of the machine that gave it, so that equal results give equal reports everywhere."""
    return re.sub(r"(?<![\w./:])/(?:[^\s/:;,()]+/)+", "", text)
