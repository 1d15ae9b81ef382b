"""GPU slots of one machine: a job holds a slot of one device for as long as it lives, and sees no other device.

A slot is a file lock: the kernel frees it when the last process that holds it is gone, however it died, and a child that
outlives its parent keeps it. To be taken before PyTorch is imported, since CUDA reads CUDA_VISIBLE_DEVICES only once.
"""

import os
import platform
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from filelock import lock_descriptor

from sagan_div.errors import UserError

SHARE = "SAGAN_DIV_GPU_SHARE"  # in the environment: slots per device, for cells small enough to share one
PAUSE = 0.5  # seconds between two looks at slots that are all taken


def take(wanted: str, note: Callable[[str], None]) -> str | None:
    """Wait for a slot of one of the machine's devices and hold it until this process and its children have ended.

    Returns the device, or None where nothing is to be shared out: without a GPU, for a device that was chosen by name
    (`wanted` is not `auto` or `cuda`), and inside a Slurm job, whose device Slurm has chosen. Raises UserError where the
    folder of temporary files cannot hold locks.
    """
    devices = visible() if wanted in ("auto", "cuda") and "SLURM_JOB_ID" not in os.environ else []
    if not devices:
        return None
    share = _share()
    folder = _folder()
    device = _lock(folder, devices, share)
    if device is None:
        note(f"all {len(devices) * share} GPU slots of this machine are taken; waiting for one")
    while device is None:
        time.sleep(PAUSE)
        device = _lock(folder, devices, share)
    os.environ["CUDA_VISIBLE_DEVICES"] = device
    return device


def _folder() -> Path:
    """Where this machine's slots are. Machines that share the folder of temporary files share no device."""
    folder = Path(tempfile.gettempdir(), f"gpu-slots-{os.getuid()}-{platform.node()}")
    folder.mkdir(mode=0o700, exist_ok=True)
    return folder


def visible() -> list[str]:
    """The devices that this process may use: those of CUDA_VISIBLE_DEVICES, else all that the driver names."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is not None:
        return [name.strip() for name in named.split(",") if name.strip() not in ("", "-1")]
    try:  # by UUID, since the driver and CUDA may count in another order
        listed = subprocess.run(["nvidia-smi", "--query-gpu=uuid", "--format=csv,noheader"], capture_output=True, text=True)
    except OSError:
        return []
    return listed.stdout.split() if listed.returncode == 0 else []


def _share() -> int:
    text = os.environ.get(SHARE, "1")
    if not text.isdigit() or int(text) < 1:
        raise UserError(f"{SHARE}: '{text}' is no number of jobs per GPU; use 1 or more")
    return int(text)


def _lock(folder: Path, devices: Sequence[str], share: int) -> str | None:
    """Take a free slot: the first of every device before the second of any, so that jobs spread over the devices."""
    for slot in range(share):
        for device in devices:
            path = folder / f"{device.replace('/', '-')}-{slot}"
            try:
                if _held(path):
                    return device
            except OSError as error:
                raise UserError(
                    f"{path}: cannot be locked ({error.strerror}); set TMPDIR to a folder of this machine"
                ) from None
    return None


def _held(path: Path) -> bool:
    """Whether a slot is held now, by this process and its children: its descriptor is theirs too, and is never closed."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    if lock_descriptor(descriptor, blocking=False):  # `FileLock` would free it at this process's end, whoever is left
        os.set_inheritable(descriptor, True)
        return True
    os.close(descriptor)
    return False
