from pathlib import Path

import pytest
from made import make_all


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A tree in which every job of the tiny study has left its artefacts and its record."""
    monkeypatch.chdir(tmp_path)
    make_all()
    return tmp_path
