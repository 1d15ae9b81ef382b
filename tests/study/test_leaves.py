"""No key of params.yaml is masked: set by any door, each changes what a job is given, or is refused in one line."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.hydra import apply_overrides
from ruamel.yaml import YAML
from snakemake.cli import parse_config

from sagan_div.errors import UserError
from sagan_div.settings import canonical
from sagan_div.study.load import load
from sagan_div.study.schema import Study
from sagan_div.workflow.jobs import jobs as jobs_of
from support import ROOT

PARAMS = ROOT / "params.yaml"
CHOICES: dict[str, list[Any]] = {
    "protocol": ["code"],
    "image_size": [64],
    "name": ["hinge", "wasserstein-divergence"],
    "points": ["both"],
    "norm": ["none", "batch"],
    "spectral": ["none", "all"],
    "bias": ["none", "all"],
    "attention": ["none", "wang"],
    "norm_from": [1, 2],
    "generator_latents": ["same"],
    "engine": ["eager"],
    "precision": ["bfloat16"],
    "checkpoints": [10],  # a divisor of log_rows
    "select": ["last"],
    "mode": ["exact"],
    "split": ["test"],
    "extractors": [["inception", "classifier"]],
}
OF_THE_REPORT = {"study", "protocol"}  # what no other job is given


def leaves(value: Any, key: str = "") -> dict[str, Any]:
    if not isinstance(value, dict):
        return {key: value}
    return {name: leaf for part, entry in value.items() for name, leaf in leaves(entry, f"{key}.{part}".strip(".")).items()}


LEAVES = leaves(YAML(typ="safe").load(PARAMS))


def other(key: str, value: Any) -> Any:
    """Another value that the key may have."""
    for choice in CHOICES.get(key.rpartition(".")[2], []):
        if choice != value:
            return choice
    match value:
        case bool():
            return not value
        case int():
            return 2 * value or 1
        case float():
            return value / 2 if value > 1 else 0.75 * value
        case [float(), float()]:
            return [0.25, 0.75]
    return value[:1] if isinstance(value, list) else "other"


def given(study: Study) -> tuple[set[str], str]:
    """What the jobs of a study are given: all but the report, and the report, which is given the study."""
    jobs = jobs_of(study)
    return {f"{job.kind} {canonical(job.settings)}" for job in jobs}, canonical(study)


def flow(value: Any) -> str:
    if isinstance(value, list):
        return f"[{','.join(map(flow, value))}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def by_set(key: str, text: str, _: Path) -> Study:
    return load(PARAMS, sets=[f"{key}={text}"])


def by_config(key: str, text: str, _: Path) -> Study:
    """As Snakemake reads `--config`."""
    first, *parts = key.split(".")
    for part in reversed(parts):
        text = f"{{{part}: {text}}}"
    return load(PARAMS, layer=parse_config([f"{first}={text}"]))


def by_dvc(key: str, text: str, folder: Path) -> Study:
    """As `dvc exp run -S` edits the file."""
    path = Path(shutil.copy(PARAMS, folder / "params.yaml"))
    apply_overrides(path, [f"{key}={text}"])
    return load(path)


DOORS = {by_set, by_config, by_dvc}


@pytest.fixture(scope="module")
def of_record() -> tuple[set[str], str]:
    return given(load(PARAMS))


def test_every_leaf_is_walked() -> None:
    assert len(LEAVES) > 150
    assert {"study", "image_size", "train.images", "methods.sagan-div-d.optimiser.betas", "seeds"} <= set(LEAVES)


@pytest.mark.parametrize("key", LEAVES)
def test_a_leaf_set_by_any_door_changes_a_job_or_is_refused(key: str, tmp_path: Path, of_record: tuple[set[str], str]) -> None:
    text, refusals, studies = flow(other(key, LEAVES[key])), {}, set()
    for door in DOORS:
        try:
            found = door(key, text, tmp_path)
        except UserError as error:
            refusals[door] = str(error)
            continue
        jobs, report = given(found)
        assert report != of_record[1], f"{key}={text} changes nothing"
        assert jobs != of_record[0] or key in OF_THE_REPORT, f"{key}={text} changes no job"
        studies.add(report)
    assert len(studies) <= 1, f"{key}={text} is read differently"
    refused = DOORS if key.endswith(".name") else {by_dvc} if key == "study" else set()  # another loss needs other keys
    assert refusals.keys() <= refused
    for line in refusals.values():
        assert key.rpartition(".")[0] in line
        assert "\n" not in line
