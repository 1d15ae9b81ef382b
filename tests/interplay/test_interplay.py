"""Snakemake and DVC agree: the everyday situations in which the plain marriage of the two records wrong numbers in silence.

The rules, records, commands and DVC are the real ones; only the computing is a stand-in whose numbers depend on all that the
real ones depend on. Every test says which jobs may run, and the metrics must be those of params.yaml.
"""

import json
import os
import re
import shutil
from pathlib import Path

import pytest
from projects import ALL, EDITED, Project, start

from sagan_div.study.adopt import adopt


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
        ("sample", {"draw": 2, "measure": 2, "report": 1}),
        ("score", {"statistics": 1, "measure": 2, "report": 1}),
    ],
)
def test_only_what_comes_after_an_edit_runs(project: Project, key: str, jobs: dict[str, int]) -> None:
    edits = {"sample": {"count": 99}, "score": {"reference": {"split": "train", "count": 99}}}
    project.study(lambda values: values[key].update(edits[key]))
    assert project.planned() == jobs
    assert project.compute() == jobs
    assert project.metrics() == project.right()


def test_an_adopted_overlay_is_what_both_tools_know(project: Project) -> None:
    """Written into params.yaml it is recorded by `dvc repro`; on the command line it is a study of its own, and never mixes."""
    overlay = project.path / "workflow/overlays/longer.yaml"
    overlay.write_text("study: longer\nmethods: {dcgan: {n_critic: 3}}\n")
    before = project.metrics()
    assert project.compute("--configfile", "workflow/overlays/longer.yaml")["cell"] == 2
    assert project.planned() == {}
    assert project.metrics() == before
    shutil.rmtree(project.path / "results/longer")
    adopt(project.path / "params.yaml", [overlay])
    assert project.repro() == EDITED
    assert project.metrics() == project.right() != before


def test_slow_methods_start_first_and_gpus_are_not_shared(project: Project) -> None:
    project.study(lambda values: values["train"].update(images=64))
    done = project.run("snakemake", "train", "--cores", "2", "--resources", "gpu=1", STANDIN_SECONDS="1")
    said = re.findall(r"train ([\w-]+) on digits|(Finished) jobid: \d+ \(Rule: cell", done.stdout + done.stderr)
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
    source = project.path / "src/sagan_div/losses.py"
    source.write_text(source.read_text() + "# another\n")
    assert project.jobs("dvc", "exp", "run", "--temp", "--name", "other") == {"cell": 2, "draw": 2, "measure": 2, "report": 1}
    project.run("dvc", "exp", "apply", "-q", "other")
    assert project.metrics() == project.right()


@pytest.mark.slow
def test_row_7_a_queue_of_two_side_by_side(project: Project) -> None:
    for rate in (0.3, 0.4):
        project.run("dvc", "exp", "run", "--queue", "--name", f"rate-{rate}", "-S", f"methods.dcgan.optimiser.lr_critic={rate}")
    project.run("dvc", "queue", "start", "-j", "2")
    for rate in (0.3, 0.4):
        log = project.run("dvc", "queue", "logs", "--follow", f"rate-{rate}")
        assert (log.stdout + log.stderr).count("(Rule: cell)") == 1
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
    assert project.repro() == {"cell": 4, "draw": 4, "measure": 4, "report": 1}
    assert project.metrics() == project.right()


def test_row_10_a_removed_method_leaves_nothing(project: Project) -> None:
    project.study(lambda values: values["methods"].pop("sagan-div-d"))
    assert project.repro() == {"report": 1}
    assert project.metrics() == project.right()
    assert not list((project.path / "results").rglob("*sagan-div-d*"))
    assert "sagan-div-d" not in project.run("dvc", "metrics", "show").stdout


def test_row_11_an_edited_source_file(project: Project) -> None:
    """Only what it shapes runs: a metric re-trains nothing; the distance that training rates its generators by does."""
    source, shared = (project.path / f"src/sagan_div/{name}.py" for name in ("metrics", "frechet"))
    source.write_text(source.read_text() + "# another\n")
    assert project.planned() == {"measure": 2, "report": 1}
    assert project.repro() == {"measure": 2, "report": 1}
    project.idle()
    shared.write_text(shared.read_text() + "# another\n")
    assert project.planned() == {"statistics": 1, "floor": 1, "cell": 2, "draw": 2, "measure": 2, "report": 1}


def test_row_12_lost_weights_come_from_the_cache_or_are_trained_again(project: Project) -> None:
    weights = project.path / "results/train/digits/dcgan/seed0/best.safetensors"
    weights.unlink()
    project.run("dvc", "checkout", "-q")
    project.idle()
    weights.unlink()
    assert project.repro() == {"cell": 1, "report": 1}  # bit for bit the same, so nothing else
    project.idle()


def test_a_damaged_artefact_is_made_again(project: Project) -> None:
    """With its old date and size: only its record knows."""
    weights = project.path / "results/train/digits/dcgan/seed0/best.safetensors"
    before = weights.stat()
    weights.write_text(weights.read_text()[::-1])
    os.utime(weights, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert project.repro()["cell"] == 1
    assert project.metrics() == project.right()


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
