"""history.csv, held to pandas' own writer and reader."""

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
import torch

from sagan_div.models.networks import Shape
from sagan_div.study.load import load
from sagan_div.training import history
from sagan_div.training.state import Run, begin
from support import ROOT, train_settings

STUDY = load(ROOT / "params.yaml", sets=["datasets=[digits]", "image_size=16", "width=8", "latent=16"])


def run_with(rows: int, method: str = "sagan-div-a") -> Run:
    """A run whose history has floats of every size, whole numbers, and numbers that are not there."""
    run = begin(train_settings(STUDY, method), Shape(16, 1, 8, 16), torch.device("cpu"))
    random = np.random.default_rng(0)
    names = history.columns(run)
    for row in range(1, rows + 1):
        floats = {name: float(random.normal() * 10.0 ** random.integers(-20, 20)) for name in names}
        counts = {"images": 40 * row, "critic_updates": 5 * row, "generator_updates": row}
        run.history.append(floats | counts | {"gradient_norm": math.nan, "fid": math.nan if row % 2 else 1.0})
    return run


@pytest.mark.parametrize("rows", [0, 1, 200])
def test_it_has_the_bytes_that_pandas_writes(rows: int) -> None:
    run = run_with(rows)
    assert history.text(run) == pd.DataFrame(run.history, columns=history.columns(run)).to_csv(index=False)


@pytest.mark.parametrize("value", [0.1, 1e-05, 1e16, 1e22, 5e-324, 1.0, -0.0, math.inf, 2, 123456789012, math.nan])
def test_numbers_are_written_as_pandas_writes_them(value: float) -> None:
    row = dict.fromkeys(history.COLUMNS, value)
    run = SimpleNamespace(history=[row], generator=torch.nn.Sequential())
    assert history.text(run) == pd.DataFrame([row], columns=history.COLUMNS).to_csv(index=False)  # type: ignore[arg-type]


def test_what_is_read_back_is_what_was_written() -> None:
    run = run_with(50)
    lines = history.text(run).splitlines()
    for line, row in zip(lines[1:], run.history, strict=True):
        found = [float(cell) if cell else math.nan for cell in line.split(",")]
        np.testing.assert_array_equal(found, [row[name] for name in lines[0].split(",")])


def test_the_weights_of_attention_are_its_last_columns() -> None:
    assert history.columns(run_with(0))[-2:] == ["gamma_1", "gamma_2"]
    assert history.columns(run_with(0, "dcgan")) == list(history.COLUMNS)
