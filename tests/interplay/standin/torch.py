"""As much of PyTorch as the command line asks for: the stand-in computes nothing, so jobs need not wait for the real one."""

import types
from typing import Any

utils = types.SimpleNamespace(deterministic=types.SimpleNamespace())
__version__ = "0+cpu"
version = types.SimpleNamespace(cuda=None, hip=None)
cuda = types.SimpleNamespace(is_available=lambda: False, device_count=lambda: 0)


def device(name: str) -> Any:
    return types.SimpleNamespace(type=name, index=None)


def set_num_threads(_: int) -> None:
    pass


def use_deterministic_algorithms(_: bool) -> None:
    pass
