"""The jobs of a study: each declared kind, their files, and what they are given."""

import importlib
import json
from pathlib import Path

import pytest
from made import study, the_job

from sagan_div.errors import UserError
from sagan_div.report.report import outputs
from sagan_div.settings import canonical, read
from sagan_div.study import given
from sagan_div.study.load import load
from sagan_div.workflow import kinds
from sagan_div.workflow.jobs import checkpoint, job, jobs
from sagan_div.workflow.kinds import KINDS, PHASES, of_phase
from sagan_div.workflow.layout import OF_THE_REPORT, Layout
from support import ROOT

OVERLAYS = ROOT / "workflow/overlays"


def test_the_study_of_record_and_the_full_one_have_every_cell_once() -> None:
    record, full = load(ROOT / "params.yaml"), load(ROOT / "params.yaml", [OVERLAYS / "full.yaml"])
    cells = 2 * 3 * len(record.methods)
    for phase, count in {"train": cells, "sample": cells, "score": cells, "data": 2}.items():
        assert len(jobs(record, phase)) == len(jobs(full, phase)) == count
    assert len(jobs(record, "reference")) == 2 + 2 + 2
    assert len(jobs(full, "reference")) == 1 + 2 + 4 + 4


def test_every_input_is_some_jobs_output() -> None:
    every = jobs(load(ROOT / "params.yaml", [OVERLAYS / "full.yaml"]))
    outputs = [path for each in every for path in each.files]
    assert len(set(outputs)) == len(outputs)
    assert {path for each in every for path in each.inputs.values()} <= set(outputs)


def test_studies_share_no_file() -> None:
    main, demo = (load(ROOT / "params.yaml", overlays) for overlays in ([], [OVERLAYS / "demo.yaml"]))
    paths = [{path for each in jobs(of) for path in (*each.files, each.scratch, each.lock)} for of in (main, demo)]
    assert not paths[0] & paths[1]


@pytest.mark.parametrize("name", [*PHASES, *OF_THE_REPORT])
def test_a_study_is_not_called_like_a_folder_of_results(name: str) -> None:
    """The study of record prunes its folders of what is not its own."""
    with pytest.raises(UserError, match=f"study: '{name}' cannot be a study's name, since results/{name} is a folder"):
        jobs(study(f"study={name}"))


@pytest.mark.parametrize("folder", ["data/birds", "results/demo/birds", "images/../data"])
def test_images_of_ones_own_do_not_lie_among_the_results(folder: str) -> None:
    with pytest.raises(UserError, match=rf"datasets.birds: {folder} lies in (data|results)/, where jobs write; move it out"):
        jobs(study(f"datasets=[{{birds: {folder}}}]"))


@pytest.mark.parametrize("folder", [".", "..", "./", "images/.."])
def test_images_of_ones_own_do_not_lie_around_the_results(folder: str) -> None:
    with pytest.raises(
        UserError, match=rf"datasets.birds: {folder} holds data/, where jobs write; name the images' own folder"
    ):
        jobs(study(f"datasets=[{{birds: {folder}}}]"))


def test_the_folders_that_a_report_writes_are_all_reserved() -> None:
    written = (path.relative_to("results").parts for path in outputs(study(), Layout()).values())
    assert {parts[0] for parts in written if len(parts) > 1} <= set(OF_THE_REPORT)


def test_settings_survive_the_way_to_a_job_and_back() -> None:
    main = load(ROOT / "params.yaml", sets=["datasets=[mnist, {birds: some/folder}]"])
    for each in jobs(main):
        sent = json.loads(canonical(each.settings))
        assert job(each.kind, read(each.kind.settings, sent), Layout()) == each


def test_every_kind_is_declared_once_and_its_work_is_there() -> None:
    assert [kind.name for phase in PHASES for kind in of_phase(phase)] == list(KINDS)
    for kind in KINDS.values():
        assert callable(importlib.import_module(kind.work).work)
        assert set(kind.wildcards) <= {"dataset", "method", "seed", "extractor"}
        for module in kind.choices():
            assert importlib.util.find_spec(module), module


def test_what_settings_choose_is_among_the_choices_of_their_kind() -> None:
    for each in jobs(load(ROOT / "params.yaml")):
        assert set(each.kind.chosen(each.settings)) <= set(each.kind.choices()), each.name
    method = load(ROOT / "params.yaml", sets=["methods.dcgan.generator.attention=wang"])
    (wang,) = (each for each in jobs(method, "train") if each.about == {"dataset": "mnist", "method": "dcgan", "seed": 0})
    assert kinds.TRAIN.chosen(wang.settings) == (
        "sagan_div.losses.non_saturating",
        "sagan_div.models.norms.batch",
        "sagan_div.models.attention.wang",
    )


def test_other_images_in_a_folder_are_another_dataset(tmp_path: Path) -> None:
    def text() -> str:
        given.contents.cache_clear()
        return canonical(the_job("data", f"datasets=[{{birds: {tmp_path}}}]").settings)

    (tmp_path / "a.png").write_bytes(b"one")
    before = text()
    assert text() == before
    (tmp_path / "a.png").write_bytes(b"two")
    changed = text()
    (tmp_path / "b.png").write_bytes(b"three")
    assert len({before, changed, text()}) == 3


def test_the_checkpoint_of_a_cell_is_the_one_that_it_samples() -> None:
    assert checkpoint(study(), "digits/dcgan/seed0") == Path("results/train/digits/dcgan/seed0/best.safetensors")
    last = study("methods.dcgan.select=last")
    assert checkpoint(last, "digits/dcgan/seed0/").name == "last.safetensors"
    with pytest.raises(UserError, match=r"mnist/dcgan/seed0: is no cell of the study, such as digits/dcgan/seed0"):
        checkpoint(study(), "mnist/dcgan/seed0")
