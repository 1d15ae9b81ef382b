"""The digest of a folder of images: of the bytes that are used, and of nothing else."""

import json
import os
from pathlib import Path

import pytest

from sagan_div import contents, remembered
from sagan_div.contents import digest


@pytest.fixture
def birds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of two images, of which one lies behind a linked folder."""
    monkeypatch.chdir(tmp_path)
    for place, content in (("store/a.png", b"one"), ("birds/b.jpg", b"two")):
        path = tmp_path / place
        path.parent.mkdir()
        path.write_bytes(content)
    (tmp_path / "birds" / "linked").symlink_to(tmp_path / "store")
    return tmp_path / "birds"


def test_what_is_no_image_does_not_count(birds: Path) -> None:
    before = digest(birds)
    for name in (".DS_Store", "README.txt", "linked/.hidden.png", "__MACOSX/b.jpg", ".thumbnails/b.jpg"):
        (birds / name).parent.mkdir(exist_ok=True)
        (birds / name).write_text("no image of ours")
    (birds / "b.jpg").touch()
    assert digest(birds) == before


def test_bytes_and_names_count_behind_links_too(birds: Path) -> None:
    found = [digest(birds)]
    (birds.parent / "store" / "a.png").write_bytes(b"eno")
    found.append(digest(birds))
    (birds / "b.jpg").rename(birds / "c.jpg")
    found.append(digest(birds))
    (birds / "linked").unlink()
    found.append(digest(birds))
    (birds / os.fsdecode(b"\xff\n.png")).write_bytes(b"three")
    found.append(digest(birds))
    assert len(set(found)) == len(found)


def test_where_the_folder_lies_does_not_count(birds: Path) -> None:
    before = digest(birds)
    assert digest(birds.rename(birds.with_name("moved"))) == before
    assert digest(birds) == digest(birds.with_name("nowhere"))


def kept() -> dict[str, tuple[list[int], str]]:
    (path,) = remembered.FOLDER.glob("*.json")
    found: dict[str, tuple[list[int], str]] = json.loads(path.read_text())
    return found


def test_a_large_folder_is_read_once(birds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = digest(birds)
    assert not remembered.FOLDER.exists()  # a small one is read each time
    monkeypatch.setattr(contents, "LARGE", 0)
    assert digest(birds) == before
    assert not remembered.FOLDER.exists()  # a file that changed a moment ago may change again within its time of change
    monkeypatch.setattr(remembered, "SETTLED", 0)
    assert digest(birds) == before
    (path,) = remembered.FOLDER.glob("*.json")
    path.write_text(path.read_text().replace(kept()["b.jpg"][1], "0" * 64))
    assert digest(birds) != before  # what is remembered is taken
    path.write_text('{"b.jpg": 7')
    assert digest(birds) == before  # and made anew where it is damaged


def test_a_file_of_the_same_size_and_date_is_another_one(birds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "LARGE", 0)
    monkeypatch.setattr(remembered, "SETTLED", 0)
    before, dated = digest(birds), (birds / "b.jpg").stat()
    (birds / "b.jpg").write_bytes(b"owt")
    os.utime(birds / "b.jpg", ns=(dated.st_atime_ns, dated.st_mtime_ns))
    assert digest(birds) != before


def test_nothing_is_remembered_where_nothing_can_be_written(birds: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = digest(birds)
    monkeypatch.setattr(contents, "LARGE", 0)
    Path("scratch").write_text("a file in the way")
    assert digest(birds) == before
