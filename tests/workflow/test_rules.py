"""What Snakemake plans, that both tools agree on a real, tiny study, and that nothing is done twice."""

import json
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
import yaml

from sagan_div.study.load import load
from sagan_div.workflow.kinds import KINDS
from support import ROOT, TINY, as_folder, command, copy_project

METHODS = len(load(ROOT / "params.yaml").methods)


def planned(*words: str, cwd: Path = ROOT) -> dict[str, int]:
    """The job counts of a dry run, without the rules that only gather."""
    done = command("snakemake", "-n", "--quiet", "rules", *words, cwd=cwd)
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in (done.stdout + done.stderr).splitlines()]
    gather = ("total", "all", "study")
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit() and row[0] not in gather}


def test_the_plan_has_a_job_for_every_cell_and_phase(project: Path) -> None:
    counts = planned("--configfile", "workflow/overlays/full.yaml", cwd=project)
    expected = {
        **dict.fromkeys(("train_cell", "sample_cell", "score_cell"), 2 * METHODS * 3),
        **dict.fromkeys(("fetch_data", "train_classifier"), 2),
        **dict.fromkeys(("reference_statistics", "real_vs_real"), 4),
        "fetch_weights": 1,
        "report": 1,
    }
    assert counts.items() >= expected.items()  # and those of further phases


def test_every_rule_of_a_kind_is_there(project: Path) -> None:
    listed = command("snakemake", "--list-rules", cwd=project)
    assert {kind.rule for kind in KINDS.values()} <= set(listed.stdout.split())


@pytest.mark.parametrize("snakefile", ["Snakefile", "workflow/Snakefile"])
def test_either_snakefile_is_all_that_snakemake_needs(project: Path, snakefile: str) -> None:
    assert planned("--snakefile", snakefile, "--config", "datasets=[mnist]", "methods=[sngan]", cwd=project)["train_cell"] == 3


def test_a_part_of_the_study_and_an_overlay_are_named_on_the_command_line(project: Path) -> None:
    overlay = ("--configfile", "workflow/overlays/demo.yaml")
    assert planned(*overlay, cwd=project)["train_cell"] == METHODS
    assert planned(*overlay, "--config", "methods=[sngan]", cwd=project)["train_cell"] == 1


def test_a_part_of_a_study_leaves_the_report_of_the_whole_one_alone(project: Path) -> None:
    for part in ("methods=[sngan]", "datasets=[mnist]", "seeds=[0]"):
        assert "report" not in planned("--config", part, cwd=project)
    assert planned("--config", "methods=[sngan]", "study=alone", cwd=project)["report"] == 1
    assert planned("--config", "train={images: 640}", cwd=project)["report"] == 1


@pytest.mark.parametrize("part", [["--config", "methods=[sngan]"], ["--configfile", "narrow.yaml"]], ids=lambda part: part[-1])
def test_the_report_of_a_part_is_refused_by_name(project: Path, part: list[str]) -> None:
    """An overlay without a name of its own may narrow a study as well."""
    (project / "narrow.yaml").write_text("seeds: [0]\n")
    assert "report" not in planned(*part, cwd=project)
    asked = command("snakemake", "-n", "report", *part, cwd=project)
    assert asked.returncode == 2
    assert "snakemake: study: this is a part of 'main', whose report it would replace" in asked.stderr.splitlines()[-1]
    options = ("--set", part[1]) if part[0] == "--config" else ("--overlay", part[1])
    by_hand = command("sagan-div", "report", *options, cwd=project, PYTHONPATH="src")
    assert by_hand.returncode == 2
    assert "this is a part of 'main'" in by_hand.line


def test_a_new_method_and_a_folder_need_params_yaml_alone(project: Path) -> None:
    values = yaml.safe_load((project / "params.yaml").read_text())
    values["methods"]["sagan"] = values["methods"]["sagan-div-d"] | {"loss": {"name": "hinge"}}
    values["datasets"].append({"birds": "images/birds"})
    (project / "params.yaml").write_text(yaml.safe_dump(values))
    (project / "images").mkdir()
    as_folder(np.zeros((4, 1, 16, 16), np.uint8), project / "images/birds")
    counts = planned(cwd=project)
    assert (counts["fetch_data"], counts["train_cell"]) == (3, 3 * (METHODS + 1) * 3)


