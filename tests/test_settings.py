"""Settings in general: what is read, in which words it is refused, and the one text of equal settings."""

import json
import math
from typing import Annotated, Any, Literal

import pydantic
import pytest
from pydantic import Field

from sagan_div.errors import UserError
from sagan_div.settings import Settings, canonical, plain, read


class Hinge(Settings):
    name: Literal["hinge"]


class Smooth(Settings):
    name: Literal["smooth"]
    label: float = Field(ge=0.5, le=1)


class Recipe(Settings):
    loss: Annotated[Hinge | Smooth, Field(discriminator="name")]
    betas: tuple[Annotated[float, Field(ge=0, le=0.9)], Annotated[float, Field(ge=0, le=0.9)]]
    steps: int = Field(ge=1)
    batch_size: Annotated[int, Field(ge=1)] | None = None


class Whole(Settings):
    flag: bool
    words: str
    sizes: tuple[int, ...]
    recipes: dict[str, Recipe]


def value(**changes: Any) -> dict[str, Any]:
    recipe = {"loss": {"name": "smooth", "label": 1}, "betas": [0, 0.5], "steps": 3}
    return {"flag": True, "words": "a", "sizes": [1, 2], "recipes": {"r": recipe | changes}}


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"steps": "five"}, "recipes.r.steps: expected a whole number, found the text 'five'"),
        ({"steps": 2.5}, "recipes.r.steps: expected a whole number, found 2.5"),
        ({"steps": 2.0}, "recipes.r.steps: expected a whole number, found 2.0"),
        ({"steps": True}, "recipes.r.steps: expected a whole number, found true"),
        ({"steps": None}, "recipes.r.steps: expected a whole number, found nothing"),
        ({"steps": 0}, "recipes.r.steps: 0 is out of range; it must be at least 1"),
        ({"batch_size": 0}, "recipes.r.batch_size: 0 is out of range; it must be at least 1"),
        ({"step": 1}, "recipes.r.step: unknown key (did you mean 'steps'?); known here: batch_size, betas, loss, steps"),
        ({"betas": 1}, "recipes.r.betas: expected a list, found 1"),
        ({"betas": "12"}, "recipes.r.betas: expected a list, found the text '12'"),
        ({"betas": [0.5]}, "recipes.r.betas: expected 2 values, found 1"),
        ({"betas": [0.5, 0.5, 0.5]}, "recipes.r.betas: expected 2 values, found 3"),
        ({"betas": [0.5, 2]}, "recipes.r.betas[1]: 2 is out of range; it must be between 0 and 0.9"),
        ({"betas": [0.5, [[1]]]}, "recipes.r.betas[1]: expected a number, found [[1]]"),
        ({"betas": [0.5, math.nan]}, "recipes.r.betas[1]: expected a number, found nan"),
        ({"betas": [0.5, "0.5"]}, "recipes.r.betas[1]: expected a number, found the text '0.5'"),
        ({"loss": "hinge"}, "recipes.r.loss: expected keys with values, found the text 'hinge'"),
        ({"loss": None}, "recipes.r.loss: expected keys with values, found nothing"),
        ({"loss": {}}, "recipes.r.loss.name: nothing is none of hinge, smooth"),
        ({"loss": {"name": "hing"}}, "recipes.r.loss.name: the text 'hing' is none of hinge, smooth (did you mean 'hinge'?)"),
        ({"loss": {"name": ["hinge"]}}, "recipes.r.loss.name: ['hinge'] is none of hinge, smooth"),
        ({"loss": {"name": "hinge", "label": 1}}, "recipes.r.loss.label: unknown key; known here: name"),
        ({"loss": {"name": "smooth"}}, "recipes.r.loss.label: this key is missing"),
        ({"loss": {"name": "smooth", "label": 0}}, "recipes.r.loss.label: 0 is out of range; it must be between 0.5 and 1"),
        ({"steps": -(16**5000)}, "recipes.r.steps: a value of type int that is too large to show is out of range"),
        ({"steps": "a\nb" * 99}, "recipes.r.steps: expected a whole number, found the text 'a\\nba\\nb"),
    ],
)
def test_a_fault_is_one_line_with_its_key_and_what_was_found(changes: dict[str, Any], line: str) -> None:
    with pytest.raises(UserError) as caught:
        read(Whole, value(**changes), "")
    assert str(caught.value).startswith(line)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize(
    ("whole", "line"),
    [
        (None, "--settings: expected keys with values, found nothing"),
        ([1], "--settings: expected keys with values, found [1]"),
        ({3: 1}, "--settings.3: unknown key"),
        ({"words": 1, "flag": 2, "sizes": [], "recipes": {}}, "--settings.words: expected text, found 1"),
        ({"flag": 2, "words": 1, "sizes": [], "recipes": {}}, "--settings.flag: expected true or false, found 2"),
        ({"flagg": True, "words": 1}, "--settings.flagg: unknown key (did you mean 'flag'?)"),
        ({"words": "a"}, "--settings.flag: this key is missing"),
    ],
)
def test_the_first_fault_in_the_order_of_the_file_is_named(whole: object, line: str) -> None:
    with pytest.raises(UserError) as caught:
        read(Whole, whole, "--settings")
    assert str(caught.value).startswith(line)


def test_thousands_of_brackets_are_refused_in_one_line() -> None:
    nested: list[Any] = []
    for _ in range(3000):
        nested = [nested]
    with pytest.raises(UserError, match=r"^the whole: is nested too deeply$"):
        read(Whole, value(steps=nested))


def test_equal_settings_have_one_text_with_sorted_keys_and_without_what_was_left_out() -> None:
    found = read(Whole, value())
    turned = read(Whole, dict(reversed(value(batch_size=None).items())))
    recipe = '{"betas":[0.0,0.5],"loss":{"label":1.0,"name":"smooth"},"steps":3}'
    assert canonical(found) == f'{{"flag":true,"recipes":{{"r":{recipe}}},"sizes":[1,2],"words":"a"}}'
    assert found == turned
    assert canonical(found) == canonical(turned)
    assert plain(found) == json.loads(canonical(found))
    assert read(Whole, plain(found)) == found


def test_settings_are_frozen() -> None:
    with pytest.raises(pydantic.ValidationError, match="frozen"):
        read(Whole, value()).flag = False  # type: ignore[misc]
