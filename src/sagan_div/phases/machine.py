"""What jobs run on."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

About = dict[str, Any]  # what a job says of itself in its record


@dataclass(frozen=True)
class Machine:
    """What a job runs on, and where it may fetch from. No result depends on it but for rounding, so no record compares it."""

    device: torch.device
    mirror: str | None = field(default=None, repr=False)  # a folder or URL, which may hold a password
    optional: bool = False  # whether Inception's weights may be lacking
    tensorboard: Path | None = None  # where TensorBoard looks for trainings that run
    dvclive: Path | None = None  # and where DVC's views do
    state: str | None = field(default=None, repr=False)  # a folder or bucket that keeps the saved state of trainings as well