def test_trainings_are_told_where_their_state_is_kept(project: Path) -> None:
    words = ("snakemake", "-n", "-p", "train", "--config", "methods=[sngan]", "seeds=[0]", "datasets=[digits]")
    by_profile = (*words, "--default-resources", "state=s3://bucket/a folder")
    for asked, environment, option in (
        (by_profile, {"SAGAN_DIV_STATE": "/mnt/states"}, "--state 's3://bucket/a folder' --"),
        (words, {"SAGAN_DIV_STATE": "/mnt/states"}, "--state /mnt/states --"),
        (words, {}, ""),
    ):
        shown = command(*asked, cwd=project, **environment).stdout
        assert shown.count("--state") == (option != "")
        assert option in shown


def test_a_mistake_in_the_study_stops_snakemake_with_its_line(project: Path) -> None:
    done = command("snakemake", "-n", "--config", "train={imags: 3}", cwd=project)
    assert done.returncode != 0
    assert "train.imags: unknown key (did you mean 'images'?)" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_workflow_is_lint_clean(project: Path) -> None:
    done = command("snakemake", "--lint", cwd=project)
    assert done.returncode == 0, done.stderr


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny study as the study of record, in a git repository, computed and recorded by `dvc repro`."""
    folder = tmp_path_factory.mktemp("study") / "project"
    copy_project(folder)
    (folder / "tiny.yaml").write_text(TINY)
    adopted = command("sagan-div", "adopt", "tiny.yaml", cwd=folder, PYTHONPATH=str(folder / "src"))
    assert adopted.returncode == 0, adopted.stderr
    for words in (["init", "-q"], ["config", "user.email", "test@example.org"], ["config", "user.name", "test"], ["add", "-A"]):
        command("git", *words, cwd=folder)
    command("git", "commit", "-qm", "start", cwd=folder)
    done = command("dvc", "repro", cwd=folder, timeout=600)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_dvc_repro_leaves_results_that_both_tools_call_done(recorded: Path) -> None:
    again = command("dvc", "repro", cwd=recorded)
    assert "Data and pipelines are up to date" in again.stdout + again.stderr
    idle = command("snakemake", "-n", cwd=recorded)
    assert "Nothing to be done" in idle.stdout + idle.stderr
    assert planned(cwd=recorded) == {}
    checked = command("sagan-div", "check", cwd=recorded, PYTHONPATH="src")
    assert checked.returncode == 0, checked.stderr


def test_dvc_metrics_show_has_a_row_for_each_method_and_fits_a_terminal(recorded: Path) -> None:
    shown = json.loads(command("dvc", "metrics", "show", "--json", cwd=recorded).stdout)[""]["data"]
    assert set(shown) == {f"results/metrics/digits/{method}.json" for method in ("dcgan", "sagan-div-d")}
    for entry in shown.values():
        assert entry["data"]["fid"] > 0
        assert len(entry["data"]) <= 8
    lines = command("dvc", "metrics", "show", cwd=recorded).stdout.splitlines()
    assert max(map(len, lines)) <= 120


def test_git_keeps_the_digests_of_what_dvc_caches(recorded: Path) -> None:
    """With which a stranger compares one cell that they trained themselves."""
    done = command("sha256sum", "--check", "results/digests.sha256", cwd=recorded)
    assert done.returncode == 0, done.stderr
    checked = {line.removesuffix(": OK") for line in done.stdout.splitlines()}
    cell = "digits/dcgan/seed0"
    assert {
        f"results/train/{cell}/best.safetensors",
        f"results/score/{cell}/metrics.json",
        "results/reference/digits/domain-classifier.safetensors",
    } <= checked
    assert "results/digests.sha256" in command("git", "add", "--dry-run", "results", cwd=recorded).stdout


def test_an_edit_reruns_its_cell_alone(recorded: Path) -> None:
    counts = planned("--config", "methods={dcgan: {optimiser: {lr_critic: 0.5}}}", cwd=recorded)
    assert counts == {"train_cell": 1, "sample_cell": 1, "score_cell": 1, "report": 1}
    assert planned("--config", "methods={dcgan: {optimiser: {lr_critic: 2e-04}}}", cwd=recorded) == {}


def test_a_forced_rule_takes_along_what_follows_from_it(recorded: Path) -> None:
    assert planned("--forcerun", "sample_cell", cwd=recorded) == {"sample_cell": 2, "score_cell": 2, "report": 1}


def test_a_harmless_edit_of_the_engine_is_revalidated_and_a_harmful_one_is_not(recorded: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(recorded, project)
    path, text = project / "src/sagan_div/training/loop.py", (recorded / "src/sagan_div/training/loop.py").read_text()
    path.write_text(text + "\nANOTHER = 1\n")
    assert planned(cwd=project)["train_cell"] == 2
    done = command("sagan-div", "revalidate", "--threads", "1", cwd=project, PYTHONPATH=str(project / "src"))
    assert done.returncode == 0, done.stderr
    assert planned(cwd=project) == {}
    again = command("dvc", "status", cwd=project)
    assert "up to date" in again.stdout + again.stderr
    record = json.loads((project / "results/train/digits/dcgan/seed0/record.json").read_text())
    assert len(record["revalidated"][0]["tried"]) == 1
    files = [project / "dvc.lock", *(path for path in (project / "results").rglob("*") if path.is_file())]
    before = {file: file.read_bytes() for file in files}
    harmful = project / "src/sagan_div/models/initialisation.py"
    text = harmful.read_text()
    harmful.write_text(text.replace("0.02", "0.03"))
    assert harmful.read_text() != text
    refused = command("sagan-div", "revalidate", "--threads", "1", cwd=project, PYTHONPATH=str(project / "src"))
    assert refused.returncode == 1
    assert "comes out with other bits" in refused.stderr
    assert {file: file.read_bytes() for file in before} == before


def test_snakemakes_own_report_works(recorded: Path) -> None:
    done = command("snakemake", "--report", "report.html", cwd=recorded)
    assert done.returncode == 0, done.stderr
    assert (recorded / "report.html").stat().st_size > 100_000


def test_the_page_needs_nothing_from_outside(recorded: Path) -> None:
    page = (recorded / "results/report.html").read_text()
    assert "<html" in page
    assert str(recorded) not in page
    for forbidden in ('src="http', "src='http", 'href="//', "@import", "url(http"):
        assert forbidden not in page


def test_the_catalog_of_workflows_finds_what_it_asks_for() -> None:
    """The standard of the Snakemake workflow catalog (snakemake/snakemake-workflow-catalog: README.md)."""
    assert {"snakemake", "workflow"} <= set(re.findall(r"\w+", (ROOT / "README.md").read_text().lower()))
    assert (ROOT / "workflow/Snakefile").is_file()
    assert list((ROOT / "workflow/rules").glob("*.smk"))
    assert "params.yaml" in (ROOT / "config/README.md").read_text()
    usage = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text())["usage"]
    assert usage["software-stack-deployment"] == {"conda": True, "report": True}


def test_a_folder_in_the_place_of_an_artefact_stops_the_plan_with_its_name(recorded: Path, tmp_path: Path) -> None:
    project = tmp_path / "project"
    shutil.copytree(recorded, project, symlinks=True)
    artefact = project / "results/score/digits/dcgan/seed0/metrics.json"
    artefact.unlink()
    artefact.mkdir()
    done = command("snakemake", "-n", cwd=project)
    assert done.returncode == 2, done.stderr
    last = done.stderr.splitlines()[-1]
    assert last == f"snakemake: {artefact.relative_to(project)}: is a folder where a file belongs; move it elsewhere"
