"""What is due in a bucket, as seen from a fresh checkout: what is there, how large it is, and what the records say."""

import json

import pytest
from buckets import WorkingFolder
from projects import CELL_JOBS, EDITED

TRAINED = "results/train/digits/dcgan/seed0"


def test_a_fresh_checkout_has_nothing_to_do_where_the_bucket_has_all(fresh: WorkingFolder) -> None:
    fresh.idle()
    assert not [path for name in ("results", "data") for path in fresh.path.glob(f"{name}/**/*.json")]


def test_a_fresh_checkout_with_another_setting_runs_what_it_touches(fresh: WorkingFolder) -> None:
    fresh.faster()
    assert fresh.planned() == EDITED


def test_an_object_that_is_cut_or_lost_is_made_again(fresh: WorkingFolder) -> None:
    name = f"{TRAINED}/last.safetensors"
    fresh.objects.put(name, fresh.objects.get(name)[:-1])
    assert fresh.planned() == EDITED


@pytest.mark.slow
def test_scores_that_were_swapped_are_made_again(fresh: WorkingFolder) -> None:
    """Their sizes are the same: only their bytes tell."""
    first, second = (f"results/score/digits/{method}/seed0/metrics.json" for method in ("dcgan", "sagan-div-d"))
    for name, content in zip((first, second), [fresh.objects.get(name) for name in (second, first)], strict=True):
        fresh.objects.put(name, content)
    assert fresh.planned() == {"score_cell": 2, "report": 1}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (f"{TRAINED}/history.csv", EDITED),
        (f"{TRAINED}/record.json", EDITED),
        ("results/sample/digits/dcgan/seed0/grid.png", {"sample_cell": 1, "score_cell": 1, "report": 1}),
        ("results/report.html", {"report": 1}),
        ("results/report.record.json", {"report": 1}),
        ("data/digits/test/labels.npy", None),
    ],
)
def test_a_lost_object_is_made_again(fresh: WorkingFolder, name: str, expected: dict[str, int] | None) -> None:
    everything = dict.fromkeys(("fetch_data", "train_classifier", "reference_statistics", "real_vs_real", "report"), 1)
    fresh.objects.delete(name)
    assert fresh.planned() == (everything | dict.fromkeys(CELL_JOBS, 2) if expected is None else expected)


@pytest.mark.slow
@pytest.mark.parametrize("damage", ["{", "", "[]", "{}"])
def test_a_record_that_is_none_makes_its_job_due(fresh: WorkingFolder, damage: str) -> None:
    fresh.objects.put(f"{TRAINED}/record.json", damage.encode())
    assert fresh.planned() == EDITED


@pytest.mark.slow
def test_an_artefact_that_was_made_from_another_is_stale(fresh: WorkingFolder) -> None:
    name = f"{TRAINED}/record.json".replace("train", "sample")
    record = json.loads(fresh.objects.get(name))
    record["inputs"]["best"] = "0" * 64
    fresh.objects.put(name, json.dumps(record).encode())
    assert fresh.planned() == {"sample_cell": 1, "score_cell": 1, "report": 1}


@pytest.mark.slow
def test_other_code_runs_the_jobs_that_use_it(fresh: WorkingFolder) -> None:
    fresh.edit("training/loop.py")
    assert fresh.planned() == dict.fromkeys(CELL_JOBS, 2) | {"report": 1}


@pytest.mark.slow
def test_a_bucket_that_cannot_be_read_ends_the_plan_with_one_line(fresh: WorkingFolder) -> None:
    profile = fresh.path / "workflow/profiles/bucket/profile.yaml"
    profile.write_text(profile.read_text().replace(fresh.objects.url, "http://127.0.0.1:9"))
    done = fresh.run("snakemake", "-n", status=2)
    last = done.stderr.splitlines()[-1]
    assert last.startswith(f"snakemake: s3://{fresh.objects.bucket}/some/folder: cannot be listed (")
    assert "Traceback" not in done.stderr
