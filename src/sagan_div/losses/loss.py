"""What every loss is: settings whose methods are the loss, and the penalty of those that have one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from sagan_div.settings import Settings

if TYPE_CHECKING:  # a study is read without torch
    from torch import Tensor, nn

Critic = Callable[["Tensor"], "Tensor"]  # images [N, C, H, W] -> scores [N]
Pair = tuple["Tensor", "Tensor"]  # of real and of generated images


class Penalty(NamedTuple):
    """A term of the critic's loss, and the mean norm of the gradients that it is of, for the history."""

    value: Tensor
    gradient_norm: Tensor


class Loss(Settings, ABC):
    """What both networks minimise. Higher scores mean "real" throughout.

    A loss is a subclass with `name: Literal[...]` in a module of its own in this package. Scores are [N], losses [].
    """

    name: str

    @abstractmethod
    def critic(self, real: Tensor, fake: Tensor) -> Tensor:
        """The critic's loss of its scores of real and of generated images, without a penalty."""

    @abstractmethod
    def generator(self, fake: Tensor) -> Tensor:
        """The generator's loss of the critic's scores of its images."""

    def tracked(self, real: Tensor, fake: Tensor) -> Pair:
        """The images as the critic sees them: leaves of the graph where a penalty takes the gradient at them."""
        return real.detach(), fake.detach()

    def penalty(self, critic: Critic, images: Pair, scores: Pair, mix: Tensor) -> Penalty | None:
        """The penalty, differentiable in the critic's weights, or None for a loss without one.

        `images` are those of `tracked`, `scores` what the critic made of them; `mix` [N] is drawn from U(0, 1).
        """
        return None

    def after_update(self, critic: nn.Module) -> None:
        """What else happens to the critic's weights after each of its updates: here nothing. Reads no tensor's value."""
