"""The documents keep to the words of docs/style.md."""

import re
from pathlib import Path

import pytest

from support import ROOT
from test_documents import CODE, TEXTS

STYLE = ROOT / "docs/style.md"
ROWS = re.findall(r"^\| (`.*?`) \|", STYLE.read_text(encoding="utf-8"), re.MULTILINE)
BANNED = [word for row in ROWS for word in re.findall(r"`(.+?)`", row)]
WORDS = re.compile(rf"\b({'|'.join(map(re.escape, BANNED))})\b", re.IGNORECASE)


def banned(text: str) -> list[str]:
    """The words of a document, but for its code, that another is to stand for."""
    return [found[0] for found in WORDS.finditer(CODE.sub("", text))]


@pytest.mark.parametrize("document", [path for path in TEXTS if path != STYLE], ids=lambda path: str(path.relative_to(ROOT)))
def test_a_document_keeps_to_the_words_of_the_style_page(document: Path) -> None:
    assert banned(document.read_text(encoding="utf-8")) == []


def test_the_list_is_read_and_code_is_left_alone() -> None:
    assert len(BANNED) > 15
    assert banned("Whoever simply runs `just` one thread,\n```sh\nroom\n```\nmakes Room.") == ["Whoever", "simply", "Room"]
