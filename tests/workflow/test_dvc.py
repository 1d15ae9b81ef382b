"""DVC knows what Snakemake knows: its stages name the settings, the code, the inputs and the outputs of their jobs."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from sagan_div.report.report import outputs
from sagan_div.settings import canonical, plain
from sagan_div.study.load import load
from sagan_div.study.schema import Study
from sagan_div.workflow import fingerprint
from sagan_div.workflow.jobs import jobs
from sagan_div.workflow.kinds import KINDS, PHASES, of_phase
from sagan_div.workflow.layout import Layout
from support import ROOT

STAGES: dict[str, Any] = yaml.safe_load((ROOT / "dvc.yaml").read_text())["stages"]
EDITS = {  # of each key at the top of params.yaml
    "study": [],
    "protocol": ["protocol=code"],
    "datasets": ["datasets=[digits]"],
    "image_size": ["image_size=64"],
    "width": ["width=9"],
    "latent": ["latent=9"],
    "seeds": ["seeds=[7]"],
    "methods": ["methods=[dcgan]", "methods.dcgan.n_critic=9", "methods.dcgan.select=last"],
    "classifier": ["classifier.epochs=9"],
    "train": ["train.images=640"],
    "sample": ["sample.count=640"],
    "score": ["score.reference.count=640", "score.mode=exact"],
}


def study(*sets: str) -> Study:
    return load(ROOT / "params.yaml", sets=sets)


def test_there_is_a_stage_for_each_phase_in_order() -> None:
    assert list(STAGES) == list(PHASES)


def test_every_key_of_params_yaml_is_tried() -> None:
    assert set(EDITS) == set(plain(study()))


@pytest.mark.parametrize("phase", PHASES[:-1])
def test_a_stage_lists_the_keys_that_its_jobs_are_told(phase: str) -> None:
    """No fewer, or an edit goes unseen; no more, or an edit wakes a stage that has nothing to do."""
    before = {canonical(job.settings) for job in jobs(study(), phase)}
    telling = {
        key
        for key, edits in EDITS.items()
        if any({canonical(job.settings) for job in jobs(study(edit), phase)} != before for edit in edits)
    }
    assert {name for name in STAGES[phase]["params"] if isinstance(name, str)} == telling


def test_the_stage_of_the_report_lists_every_key_that_may_change() -> None:
    assert {name for name in STAGES["report"]["params"] if isinstance(name, str)} == set(plain(study())) - {"study"}


def test_no_stage_deletes_what_it_has_before_it_makes_it_again() -> None:
    """A mistake in params.yaml, found by the stage itself, must not cost what was there."""
    outs = [out for stage in STAGES.values() for out in stage["outs"]]
    assert all(options["persist"] for out in outs for options in out.values())


@pytest.mark.parametrize("phase", PHASES)
def test_a_stage_names_the_code_of_its_kinds_and_no_source_file(phase: str) -> None:
    (code,) = (entry for entry in STAGES[phase]["params"] if isinstance(entry, dict))
    assert code == {str(fingerprint.CODE): [kind.name for kind in of_phase(phase)]}
    assert not [name for name in STAGES[phase].get("deps", []) if name.startswith(("src", "workflow"))]


@pytest.mark.parametrize("phase", PHASES[:-1])
def test_a_stage_depends_on_the_phases_that_its_jobs_read(phase: str) -> None:
    full = load(ROOT / "params.yaml", [ROOT / "workflow/overlays/full.yaml"])
    made_in = {path: job.kind.phase for job in jobs(full) for path in job.outputs.values()}
    read = {made_in[path] for job in jobs(full, phase) for path in job.inputs.values()}
    assert set(STAGES[phase].get("deps", [])) == {str(Layout().folder(each)) for each in read - {phase}}
    assert [list(out) for out in STAGES[phase]["outs"]] == [[str(Layout().folder(phase))]]


def test_the_stage_of_the_report_reads_all_phases_and_writes_what_the_report_does() -> None:
    stage = STAGES["report"]
    assert set(stage["deps"]) == {str(Layout().folder(phase)) for phase in PHASES[:-1]}
    written = {"/".join(path.parts[:2]) for path in outputs(study(), Layout()).values()}
    assert {name for out in stage["outs"] for name in out} == written | {str(KINDS["report"].record(Layout()))}


@pytest.mark.parametrize("phase", PHASES)
def test_a_stage_ends_by_checking_what_it_is_about_to_record(phase: str) -> None:
    commands = STAGES[phase]["cmd"]
    assert commands[-1] == f"PYTHONPATH=src sagan-div check{'' if phase == 'report' else ' ' + phase}"
    assert not any(str(Path.home()) in command for command in commands)
