"""What a result was made with: versions, hardware, commit. Recorded beside every artefact, never compared."""

import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch

from sagan_div import __version__

PACKAGES = ("torch", "torchvision", "numpy", "scipy", "pytorch-fid", "snakemake", "dvc")
MADE = (":(exclude)results", ":(exclude)dvc.lock")  # what a run itself leaves in git


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that shape the numbers, where they are installed."""
    found = {"python": platform.python_version(), "sagan-div": __version__}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def hardware(device: torch.device) -> dict[str, Any]:
    """The device, the processor's name, and the threads in use."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else _processor()
    return {"device": device.type, "processor": name, "threads": torch.get_num_threads()}


def commit() -> str | None:
    """The commit of the working tree, with `+` where what makes results has changes since; None outside git."""
    try:
        head, changed = _git("rev-parse", "HEAD"), _git("status", "--porcelain", "--untracked-files=no", "--", ".", *MADE)
    except (OSError, subprocess.CalledProcessError):
        return None
    return head + ("+" if changed else "")


def _git(*words: str) -> str:
    return subprocess.run(["git", *words], capture_output=True, text=True, check=True).stdout.strip()


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()
