"""Snakemake and DVC agree: the everyday situations in which the plain marriage of the two records wrong numbers in silence.

The rules, records, commands and DVC are the real ones; only the computing is a stand-in whose numbers depend on all that the
real ones depend on. Every test says which jobs may run, and the metrics must be those of params.yaml.
"""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from projects import ALL, CELL_JOBS, EDITED, Project, environment, start, wait_for


@pytest.fixture(scope="session")
def computed(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Commit X: the small study, computed by `dvc repro`, committed and pushed."""
    project = start(tmp_path_factory.mktemp("interplay") / "project")
    assert project.repro() == ALL
    project.commit("X")
    project.run("git", "tag", "X")
    project.run("dvc", "push", "-q")
    project.idle()
    return project


@pytest.fixture(scope="session")
def twice(computed: Project, tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Commit Y on top of X: one edit in place (row 1), computed, committed and pushed."""
    project = computed.copy(tmp_path_factory.mktemp("interplay") / "project")
    project.faster()
    assert project.planned() == EDITED
    assert project.repro() == EDITED
    assert project.metrics() == project.right() != computed.right()
    project.commit("Y")
    project.run("dvc", "push", "-q")
    return project


@pytest.fixture
def project(computed: Project, tmp_path: Path) -> Project:
    return computed.copy(tmp_path / "project")


@pytest.fixture
def pair(twice: Project, tmp_path: Path) -> Project:
    return twice.copy(tmp_path / "project")


def test_row_1_an_edit_in_place(pair: Project) -> None:
    pair.idle()


def test_commits_are_compared_by_row_and_by_leaf(pair: Project) -> None:
    """Between X and Y one learning rate differs: one row of metrics, one leaf of parameters, and every plot is drawn."""
    metrics = json.loads(pair.run("dvc", "metrics", "diff", "X", "--json").stdout)
    assert set(metrics) == {"results/metrics/digits/dcgan.json"}
    leaves = json.loads(pair.run("dvc", "params", "diff", "X", "--json").stdout)
    assert leaves == {"params.yaml": {"methods.dcgan.optimiser.lr_critic": {"old": 0.0002, "new": 0.5, "diff": 0.4998}}}
    plots = json.loads(pair.run("dvc", "plots", "diff", "X", "--json").stdout)["data"]
    assert plots["FID"][0]["content"]["facet"]["row"]["field"] == "dataset"
    assert set(plots) == {"FID", "FID during training", "Loss of the critic"}


def test_the_profile_of_correctness_is_always_used(project: Project) -> None:
    """Snakemake finds it by itself; without it, files above 1 MB are judged by their dates."""
    for words in ([], ["--profile", "profiles/ci"]):
        said = project.run("snakemake", "-n", *words)
        assert "workflow specific profile profiles/default" in said.stdout + said.stderr


def test_what_is_the_same_reruns_nothing(project: Project) -> None:
    """Another order of keys, another way to write a number."""
    params = project.path / "params.yaml"
    project.study(lambda values: values.update({key: values.pop(key) for key in sorted(values)}))
    params.write_text(params.read_text().replace("0.0002", "2e-04"))
    assert "2e-04" in params.read_text()
    assert project.planned() == {}
    assert project.repro() == {}


@pytest.mark.parametrize(
    ("key", "jobs"),
    [
        ("sample", {"sample_cell": 2, "score_cell": 2, "report": 1}),
        ("score", {"reference_statistics": 1, "score_cell": 2, "report": 1}),
    ],
)
def test_only_what_comes_after_an_edit_runs(project: Project, key: str, jobs: dict[str, int]) -> None:
    edits = {"sample": {"count": 99}, "score": {"reference": {"split": "train", "count": 99}}}
    project.study(lambda values: values[key].update(edits[key]))
    assert project.planned() == jobs
    assert project.compute() == jobs
    assert project.metrics() == project.right()


def test_an_overlay_is_a_study_of_its_own_until_it_is_adopted(project: Project) -> None:
    """On the command line it is a study beside, and never mixes; adopted into params.yaml, `dvc repro` records it."""
    overlay = project.path / "workflow/overlays/longer.yaml"
    overlay.write_text("study: longer\nmethods: {dcgan: {n_critic: 3}}\n")
    before = project.metrics()
    assert project.compute("--configfile", "workflow/overlays/longer.yaml")["train_cell"] == 2
    project.idle()
    assert project.metrics() == before
    shutil.rmtree(project.path / "results/longer")
    project.run("sagan-div", "adopt", "workflow/overlays/longer.yaml", PYTHONPATH="src")
    assert project.repro() == EDITED
    assert project.metrics() == project.right() != before
    project.idle()


@pytest.mark.parametrize("words", [("dvc", "repro"), ("snakemake", "-n"), ("dvc", "exp", "run", "-S", "study=other")])
def test_the_study_of_record_keeps_its_name(project: Project, words: tuple[str, ...]) -> None:
    """Under another name its results would be elsewhere, and those that DVC knows would be lost."""
    before = project.metrics()
    project.study(lambda values: values.update(protocol="code", study="main" if "exp" in words else "other"))
    refused = project.run(*words, status=None)
    assert refused.returncode != 0
    assert "study: the text 'other' is not 'main', the study of record" in refused.stdout + refused.stderr
    assert "Traceback" not in refused.stderr
    assert project.metrics() == before


def test_slow_methods_start_first_and_gpus_are_not_shared(project: Project) -> None:
    project.study(lambda values: values["train"].update(images=64))
    done = project.run("snakemake", "train", "--cores", "2", "--resources", "gpu=1", STANDIN_SECONDS="1")
    said = re.findall(
        r"^Job \d+: train digits ([\w-]+) seed|(Finished) jobid: \d+ \(Rule: train_cell", done.stdout + done.stderr, re.M
    )
    assert [method or finished for method, finished in said] == ["sagan-div-d", "Finished", "dcgan", "Finished"]


def test_row_2_back_and_forth_over_commits(pair: Project) -> None:
    for commit in ("X", "-"):
        pair.run("git", "checkout", "-q", commit)
        pair.run("dvc", "checkout", "-q")
        pair.idle()


def test_row_3_files_of_another_commit(pair: Project) -> None:
    """Snakemake remembers X, the files are those of Y, params.yaml says X."""
    results = ("data", "results")
    aside = pair.path.with_name("aside")
    for name in results:
        shutil.copytree(pair.path / name, aside / name)
    pair.run("git", "checkout", "-q", "X")
    pair.run("dvc", "checkout", "-q")
    for name in results:
        shutil.rmtree(pair.path / name)
        shutil.copytree(aside / name, pair.path / name)
    by_hand = pair.copy(pair.path.with_name("by-hand"))
    assert by_hand.planned() == EDITED
    assert by_hand.compute() == EDITED
    assert by_hand.metrics() == by_hand.right()
    assert pair.repro() == EDITED
    pair.idle()


def test_rows_4_and_5_a_fresh_clone_is_idle_until_an_edit(computed: Project, tmp_path: Path) -> None:
    clone = computed.clone(tmp_path / "clone")
    clone.run("dvc", "pull", "-q")
    clone.idle()
    clone.faster()
    assert clone.repro() == EDITED
    clone.idle()


def test_row_6_an_experiment_in_a_folder_of_its_own(project: Project) -> None:
    before = project.metrics()
    jobs = project.jobs("dvc", "exp", "run", "--temp", "--name", "faster", "-S", "methods.dcgan.optimiser.lr_critic=0.5")
    assert jobs == EDITED
    assert project.metrics() == before
    project.run("dvc", "exp", "apply", "-q", "faster")
    assert project.metrics() == project.right() != before
    assert project.planned() == {}


def test_row_6_an_experiment_runs_the_source_that_it_was_started_with(project: Project) -> None:
    """The results are checked out after the source, so no date tells that it is another."""
    project.edit("training/loop.py")
    jobs = project.jobs("dvc", "exp", "run", "--temp", "--name", "other")
    assert jobs == dict.fromkeys(CELL_JOBS, 2) | {"report": 1}
    project.run("dvc", "exp", "apply", "-q", "other")
    assert project.metrics() == project.right()


@pytest.mark.slow
def test_row_7_a_queue_of_two_side_by_side(project: Project) -> None:
    for rate in (0.3, 0.4):
        project.run("dvc", "exp", "run", "--queue", "--name", f"rate-{rate}", "-S", f"methods.dcgan.optimiser.lr_critic={rate}")
    project.run("dvc", "queue", "start", "-j", "2")
    for rate in (0.3, 0.4):
        log = project.run("dvc", "queue", "logs", "--follow", f"rate-{rate}")
        assert (log.stdout + log.stderr).count("(Rule: train_cell)") == 1
        project.run("dvc", "exp", "apply", "-q", f"rate-{rate}")
        assert project.metrics() == project.right()


@pytest.mark.parametrize("kind", ["hardlink", pytest.param("symlink", marks=pytest.mark.slow)])
def test_row_8_links_into_the_cache_are_refused(project: Project, kind: str) -> None:
    project.run("dvc", "config", "--local", "cache.type", kind)
    project.run("dvc", "checkout", "-q", "--relink")
    project.faster()
    cache = {file: file.read_bytes() for file in (project.path / ".dvc/cache").rglob("*") if file.is_file()}
    for words in (["dvc", "repro"], ["snakemake", "--cores", "2"]):
        refused = project.run(*words, status=None)
        assert refused.returncode != 0
        assert "is a link into a cache" in refused.stderr
    assert {file: file.read_bytes() for file in cache} == cache
    project.run("dvc", "config", "--local", "cache.type", "reflink,copy")
    project.run("dvc", "checkout", "-q", "--relink")
    assert project.repro() == EDITED
    assert project.metrics() == project.right()


def test_row_9_new_seeds_keep_the_old_one(project: Project) -> None:
    project.study(lambda values: values.update(seeds=[0, 1, 2]))
    assert project.repro() == {"train_cell": 4, "sample_cell": 4, "score_cell": 4, "report": 1}
    assert project.metrics() == project.right()


def test_row_10_a_removed_method_leaves_nothing(project: Project) -> None:
    project.study(lambda values: values["methods"].pop("sagan-div-d"))
    assert project.repro() == {"report": 1}
    assert project.metrics() == project.right()
    assert not list((project.path / "results").rglob("*sagan-div-d*"))
    assert "sagan-div-d" not in project.run("dvc", "metrics", "show").stdout


def test_row_11_an_edited_source_file(project: Project) -> None:
    """Only what it shapes runs: a metric re-trains nothing; the distance that training rates its generators by does."""
    project.edit("evaluation/kid.py")
    scored = {"score_cell": 2, "report": 1}
    assert project.planned() == scored
    assert project.repro() == scored
    project.idle()
    project.edit("evaluation/frechet.py")
    assert project.planned() == {"reference_statistics": 1, "real_vs_real": 1, **dict.fromkeys(CELL_JOBS, 2), "report": 1}


def test_row_11_a_comment_reruns_nothing(project: Project) -> None:
    for path in (project.path / "src/sagan_div").rglob("*.py"):
        path.write_text(path.read_text() + "\n# a comment\n")
    project.run("sagan-div", "fingerprint", "--check", PYTHONPATH="src")
    project.idle()


def test_row_12_lost_weights_come_from_the_cache_or_are_trained_again(project: Project) -> None:
    weights = project.path / "results/train/digits/dcgan/seed0/best.safetensors"
    weights.unlink()
    project.run("dvc", "checkout", "-q")
    project.idle()
    weights.unlink()
    assert project.repro() == {"train_cell": 1, "report": 1}  # bit for bit the same, so nothing else
    project.idle()


def test_a_damaged_artefact_is_made_again(project: Project) -> None:
    """With its old date and size: only its record knows."""
    weights = project.path / "results/train/digits/dcgan/seed0/best.safetensors"
    before = weights.stat()
    weights.write_text(weights.read_text()[::-1])
    os.utime(weights, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert project.repro()["train_cell"] == 1
    assert project.metrics() == project.right()


@pytest.mark.parametrize("name", ["history.csv", "last.safetensors"])
def test_snakemake_alone_sees_what_was_replaced_by_a_file_of_its_size_and_date(project: Project, name: str) -> None:
    path = project.path / "results/train/digits/dcgan/seed0" / name
    before = path.stat()
    path.write_text(path.read_text()[::-1])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert project.compute() == EDITED
    assert project.planned() == {}
    assert project.metrics() == project.right()


def test_a_path_with_a_colon_runs_the_package_that_lies_there(project: Project, tmp_path: Path) -> None:
    """PATH and PYTHONPATH take a colon for the end of a folder's name."""
    there = project.copy(tmp_path / "a:b" / "project")
    there.edit("training/loop.py")
    assert there.compute() == dict.fromkeys(CELL_JOBS, 2) | {"report": 1}
    assert there.metrics() == there.right()


def test_snakemake_alone_makes_a_damaged_artefact_again(project: Project) -> None:
    """Metrics of two methods swapped with their dates kept: neither run nor report may take them for what they are not."""
    first, second = (project.path / f"results/score/digits/{name}/seed0/metrics.json" for name in ("dcgan", "sagan-div-d"))
    texts, dates = [path.read_text() for path in (first, second)], first.stat()
    for path, text in zip((first, second), reversed(texts), strict=True):
        path.write_text(text)
        os.utime(path, ns=(dates.st_atime_ns, dates.st_mtime_ns))
    refused = project.run("snakemake", "--report", "page.html", status=None)
    assert refused.returncode != 0
    assert "metrics.json is not what it was when it was made" in refused.stderr
    assert project.planned() == {"score_cell": 2, "report": 1}
    assert project.compute() == {"score_cell": 2, "report": 1}
    assert project.metrics() == project.right()


@pytest.mark.parametrize("shift", [1e6, -1e6])
def test_results_copied_to_another_clone_are_up_to_date(project: Project, tmp_path: Path, shift: float) -> None:
    """Without Snakemake's memory, all of them older or newer than the sources."""
    clone = project.clone(tmp_path / "clone")
    for name in ("data", "results"):
        shutil.copytree(project.path / name, clone.path / name, dirs_exist_ok=True)
    for path in (path for name in ("data", "results") for path in (clone.path / name).rglob("*") if path.is_file()):
        os.utime(path, (path.stat().st_mtime + shift,) * 2)
    assert clone.planned() == {}
    clone.run("dvc", "commit", "-q", "-f")
    clone.idle()


def test_files_dated_in_the_future_cost_no_result(project: Project) -> None:
    for path in (project.path / "data").rglob("*.npy"):
        os.utime(path, (path.stat().st_mtime + 1e6,) * 2)
    project.faster()
    assert project.compute() == EDITED
    assert project.metrics() == project.right()


def test_settings_edited_while_a_phase_runs_are_not_recorded_as_used(project: Project) -> None:
    """DVC reads params.yaml again when a stage ends, and would note the new text beside the old results."""
    project.study(lambda values: values.update(protocol="code"))
    (project.path / "edit.sh").write_text("sleep 4; sed -i 's/^protocol: code/protocol: text/' params.yaml\n")
    stage = project.path / "dvc.yaml"
    before = stage.read_text()
    stage.write_text(before.replace("- snakemake report", "- bash edit.sh & snakemake report"))
    failed = project.run("dvc", "repro", status=None, REPRO_PROFILE="profiles/ci", STANDIN_SECONDS="5")
    assert failed.returncode != 0
    assert "report: it was made with other settings: protocol code -> text" in failed.stdout + failed.stderr
    stage.write_text(before)
    assert project.repro() == {"report": 1}
    project.idle()


def test_dvc_repro_beside_a_running_snakemake_deletes_nothing(project: Project) -> None:
    project.faster()
    words = ["snakemake", "--cores", "2", "--quiet", "rules"]
    with subprocess.Popen(words, cwd=project.path, env=environment(STANDIN_SECONDS="4"), stderr=subprocess.DEVNULL) as running:
        wait_for(lambda: any((project.path / ".snakemake/locks").glob("*")))
        before = {path for path in (project.path / "results").rglob("*") if path.is_file()}
        refused = project.run("dvc", "repro", status=None, REPRO_PROFILE="profiles/ci")
        assert refused.returncode != 0
        assert "snakemake is at work in this folder" in refused.stderr
        assert {path for path in before if not path.exists() and "dcgan" not in str(path)} == set()
        assert running.wait() == 0
    assert project.metrics() == project.right()


def test_another_study_leaves_the_study_of_record_as_it_is(project: Project) -> None:
    (project.path / "other.yaml").write_text("study: other\nseeds: [1]\n")
    assert project.compute("--configfile", "other.yaml")["train_cell"] == 2
    project.idle()
    assert project.run("git", "status", "--porcelain").stdout.split("\n")[0] == "?? other.yaml"


def test_line_endings_of_a_checkout_change_nothing(project: Project, tmp_path: Path) -> None:
    project.run("git", "clone", "-q", "-c", "core.autocrlf=true", project.path, tmp_path / "clone")
    clone = Project(tmp_path / "clone")
    shutil.copy(project.path / ".dvc/config.local", clone.path / ".dvc/config.local")
    clone.run("dvc", "pull", "-q")
    clone.idle()


def test_snakemake_alone_needs_no_memory_of_its_own(project: Project) -> None:
    """Without its metadata it takes whatever lies there for done; the records know better."""
    shutil.rmtree(project.path / ".snakemake")
    project.faster()
    assert project.planned() == EDITED
    assert project.compute() == EDITED
    assert project.metrics() == project.right()
    shutil.rmtree(project.path / ".snakemake")
    project.study(lambda values: values["methods"].pop("sagan-div-d"))
    assert project.compute() == {"report": 1}
