"""The machine that a command computes on: its device, its threads, and arithmetic that repeats itself."""

import os
from typing import TYPE_CHECKING

from sagan_div.errors import UserError

if TYPE_CHECKING:
    import torch


def use_threads(threads: int | None) -> None:
    """The same bits from every run: deterministic algorithms, and a number of threads that is chosen.

    NumPy's and SciPy's too: the root of covariances without full rank differs in the eighth digit between 1 and 2 threads.
    """
    import scipy.linalg  # noqa: F401 (only libraries that are loaded can be limited)
    import torch
    from threadpoolctl import threadpool_limits

    if threads is not None:
        torch.set_num_threads(threads)
        threadpool_limits(threads, "blas")
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # without it, matrix products on CUDA may vary from run to run
    torch.use_deterministic_algorithms(True)
    # filling memory that is written anyway would take a tenth of the time
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def find_device(name: str) -> "torch.device":
    """The device of a name. Raises UserError where this machine has no such device."""
    import torch

    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UserError(f"--device {name}: unknown; use auto, cpu, cuda or cuda:N") from None
    if device.type not in ("cpu", "cuda"):
        raise UserError(f"--device {name}: only cpu and cuda are supported")
    if device.type == "cuda":
        _require_cuda(name, device.index or 0)
    return device


def _require_cuda(name: str, index: int) -> None:
    """Refuse a CUDA device that is not there: a job on the CPU in its place would take weeks for hours."""
    import torch

    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if index < count:
        return
    if torch.version.cuda is None and torch.version.hip is None:
        why = f"PyTorch {torch.__version__} is built without CUDA; install its CUDA build"
    elif count:
        why = f"this machine offers PyTorch {count} CUDA devices, from cuda:0"
    else:
        why = "PyTorch finds no CUDA device on this machine; ask for a node with a GPU"
    raise UserError(f"--device {name}: {why}, or compute on the CPU with --device cpu (`device: cpu` in a Snakemake profile)")
