"""Attention forms: a module of this package each, under the name that a method gives, and imported where it is chosen.

Each module has `make(channels)`, which returns a `dot_product.Attention`.
"""

import pkgutil
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # names and modules are known without torch
    from sagan_div.models.dot_product import Attention


def names() -> list[str]:
    """Of all forms."""
    return sorted(entry.name for entry in pkgutil.iter_modules(__path__))


def module(name: str) -> str:
    """The import path of a form's module."""
    return f"{__name__}.{name}"


def make(name: str, channels: int) -> "Attention":
    """A form's module for maps of so many channels."""
    form: Attention = import_module(module(name)).make(channels)
    return form
