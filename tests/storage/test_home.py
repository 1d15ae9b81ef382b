"""A bucket's study brought home, and a training that one working folder begins and another one ends, through Snakemake."""

import hashlib
import os
import signal
import subprocess
from pathlib import Path

import pytest
from buckets import FOLDER, Objects, WorkingFolder
from projects import Project, _user, environment, start, wait_for

pytestmark = pytest.mark.slow
STATES = "states"  # a folder of the bucket, beside the study's


def home_of(folder: WorkingFolder, path: Path) -> Project:
    """The same study in another folder, with git and DVC and without a bucket in its profile."""
    folder.checkout(path)
    home = Project(path)
    home.run("git", "init", "-q")
    _user(home).commit("start")
    return home


def download(home: Project, objects: Objects) -> str:
    place = f"s3://{objects.bucket}/{FOLDER}"
    done = home.run("sagan-div", "download", place, PYTHONPATH="src", AWS_ENDPOINT_URL=objects.url)
    assert "test" not in done.stderr.replace("/test/", "")  # the key
    return done.stderr


def test_what_was_brought_home_is_up_to_date_for_snakemake_and_dvc(fresh: WorkingFolder, tmp_path: Path) -> None:
    home = home_of(fresh, tmp_path / "home")
    assert "0 of" not in download(home, fresh.objects)
    assert home.planned() == {}
    home.run("dvc", "commit", "-q", "-f")
    assert home.repro() == {}  # DVC has recorded what is there, and runs nothing
    home.idle()
    home.commit("brought home")
    fresh.objects.put("results/stranger.txt", b"of no job")
    assert download(home, fresh.objects).startswith("0 of ")
    home.faster()
    assert home.repro()
    assert "dcgan" in home.run("dvc", "metrics", "diff", "HEAD").stdout


def trained(path: Path, objects: Objects | None) -> Project:
    """A project that really trains two cells, and saves their states five times a second."""
    start(path, computing=True)
    project = Project(path) if objects is None else WorkingFolder(path, objects)._with_profile()
    loop = path / "src/sagan_div/training/loop.py"
    loop.write_text(loop.read_text().replace("SAVE_EVERY = 60.0", "SAVE_EVERY = 0.2"))
    project.study(lambda values: values.update(train=values["train"] | {"images": 16_000, "rating_count": 64}))
    if objects:
        profile = path / "workflow/profiles/bucket/profile.yaml"
        profile.write_text(profile.read_text() + f"default-resources:\n  state: s3://{objects.bucket}/{STATES}\n")
    return project


def digests(folder: Path) -> dict[str, str]:
    cells = [path for path in folder.glob("results/train/*/*/*/*") if path.name != "record.json"]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in cells}


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_what_one_working_folder_began_another_ends_bit_for_bit(s3: str, tmp_path: Path, number: signal.Signals) -> None:
    objects = Objects.new(s3)
    words = ("train", "--quiet", "rules", "--cores", "1", "--config", "methods=[dcgan]")
    first = trained(tmp_path / "first", objects)
    profile = ("--profile", "workflow/profiles/bucket")
    run = subprocess.Popen(["snakemake", *words, *profile], cwd=first.path, env=environment(), start_new_session=True)
    wait_for(lambda: run.poll() is not None or any("state.safetensors" in key for key in keys(objects)), 600)
    os.killpg(run.pid, number)
    run.wait()
    assert not objects.names("results/train/")
    second = trained(tmp_path / "second", objects)
    second.run("snakemake", *words)
    log = objects.get("logs/main/train/digits/dcgan/seed0.log").decode()
    assert "the saved state is taken from there" in log
    assert not any(key.startswith(STATES) for key in keys(objects))
    undisturbed = trained(tmp_path / "undisturbed", None)
    undisturbed.run("snakemake", *words)
    made = {name: digest for name, digest in objects.digests().items() if name.startswith("results/train/")}
    assert made == digests(undisturbed.path)


def keys(objects: Objects) -> list[str]:
    found = objects._s3.list_objects_v2(Bucket=objects.bucket).get("Contents", [])
    return [entry["Key"] for entry in found]
