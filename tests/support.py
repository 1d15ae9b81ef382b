"""What tests import from each other: where things are, a tiny study, and how a command is run as a user would."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from sklearn.datasets import load_digits
from torch import Tensor, nn

from sagan_div.evaluation.spaces.classifier import Classifier
from sagan_div.evaluation.spaces.classifier_training import train_classifier
from sagan_div.study.adopt import adopt
from sagan_div.study.job_settings import TrainSettings
from sagan_div.study.schema import ClassifierConfig, Study

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


def train_settings(study: Study, method: str, dataset: str = "digits", seed: int = 0) -> TrainSettings:
    """What the training of one cell is given."""
    shape = {"image_size": study.image_size, "width": study.width, "latent": study.latent}
    recipe = study.methods[method]
    return TrainSettings(dataset=dataset, method=method, seed=seed, **shape, recipe=recipe, train=study.train)


PROJECT = (  # the project's own files, as far as a study needs them
    *("params.yaml", "dvc.yaml", "Snakefile", "workflow", "profiles", "config", "src"),
    *(".dvc/config", ".dvc/plots", ".dvcignore", ".gitignore", ".gitattributes"),
)


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


def copy_project(folder: Path) -> Path:
    """A copy of the project's own files, to run studies in and to edit."""
    skip = shutil.ignore_patterns("__pycache__", "*.egg-info")
    for name in PROJECT:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target, ignore=skip) if source.is_dir() else shutil.copy(source, target)
    return folder


def md5s(folder: Path) -> list[tuple[str, str]]:
    """The (file, MD5) pairs of a folder of archives, in torchvision's order."""
    names = [f"{part}-{kind}" for part in ("train", "t10k") for kind in ("images-idx3-ubyte.gz", "labels-idx1-ubyte.gz")]
    return [(name, hashlib.md5((folder / name).read_bytes()).hexdigest()) for name in names]


def digits(size: int = 16) -> tuple[Tensor, Tensor]:
    """scikit-learn's digits as uint8 images [1797, 1, size, size], shuffled, with their labels."""
    found = load_digits()
    order = np.random.default_rng(0).permutation(len(found.target))
    images = torch.from_numpy(found.images[order, None] * 15).float()
    larger = nn.functional.interpolate(images, size=(size, size), mode="bilinear", align_corners=False)
    return larger.round().to(torch.uint8), torch.from_numpy(found.target[order])


def trained(images: Tensor, labels: Tensor | None, epochs: int = 2, seed: int = 0) -> tuple[Classifier, float]:
    """A classifier of the first three quarters, and its accuracy on the rest."""
    split = len(images) * 3 // 4
    parts = (None, None) if labels is None else (labels[:split], labels[split:])
    settings = ClassifierConfig(epochs=epochs, seed=seed)
    return train_classifier(images[:split], parts[0], images[split:], parts[1], settings, "cpu", lambda text: None)


def as_folder(images: np.ndarray, path: Path) -> Path:
    """Images [N, 1, S, S] as PNGs in a new folder."""
    path.mkdir()
    for i, image in enumerate(images):
        Image.fromarray(image.squeeze()).save(path / f"{i:05}.png")
    return path


def pytorch_fid(weights: Path, *words: object) -> str:
    """What the pytorch-fid command prints, with one thread."""
    environment = os.environ | {"TORCH_HOME": str(weights.parents[2]), "OMP_NUM_THREADS": "1"}
    line = [sys.executable, "-m", "pytorch_fid", "--device", "cpu", "--num-workers", "0", *map(str, words)]
    return subprocess.run(line, env=environment, capture_output=True, text=True, check=True).stdout
