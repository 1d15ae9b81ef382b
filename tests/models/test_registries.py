"""Norms and attention forms: what a study may name is what there is, and what is not chosen is not imported."""

import importlib
import subprocess
import sys
from types import ModuleType
from typing import get_args

import pytest
from torch import nn

from sagan_div.models import attention, dot_product, norms
from sagan_div.study.schema import CriticConfig, GeneratorConfig
from support import ROOT


def choices(*fields: object) -> set[str]:
    return {choice for field in fields for choice in get_args(field.annotation)} - {"none"}  # type: ignore[attr-defined]


def test_a_study_can_name_every_norm_and_every_attention_form() -> None:
    generator, critic = GeneratorConfig.model_fields, CriticConfig.model_fields
    assert set(norms.names()) == choices(generator["norm"], critic["norm"])
    assert set(attention.names()) == choices(generator["attention"])


@pytest.mark.parametrize("registry", [norms, attention], ids=["norms", "attention"])
def test_every_entry_is_made_by_the_module_of_its_name(registry: ModuleType) -> None:
    for name in registry.names():
        assert registry.module(name) == f"{registry.__name__}.{name}"
        made = importlib.import_module(registry.module(name)).make(8)
        assert type(made) is type(registry.make(name, 8))
        assert isinstance(made, dot_product.Attention if registry is attention else nn.Module)


def loaded(code: str) -> list[str]:
    """What a process has loaded after some code: torch, entries of the registries, and what attention forms share."""
    words = [sys.executable, "-c", f"import sys\n{code}\nprint(*sys.modules)"]
    done = subprocess.run(words, env={"PYTHONPATH": str(ROOT / "src")}, capture_output=True, text=True, check=True)
    entries = tuple(f"{registry.__name__}." for registry in (norms, attention))
    return sorted(name for name in done.stdout.split() if name in ("torch", dot_product.__name__) or name.startswith(entries))


def test_what_a_method_does_not_choose_is_not_imported() -> None:
    assert loaded("from sagan_div.models import attention, norms; attention.names(), norms.module('batch')") == []
    build = (
        "from pathlib import Path; from sagan_div.models.networks import Shape, build; from sagan_div.study.load import load;"
        f"study = load(Path({str(ROOT / 'params.yaml')!r})); build(study.methods['{{}}'], Shape(16, 1, 8, 8), 0)"
    )
    assert loaded(build.format("dcgan")) == ["sagan_div.models.norms.batch", "torch"]
    assert loaded(build.format("sagan-div-b")) == ["sagan_div.models.attention.sagan", "sagan_div.models.dot_product", "torch"]
