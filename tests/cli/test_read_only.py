"""A clone that cannot be written: one line that names the path, whatever the command."""

import shutil
import subprocess
from pathlib import Path

import pytest

from support import ROOT, command, params_alone

READ_ONLY = 'mount --bind . . && mount -o remount,ro,bind . && cd "$PWD" && exec "$@"'
CHECKPOINT = "results/train/digits/dcgan/seed0/best.safetensors"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    namespace = ["unshare", "--mount", "--map-root-user", "true"]
    if not shutil.which("unshare") or subprocess.run(namespace, capture_output=True).returncode:
        pytest.skip("this system does not let a process have mounts of its own")
    params_alone(tmp_path)
    shutil.copytree(ROOT / "workflow", tmp_path / "workflow")
    (tmp_path / CHECKPOINT).parent.mkdir(parents=True)
    (tmp_path / CHECKPOINT).write_bytes(b"of unknown origin")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "named"),
    [
        ("prune", CHECKPOINT),
        ("data --set datasets=[digits]", "scratch/main/locks/data-digits.lock"),
        ("fingerprint", "workflow/code.json"),
        ("adopt workflow/overlays/demo.yaml", "params.yaml"),
    ],
)
def test_what_cannot_be_written_is_named(clone: Path, words: str, named: str) -> None:
    line = ["unshare", "--mount", "--map-root-user", "bash", "-c", READ_ONLY, "bash", "sagan-div", *words.split()]
    done = command(*line, cwd=clone, PYTHONDONTWRITEBYTECODE="1")
    assert done.returncode == 2
    assert done.line.startswith(f"sagan-div: {named}: ")
    assert "Read-only file system" in done.line
    assert (clone / CHECKPOINT).is_file()
