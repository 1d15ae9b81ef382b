"""The graph and the ledger: what Snakemake plans, that both tools agree, and that nothing is done twice."""

import json
import re
import shutil
from pathlib import Path

import pytest
import yaml

from sagan_div.report import report
from sagan_div.settings import canonical, plain
from sagan_div.study import schema as config
from sagan_div.study.load import load
from sagan_div.workflow import plan
from support import ROOT, TINY, command, params_alone


def planned(*words: str, cwd: Path = ROOT) -> dict[str, int]:
    """The job counts of a dry run."""
    done = command("snakemake", "-n", "--quiet", "rules", *words, cwd=cwd)
    assert done.returncode == 0, done.stderr
    rows = [line.split() for line in (done.stdout + done.stderr).splitlines()]
    return {row[0]: int(row[1]) for row in rows if len(row) == 2 and row[1].isdigit()}


def test_the_plan_has_a_job_for_every_cell_and_phase(project: Path) -> None:
    counts = planned(cwd=project)
    assert counts["cell"] == counts["draw"] == counts["measure"] == 42
    assert (counts["fetch"], counts["classifier"], counts["statistics"], counts.get("weights", 0), counts["report"]) == (
        2,
        2,
        2,
        0,
        1,
    )


def test_a_part_of_the_study_and_an_overlay_are_named_on_the_command_line(project: Path) -> None:
    overlay = ("--configfile", "workflow/overlays/author-code.yaml")
    assert planned(*overlay, cwd=project)["cell"] == 42
    assert planned(*overlay, "--config", "datasets=[mnist]", "methods=[sngan]", cwd=project)["cell"] == 3


def test_a_new_method_and_a_folder_need_params_yaml_alone(project: Path) -> None:
    values = yaml.safe_load((project / "params.yaml").read_text())
    values["methods"]["sagan"] = values["methods"]["sagan-div-d"] | {"loss": {"name": "hinge"}}
    values["datasets"].append({"birds": "images/birds"})
    (project / "params.yaml").write_text(yaml.safe_dump(values))
    counts = planned(cwd=project)
    assert (counts["fetch"], counts["cell"]) == (3, 3 * 8 * 3)


def test_a_mistake_in_the_study_stops_snakemake_with_its_line(project: Path) -> None:
    done = command("snakemake", "-n", "--config", "train={imags: 3}", cwd=project)
    assert done.returncode != 0
    assert "train.imags: unknown key (did you mean 'images'?)" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_workflow_is_lint_clean(project: Path) -> None:
    done = command("snakemake", "--lint", cwd=project)
    assert done.returncode == 0, done.stderr


def test_stages_depend_on_the_files_that_their_rules_read() -> None:
    """DVC knows what Snakemake knows: source files and the phases before."""
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    study = load(ROOT / "params.yaml")
    for phase in plan.PHASES[:-1]:
        sources = {file for kind in plan.kinds(phase) for file in plan.code(kind)}
        roots = {str(plan.Layout().folder(plan.phase_of(made.kind))) for made in makers(study, phase)}
        assert set(stages[phase]["deps"]) == sources | roots
        assert [str(plan.Layout().folder(phase))] == [next(iter(out)) for out in stages[phase]["outs"]]


def test_the_stage_of_the_report_reads_and_writes_what_its_rule_does() -> None:
    stage = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]["report"]
    layout, study = plan.Layout(), load(ROOT / "params.yaml")
    sources = {"/".join(Path(file).parts[:3]) for file in plan.code("report")}
    roots = {str(layout.folder(phase)) for phase in plan.PHASES[:-1]}
    assert set(stage["deps"]) == sources | roots
    written = {"/".join(path.parts[:2]) for path in report.outputs(study, layout).values()}
    outs = {name for out in stage["outs"] for name in out}
    assert outs == written | {str(plan.patterns("report", layout)[2]), ".snakemake/metadata"}
    assert set(stage["params"]) == set(plain(study)) - {"study"}


PLUMBING = {"config", "errors", "files", "live", "plan", "terminal", "provenance", "phases/machine"}  # they shape no result


