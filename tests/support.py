"""What tests import from each other: where things are, a tiny study, and how a command is run as a user would."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from sagan_div.study.adopt import adopt

ROOT = Path(__file__).resolve().parent.parent
OFFICIAL = ROOT.parent / "shared" / "datasets"
TINY = """\
study: tiny
datasets: [digits]
image_size: 16
width: 8
seeds: [0]
methods: [dcgan, sagan-div-d]
classifier: {epochs: 1}
train: {images: 1280, batch_size: 32, log_rows: 2, checkpoints: 1, rating_count: 64}
sample: {count: 128, batch_size: 64}
score: {extractors: [classifier], reference: {count: 200}, repeat_last_batch: [32], real_vs_real: {counts: [32, 100], draws: 2}}
"""
FULL = ROOT / "workflow" / "overlays" / "full.yaml"  # the paper's sizes, as a study of its own


class Run(subprocess.CompletedProcess[str]):
    """A finished command, with what it printed on stderr as one line where it failed."""

    @property
    def line(self) -> str:
        lines = self.stderr.strip().splitlines()
        assert len(lines) == 1, f"expected one line, found:\n{self.stderr}"
        return lines[0]


def command(*words: object, cwd: Path, timeout: float = 600, **environment: str) -> Run:
    """A command of the project's own environment, run as a user would."""
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    variables = {k: v for k, v in os.environ.items() if k != "SAGAN_DIV_MIRROR"} | {"PATH": path} | environment
    done = subprocess.run([str(w) for w in words], cwd=cwd, env=variables, capture_output=True, text=True, timeout=timeout)
    return Run(done.args, done.returncode, done.stdout, done.stderr)


def params_alone(folder: Path, *overlays: str) -> Path:
    """params.yaml in `folder`, with the YAML texts of `overlays` written into it, e.g. TINY as the study of record."""
    path = Path(shutil.copy(ROOT / "params.yaml", folder / "params.yaml"))
    with tempfile.TemporaryDirectory() as beside:
        for text in overlays:
            (Path(beside) / "overlay.yaml").write_text(text, encoding="utf-8")
            adopt(path, [Path(beside) / "overlay.yaml"])
    return path


def md5s(folder: Path) -> list[tuple[str, str]]:
    """The (file, MD5) pairs of a folder of archives, in torchvision's order."""
    names = [f"{part}-{kind}" for part in ("train", "t10k") for kind in ("images-idx3-ubyte.gz", "labels-idx1-ubyte.gz")]
    return [(name, hashlib.md5((folder / name).read_bytes()).hexdigest()) for name in names]
