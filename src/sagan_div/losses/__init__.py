"""The losses, a module of this package each: whoever adds a module has added a loss.

`AnyLoss` is the type of the key `loss` in a study: settings of whichever loss `name` names. Imports no torch.
"""

import pkgutil
from collections.abc import Iterator
from functools import reduce
from importlib import import_module
from operator import or_
from typing import TYPE_CHECKING, Annotated, get_args

from pydantic import Field

from sagan_div.losses.loss import Loss


def _found() -> Iterator[tuple[str, type[Loss]]]:
    """Every loss that a module of this package defines, with its name, in the order of the modules' names."""
    for path in sorted(f"{__name__}.{entry.name}" for entry in pkgutil.iter_modules(__path__)):
        for kind in vars(import_module(path)).values():
            if isinstance(kind, type) and issubclass(kind, Loss) and kind.__module__ == path and kind is not Loss:
                (name,) = get_args(kind.model_fields["name"].annotation)
                yield name, kind


LOSSES: dict[str, type[Loss]] = dict(_found())

if TYPE_CHECKING:
    AnyLoss = Loss
else:
    AnyLoss = Annotated[reduce(or_, LOSSES.values()), Field(discriminator="name")]


def module(name: str) -> str:
    """The import path of a loss's module."""
    return LOSSES[name].__module__
