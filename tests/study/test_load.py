"""params.yaml and what is laid over it: what is read, what is refused, and in which words."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from sagan_div.errors import UserError
from sagan_div.losses.hinge import Hinge
from sagan_div.losses.wasserstein_divergence import WassersteinDivergence
from sagan_div.settings import canonical, read
from sagan_div.study.load import load
from sagan_div.study.schema import DatasetConfig, OptimiserConfig, Study
from support import FULL, ROOT, params_alone

PARAMS = ROOT / "params.yaml"
OVERLAYS = ROOT / "workflow" / "overlays"
PAPER = ["dcgan", "wgan-div", "sngan", *(f"sagan-div-{variant}" for variant in "abcd")]  # its methods, in its order
RECORD = (
    '{"classifier":{"epochs":4,"seed":0},"datasets":[{"name":"mnist"},{"name":"fashion-mnist"}],"image_size":32,"latent":100'
)


def study(*sets: str) -> Study:
    return load(PARAMS, sets=sets)


def refusal(*sets: str, **ways: Any) -> str:
    with pytest.raises(UserError) as caught:
        load(PARAMS, sets=sets, **ways)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_study_of_record_is_what_the_file_says() -> None:
    found = study()
    assert (found.study, found.image_size, found.width, found.train.images) == ("main", 32, 16, 1_024_000)
    assert found.seeds == (0, 1, 2)
    assert canonical(found).startswith(RECORD)


def test_the_methods_have_the_papers_settings_and_full_its_sizes() -> None:
    found = load(PARAMS, [FULL])
    d = found.methods["sagan-div-d"]
    assert (found.study, found.image_size, found.width, found.latent) == ("full", 64, 64, 100)
    assert d.loss == WassersteinDivergence(name="wasserstein-divergence", k=2.0, p=6.0, points="interpolates", multiplier=1.0)
    assert (d.generator.norm, d.critic.spectral, d.n_critic) == ("instance", "all", 5)
    assert d.optimiser == OptimiserConfig(lr_generator=1e-4, lr_critic=4e-4, betas=(0.0, 0.9))
    assert [name for name in found.methods if name in PAPER] == PAPER


@pytest.mark.parametrize("overlay", sorted(OVERLAYS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_overlay_is_a_study_of_its_own_name(overlay: Path) -> None:
    assert load(PARAMS, [overlay]).study == overlay.stem


def test_an_overlay_of_an_earlier_version_says_what_it_said(tmp_path: Path) -> None:
    """`score.floor` has become `score.real_vs_real`."""
    old = tmp_path / "old.yaml"
    old.write_text("study: old\nscore: {floor: {counts: [32], draws: 2}}\n")
    assert load(PARAMS, [old]).score.real_vs_real.counts == (32,)
    old.write_text("study: old\nscore: {floor: {draws: 2}, real_vs_real: {draws: 2}}\n")
    assert "score.floor: unknown key" in refusal(overlays=[old])


def test_the_authors_protocol_runs_at_either_size() -> None:
    small, large = (load(PARAMS, [*under, OVERLAYS / "author-code.yaml"]) for under in ([], [FULL]))
    assert (small.study, small.image_size) == (large.study, 32) == ("author-code", 32)
    assert (large.image_size, large.train.images) == (64, 32_000_000)
    assert small.methods == large.methods


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("train.imags=3", "train.imags: unknown key (did you mean 'images'?)"),
        ("methods.dcgan.n_critic=five", "methods.dcgan.n_critic: expected a whole number, found the text 'five'"),
        ("methods.dcgan.n_critic=true", "methods.dcgan.n_critic: expected a whole number, found true"),
        ("methods.dcgan.n_critic=0", "methods.dcgan.n_critic: 0 is out of range; it must be at least 1"),
        ("methods.dcgan.critic.norm_from=true", "methods.dcgan.critic.norm_from: expected a whole number, found true"),
        ("methods.dcgan.critic.norm_from=3", "methods.dcgan.critic.norm_from: 3 is none of 1, 2"),
        ("methods.dcgan.optimiser.lr_critic='2e-05'", "lr_critic: expected a number, found the text '2e-05'"),
        ("methods.dcgan.optimiser.lr_critic=.nan", "methods.dcgan.optimiser.lr_critic: expected a number, found nan"),
        ("methods.dcgan.optimiser.lr_critic=.inf", "methods.dcgan.optimiser.lr_critic: expected a number, found inf"),
        ("methods.dcgan.optimiser.betas=[0.5]", "methods.dcgan.optimiser.betas: expected 2 values, found 1"),
        ("methods.dcgan.loss={name: hing}", "methods.dcgan.loss.name: the text 'hing' is none of"),
        ("methods.dcgan.loss={name: hing}", "(did you mean 'hinge'?)"),
        ("methods.dcgan.loss=hinge", "methods.dcgan.loss: expected keys with values, found the text 'hinge'"),
        ("methods.dcgan.loss=name", "methods.dcgan.loss: expected keys with values, found the text 'name'"),
        ("train=[images]", "train: expected keys with values, found ['images']"),
        ("methods.dcgan.loss=3", "methods.dcgan.loss: expected keys with values, found 3"),
        ("methods.dcgan.loss={name: hinge, k: 2}", "methods.dcgan.loss.k: unknown key; known here: name"),
        ("methods.dcgan.loss.name=wasserstein-divergence", "methods.dcgan.loss.k: this key is missing"),
        ("methods=[dcgann]", "methods.dcgann: unknown entry (did you mean 'dcgan'?)"),
        ("methods=[[dcgan]]", "methods.['dcgan']: unknown entry"),
        ("methods=[]", "methods: the list is empty; name at least one"),
        ("methods={../up: {}}", "methods: the text '../up' cannot be a name; use lower-case letters, digits and hyphens"),
        ("datasets=[mnsit]", "datasets[0]: unknown dataset 'mnsit'; built in are mnist, fashion-mnist, digits"),
        ("datasets=[digits, {mnist: x}]", "datasets[1]: 'mnist' is a built-in dataset"),
        ("datasets=[{../up: x}]", "datasets[0]: the text '../up' cannot be a name"),
        ("datasets=[{birds: }]", "datasets[0]: expected 'birds: path/to/folder', found nothing as the folder"),
        ("datasets=[{birds: 2024}]", "datasets[0]: expected 'birds: path/to/folder', found 2024 as the folder"),
        ("datasets=[{a: x, b: y}]", "datasets[0]: expected a dataset's name or 'name: path/to/folder', found {'a': 'x'"),
        ("datasets=[mnist, mnist]", "datasets: mnist is there twice"),
        ("datasets=[]", "datasets: the list is empty"),
        ("seeds=0", "seeds: expected a list, found 0"),
        ("seeds=[]", "seeds: the list is empty"),
        ("seeds=[0, -1]", "seeds[1]: -1 is out of range; it must be at least 0"),
        ("seeds=[3, 4, 3]", "seeds: 3 is there twice"),
        ("score.extractors=[classifier, classifier]", "score.extractors: classifier is there twice"),
        ("score.metrics=[fidd]", "score.metrics[0]: the text 'fidd' is none of"),
        ("image_size=48", "image_size: 48 is none of 16, 32, 64, 128"),
        ("train.checkpoints=7", "train.log_rows: 100 is not a multiple of train.checkpoints (7)"),
        ("study=../elsewhere", "study: the text '../elsewhere' cannot be a name"),
        (f"study={'a' * 65}", "use lower-case letters, digits and hyphens, 64 at most"),
        ("nonsense", "--set nonsense: expected key=value"),
        ("width=[1", "--set width:1: not valid YAML"),
        ("width=2001-01-01", "width: expected a whole number, found 2001-01-01"),
        ("overlays=[]", "overlays: unknown key"),
    ],
)
def test_bad_values_are_named_in_one_line(assignment: str, words: str) -> None:
    assert words in refusal(assignment)


def test_of_several_faults_the_first_in_the_file_is_named() -> None:
    assert refusal("train.images=0", "image_size=1", "sample.counts=1").startswith("image_size: 1 is none of")


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    text = PARAMS.read_text()
    (tmp_path / "params.yaml").write_text("".join(line for line in text.splitlines(True) if not line.startswith("  images:")))
    with pytest.raises(UserError, match=r"^train\.images: this key is missing$"):
        load(tmp_path / "params.yaml")


# The study of record and others


def test_params_yaml_is_the_study_of_record_and_no_other(tmp_path: Path) -> None:
    path = params_alone(tmp_path)
    path.write_text(path.read_text().replace("study: main", "study: mine"))
    with pytest.raises(UserError, match=r"params\.yaml: study: the text 'mine' is not 'main', the study of record"):
        load(path)


@pytest.mark.parametrize("ways", [{"sets": ["study=demo"]}, {"layer": {"study": "demo"}}], ids=["--set", "--config"])
def test_the_name_of_an_overlay_without_it_is_refused(ways: dict[str, Any]) -> None:
    with pytest.raises(UserError, match=r"--configfile workflow/overlays/demo\.yaml \(snakemake\) or --overlay workflow"):
        load(PARAMS, **ways)
    assert load(PARAMS, [OVERLAYS / "demo.yaml"], **ways).study == "demo"


def test_an_overlay_of_ones_own_may_have_the_name_of_a_shipped_one(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("{study: demo, seeds: [5]}")
    assert load(PARAMS, [tmp_path / "mine.yaml"]).seeds == (5,)


def test_a_layer_that_names_another_study_is_that_study() -> None:
    found = load(PARAMS, layer={"study": "mine", "seeds": [8]})
    assert (found.study, found.seeds, found.image_size) == ("mine", (8,), 32)


# What is laid over what


def test_later_layers_win(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 2)):
        (tmp_path / f"{name}.yaml").write_text(f"{{seeds: [{seed}], width: {seed}}}")
    files = [tmp_path / "a.yaml", tmp_path / "b.yaml"]
    assert load(PARAMS, files).seeds == (2,)
    assert load(PARAMS, files, layer={"seeds": [3]}).seeds == (3,)
    found = load(PARAMS, files, sets=["seeds=[4]"], layer={"seeds": [3]})
    assert (found.seeds, found.width) == ((4,), 2)


def test_what_snakemakes_config_option_leaves_as_text_is_read_as_it_was_meant() -> None:
    from snakemake.cli import parse_config

    layer = parse_config(
        [
            "train={images: 640, engine: eager}",
            "seeds=[010]",
            "methods={dcgan: {generator: {attention_spectral: true}, optimiser: {lr_critic: 2e-05}, batch_size: null}}",
        ]
    )
    assert layer["train"]["images"] == "640"
    found = load(PARAMS, layer=layer)
    assert (found.train.images, found.train.engine, found.seeds) == (640, "eager", (10,))
    assert found.methods["dcgan"].generator.attention_spectral is True
    assert found.methods["dcgan"].optimiser.lr_critic == 2e-5
    assert found.methods["dcgan"].batch_size is None


@pytest.mark.parametrize("text", ["2e-05", "2E-5", "0.00002", "20e-6", "2.0e-05"])
def test_the_same_number_in_any_spelling_is_the_same_setting(text: str) -> None:
    ours = study(f"methods.dcgan.optimiser.lr_critic={text}")
    assert canonical(ours) == canonical(study("methods.dcgan.optimiser.lr_critic=0.00002"))


def test_key_order_is_no_setting(tmp_path: Path) -> None:
    values = YAML(typ="safe").load(PARAMS)
    values["methods"]["dcgan"] = dict(reversed(values["methods"]["dcgan"].items()))
    yaml = YAML()
    yaml.dump(dict(reversed(values.items())), tmp_path / "params.yaml")
    assert canonical(load(tmp_path / "params.yaml")) == canonical(study())


def test_a_study_survives_the_way_through_json() -> None:
    found = study("datasets=[mnist, {birds: images/birds}]", "methods.dcgan.batch_size=2048")
    assert found.datasets == (DatasetConfig(name="mnist"), DatasetConfig(name="birds", folder="images/birds"))
    assert read(Study, json.loads(canonical(found))) == found


def test_a_list_over_the_methods_keeps_those() -> None:
    assert list(study("methods=[sngan, dcgan]").methods) == ["dcgan", "sngan"]
    assert list(study("methods=sngan").methods) == ["sngan"]
    assert study("methods={}") == study()  # an empty mapping over a mapping changes nothing


def test_a_new_name_replaces_the_whole_mapping() -> None:
    assert study("methods.sagan-div-d.loss.name=hinge").methods["sagan-div-d"].loss == Hinge(name="hinge")


def test_a_method_may_be_called_name() -> None:
    layer = {"methods": {"name": YAML(typ="safe").load(PARAMS)["methods"]["dcgan"]}}
    assert load(PARAMS, layer=layer).methods.keys() == study().methods.keys() | {"name"}


def test_the_study_is_read_without_torch_numpy_or_pandas() -> None:
    heavy = ("torch", "numpy", "pandas", "scipy", "matplotlib", "yaml")
    code = f"""
import sys
from pathlib import Path
import sagan_div.settings, sagan_div.study.job_settings, sagan_div.study.json_schema
from sagan_div.study.load import load
load(Path({str(PARAMS)!r}))
print([name for name in {heavy} if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