def imported(room: str) -> set[str]:
    """The rooms of the package that a room imports, itself and theirs included."""
    found, todo = set[str](), {room}
    while todo:
        found |= todo
        text = "".join((ROOT / f"src/sagan_div/{name}.py").read_text() for name in todo)
        lines = re.findall(r"^ *from sagan_div\.?([\w.]*) import (.*)", text, re.M)
        named = {part.replace(".", "/") for part, _ in lines}
        named |= {f"{part}/{name}".lstrip("/") for part, names in lines for name in re.findall(r"\w+", names)}
        todo = {name for name in named - found - PLUMBING if (ROOT / f"src/sagan_div/{name}.py").exists()}
    return found


@pytest.mark.parametrize("kind", [kind for phase in plan.PHASES[:-1] for kind in plan.kinds(phase)])
def test_a_jobs_source_files_are_its_own_and_all_that_they_import(kind: str) -> None:
    assert {f"src/sagan_div/{room}.py" for room in imported(f"phases/{kind}")} == set(plan.code(kind))


def makers(study: config.Study, phase: str) -> list[plan.Job]:
    """The jobs of earlier phases that make what the jobs of a phase read."""
    read = {path for job in plan.jobs(study, phase) for path in job.inputs.values()}
    earlier = plan.PHASES[: plan.PHASES.index(phase)]
    return [job for each in earlier for job in plan.jobs(study, each) if read & set(job.outputs.values())]


def test_stages_list_the_parameters_that_their_settings_hold() -> None:
    """An edit of any key of params.yaml that changes a job's settings must wake its stage."""
    stages = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
    edits = {
        "datasets": ["datasets=[digits]"],
        "methods": ["methods.dcgan.n_critic=9"],
        "seeds": ["seeds=[7]"],
        "image_size": ["image_size=32"],
        "width": ["width=9"],
        "latent": ["latent=9"],
        "classifier": ["classifier.epochs=9"],
        "train": ["train.images=64"],
        "sample": ["sample.count=64"],
        "score": ["score.reference.count=64"],
    }
    study = load(ROOT / "params.yaml")
    for phase in plan.PHASES[:-1]:
        before = {canonical(job.settings) for job in plan.jobs(study, phase)}
        for key, sets in edits.items():
            after = {canonical(job.settings) for job in plan.jobs(load(ROOT / "params.yaml", sets=sets), phase)}
            if after != before:
                assert key in stages[phase]["params"], f"stage {phase} must list {key}"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tiny study as the study of record, in a git repository, computed and recorded by `dvc repro`."""
    folder = tmp_path_factory.mktemp("study") / "project"
    listed = ("params.yaml", "dvc.yaml", "workflow", "profiles", "src", ".dvc/config", ".dvcignore", ".gitignore")
    for name in listed:
        source, target = ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(source, target) if source.is_dir() else shutil.copy(source, target)
    params_alone(folder, TINY)
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


def test_dvc_metrics_show_has_a_row_for_each_method(recorded: Path) -> None:
    shown = json.loads(command("dvc", "metrics", "show", "--json", cwd=recorded).stdout)[""]["data"]
    assert set(shown) == {f"results/metrics/digits/{method}.json" for method in ("dcgan", "sagan-div-d")}
    for entry in shown.values():
        assert entry["data"]["fid"] > 0


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
    assert counts == {"cell": 1, "draw": 1, "measure": 1, "report": 1, "total": 4}
    assert planned("--config", "methods={dcgan: {optimiser: {lr_critic: 2e-04}}}", cwd=recorded) == {}


def test_snakemakes_own_report_works(recorded: Path) -> None:
    done = command("snakemake", "--report", "report.html", cwd=recorded)
    assert done.returncode == 0, done.stderr
    assert (recorded / "report.html").stat().st_size > 100_000


def test_the_page_needs_nothing_from_outside(recorded: Path) -> None:
    page = (recorded / "results/report.html").read_text()
    assert "<html" in page
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
