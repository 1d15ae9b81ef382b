"""Norms: a module of this package each, under the name that a method gives, and imported where it is chosen.

Each module has `make(channels)`, which returns the layer with its initial parameters.
"""

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # names and modules are known without torch
    from torch import nn


def names() -> list[str]:
    """Of all norms."""
    return sorted(entry.name for entry in pkgutil.iter_modules(__path__))


def module(name: str) -> str:
    """The import path of a norm's module."""
    return f"{__name__}.{name}"


def make(name: str, channels: int) -> "nn.Module":
    """A norm's layer for maps of so many channels."""
    layer: nn.Module = import_module(module(name)).make(channels)
    return layer
