"""What a rule asks for follows from what such jobs took, grows with every try, and never falls below a floor."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from made import do, study
from snakemake.resources import Resources

from sagan_div.workflow import resources
from sagan_div.workflow.jobs import jobs
from sagan_div.workflow.kinds import KINDS
from sagan_div.workflow.layout import Layout

RUNTIMES = {"train": "train/{dataset}/{method}/seed{seed}", "classifier": "reference/{dataset}/domain-classifier"}


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def asked(kind: str, device: str = "cpu", attempt: int = 1, method: str = "dcgan", **named: object) -> dict[str, Any]:
    """What a rule asks for, under a profile that names a device and more."""
    settings = SimpleNamespace(
        _parsed_default_resources=Resources.from_mapping({"device": device, **named}), _parsed_overwrite_resources={}
    )
    workflow = SimpleNamespace(resource_settings=settings, executor_plugin=SimpleNamespace(name="slurm"))
    runtimes = Path("logs/main/runtimes") / f"{RUNTIMES[kind]}.jsonl"
    found = resources.asks(workflow, KINDS[kind], Layout(), runtimes)
    wildcards = {"dataset": "digits", "method": method, "seed": "0"}
    return {name: value(wildcards, attempt) if callable(value) else value for name, value in found.items()}


def amounts(kind: str, **given: Any) -> tuple[int, int]:
    """MB and minutes."""
    found = asked(kind, **given)
    return found["mem_mb"], found["runtime"]


def took(minutes: float, megabytes: object, method: str = "dcgan", device: str = "cpu") -> None:
    """A cell of a method as trained on a device, by its record and by Snakemake's benchmark file."""
    (job,) = (each for each in jobs(study()) if each.kind.name == "train" and each.about["method"] == method)
    for path in job.inputs.values():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    do(job)
    record = json.loads(job.record.read_text())
    job.record.write_text(json.dumps(record | {"seconds": 60 * minutes, "hardware": {"device": device}}))
    file = Path(f"logs/main/runtimes/train/digits/{method}/seed0.jsonl")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"s": 1.0, "max_rss": megabytes}) + "\n")


def test_where_nothing_is_known_it_is_a_guess_and_doubles_with_every_try_up_to_a_day_of_time() -> None:
    assert [amounts("train", attempt=attempt) for attempt in (1, 2, 3, 4)] == [
        (8192, 240),
        (16384, 480),
        (32768, 960),
        (65536, 1440),
    ]


def test_what_cells_of_the_method_took_counts_with_a_margin() -> None:
    took(100, 3000.5)
    took(10_000, 90_000, method="sngan")
    assert amounts("train") == (5120, 200)  # 1.5 x 3000.5 in whole GiB, 2 x 100
    assert amounts("train", attempt=2) == (9 * 1024, 400)
    assert amounts("classifier") == (8192, 240)


def test_there_is_a_floor_for_what_took_little() -> None:
    took(0.1, 10)
    assert amounts("train") == (2048, 10)


def test_a_cell_on_another_device_tells_nothing_of_time() -> None:
    took(100, 3000)
    assert amounts("train", device="cuda") == (5120, 240)
    assert amounts("train", device="'cuda:1'") == (5120, 240)


def test_an_estimate_counts_until_a_cell_was_trained() -> None:
    resources.save_estimate(Layout(), "cuda", {"dcgan": 30.0, "sngan": 300.0})
    resources.save_estimate(Layout(), "cpu", {"dcgan": 600.0})
    assert [amounts("train", device=device)[1] for device in ("cuda", "cpu")] == [60, 1200]
    assert amounts("train", device="cuda", method="sngan")[1] == 600
    took(100, 3000)
    assert [amounts("train", device=device)[1] for device in ("cuda", "cpu")] == [60, 200]


@pytest.mark.parametrize("damage", ["", "{", "[1]", '{"s": 1.0, "max_rss": "NA"}', "null", '"text"'])
def test_damaged_files_are_as_none(damage: str) -> None:
    took(100, 3000)
    for path in [*Path("logs").rglob("*.jsonl"), *Path("results/train").rglob("record.json")]:
        path.write_text(damage)
    resources.save_estimate(Layout(), "cpu", {})
    resources.estimate_path(Layout()).write_text(damage)
    assert amounts("train") == (8192, 240)


def test_amounts_that_a_profile_names_are_left_to_it() -> None:
    assert "mem_mb" not in asked("train", mem_mb=500)
    assert "runtime" not in asked("train", runtime=5)


def test_an_executor_that_was_asked_for_a_gpu_has_one_that_is_used() -> None:
    """Also under a profile of one's own that names no device."""
    assert resources.device({"gpu": 1}, remote=True) == "cuda"
    assert resources.device({"gpu": 0}, remote=True) == resources.device({"gpu": 1}, remote=False) == "auto"
    assert resources.device({"gpu": 1, "device": "cpu"}, remote=True) == "cpu"
