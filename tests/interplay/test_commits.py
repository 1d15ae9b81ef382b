"""Two commits of a real, small study, and what DVC says of them: the README shows the words of such a pair."""

import json
import re
from typing import Any

import pytest
from projects import EDITED, Project, start

from support import ROOT

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """HEAD differs from HEAD~1 in the critic steps of one method, and in what follows from them."""
    project = start(tmp_path_factory.mktemp("commits") / "project", computing=True)
    project.study(_small)
    project.repro()
    project.commit("Compute")
    project.study(lambda values: values["methods"]["sagan-div-d"].update(n_critic=1))
    assert project.repro() == {rule: 2 * count for rule, count in EDITED.items()} | {"report": 1}
    project.commit("Give SAGAN-div d one critic step")
    return project


def _small(values: dict[str, Any]) -> None:
    values |= {"image_size": 32, "width": 16, "seeds": [0, 1]}
    values["train"] |= {"images": 32000, "rating_count": 400, "checkpoints": 4}
    values["sample"] |= {"count": 1000}
    values["score"] |= {"repeat_last_batch": []}
    values["score"]["reference"] |= {"count": 1000}
    values["score"]["real_vs_real"] |= {"counts": [32, 96], "draws": 4}


@pytest.mark.parametrize("command", ["metrics show", "metrics diff HEAD~1", "params diff HEAD~1"])
def test_the_readme_shows_what_dvc_says(pair: Project, command: str) -> None:
    """Row by row and column by column; the numbers are those of another machine."""
    shown = (ROOT / "README.md").read_text().partition(f"$ dvc {command}\n")[2].partition("\n\n")[0].partition("```")[0]
    said = pair.run("dvc", *command.split()).stdout
    assert words(shown) == words(said)


def words(table: str) -> list[list[str]]:
    """The entries of each line but for numbers with a fraction, which rounding may change."""
    return [[word for word in line.split() if not re.fullmatch(r"-?\d+\.\d+", word)] for line in table.strip().splitlines()]


def test_the_plots_show_both_commits(pair: Project) -> None:
    plots = json.loads(pair.run("dvc", "plots", "diff", "HEAD~1", "--json").stdout)["data"]
    for name in ("FID", "FID during training", "Loss of the critic"):
        (drawn,) = plots[name]
        assert {row["rev"] for row in drawn["content"]["data"]["values"]} == {"HEAD~1", "workspace"}
    before, after = ([row for row in values(plots) if row["rev"] == rev] for rev in ("HEAD~1", "workspace"))
    moved = {row["method"] for row, other in zip(before, after, strict=True) if row["fid"] != other["fid"]}
    assert moved == {"sagan-div-d"}


def values(plots: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = plots["FID"][0]["content"]["data"]["values"]
    return found
