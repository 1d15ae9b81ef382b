"""params.yaml and overlays: what is read, what is refused, and in which words."""

from pathlib import Path

import pytest
import yaml

from sagan_div.errors import UserError
from sagan_div.study import schema as config
from support import FULL, ROOT

PARAMS = ROOT / "params.yaml"


def load(*sets: str) -> config.Study:
    return config.load(PARAMS, sets=[FULL, *sets])


def test_the_study_has_the_papers_settings() -> None:
    study = load()
    d = study.methods["sagan-div-d"]
    assert (study.image_size, study.width, study.latent) == (64, 64, 100)
    assert d.loss == config.WassersteinDivergence(
        name="wasserstein-divergence", k=2.0, p=6.0, points="interpolates", multiplier=1.0
    )
    assert (d.generator.norm, d.critic.spectral, d.n_critic) == ("instance", "all", 5)
    assert d.optimiser == config.OptimiserConfig(lr_generator=1e-4, lr_critic=4e-4, betas=(0.0, 0.9))
    assert list(study.methods) == ["dcgan", "wgan-div", "sngan", *(f"sagan-div-{v}" for v in "abcd")]


@pytest.mark.parametrize("overlay", sorted((ROOT / "workflow/overlays").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_overlay_fits_the_study(overlay: Path) -> None:
    study = config.load(PARAMS, [overlay])
    assert study.study == ("main" if overlay.stem == "record" else overlay.stem)


@pytest.mark.parametrize(
    ("assignment", "words"),
    [
        ("train.imags=3", "train.imags: unknown key (did you mean 'images'?)"),
        ("methods.dcgan.n_critic=five", "methods.dcgan.n_critic: expected a whole number, found the text 'five'"),
        ("methods.dcgan.n_critic=2.5", "methods.dcgan.n_critic: expected a whole number, found 2.5"),
        ("methods.dcgan.n_critic=true", "methods.dcgan.n_critic: expected a whole number, found true"),
        ("methods.dcgan.n_critic=0", "methods.dcgan.n_critic: 0 is out of range; it must be at least 1"),
        (
            "methods.dcgan.optimiser.lr_critic=fast",
            "methods.dcgan.optimiser.lr_critic: expected a number, found the text 'fast'",
        ),
        ("methods.dcgan.optimiser.lr_critic=.nan", "methods.dcgan.optimiser.lr_critic: expected a number, found nan"),
        ("methods.dcgan.optimiser.betas=[0.5]", "methods.dcgan.optimiser.betas: expected 2 values, found 1"),
        ("methods.dcgan.loss.name=hing", "methods.dcgan.loss.name: the text 'hing' is none of"),
        ("methods.dcgan.loss={name: hinge, k: 2}", "methods.dcgan.loss.k: unknown key"),
        ("methods=[dcgann]", "methods.dcgann: unknown entry (did you mean 'dcgan'?)"),
        ("methods={}", None),
        ("datasets=[mnsit]", "datasets[0]: unknown dataset 'mnsit'; built in are"),
        ("datasets=[{mnist: x}]", "datasets[0]: 'mnist' is a built-in dataset"),
        ("datasets=[{../up: x}]", "cannot be a name"),
        ("datasets=[mnist, mnist]", "datasets: mnist is there twice"),
        ("datasets=[]", "datasets: the list is empty"),
        ("seeds=0", "seeds: expected a list, found 0"),
        ("seeds=[-1]", "seeds: -1 is negative"),
        ("image_size=48", "image_size: 48 is none of 16, 32, 64, 128"),
        ("train.checkpoints=7", "train.log_rows: 200 is not a multiple of train.checkpoints (7)"),
        ("study=../elsewhere", "study: the text '../elsewhere' cannot be a name"),
        ("nonsense", "--set nonsense: expected key=value"),
    ],
)
def test_bad_values_are_named_in_one_line(assignment: str, words: str | None) -> None:
    if words is None:
        assert load(assignment) == load()  # an empty mapping over a mapping changes nothing
        return
    with pytest.raises(UserError) as caught:
        load(assignment)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_key_is_named(tmp_path: Path) -> None:
    values = yaml.safe_load(PARAMS.read_text()) | {"overlays": []}
    del values["train"]["images"]
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(values))
    with pytest.raises(UserError, match=r"^train\.images: this key is missing$"):
        config.load(tmp_path / "params.yaml")


@pytest.mark.parametrize(
    ("text", "words"),
    [("a: [1", "not valid YAML"), ("a: 1\na: 2", "the key 'a' is there twice"), ("- 1", "expected keys with values")],
)
def test_a_broken_file_is_named_with_its_line(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "params.yaml").write_text(text)
    with pytest.raises(UserError, match=words):
        config.load(tmp_path / "params.yaml")


@pytest.mark.parametrize("text", ["2e-05", "2E-5", "0.00002", "'2e-05'", "20e-6"])
def test_the_same_number_in_any_spelling_is_the_same_setting(text: str) -> None:
    ours = load(f"methods.dcgan.optimiser.lr_critic={text}")
    assert ours.methods["dcgan"].optimiser.lr_critic == 2e-5
    assert config.canonical(ours) == config.canonical(load("methods.dcgan.optimiser.lr_critic=2.0e-05"))


def test_snakemakes_config_is_read_like_an_overlay() -> None:
    """PyYAML, which Snakemake uses, reads 2e-05 as text."""
    layer = yaml.safe_load("methods: {dcgan: {optimiser: {lr_critic: 2e-05}}}")
    assert layer["methods"]["dcgan"]["optimiser"]["lr_critic"] == "2e-05"
    assert config.load(PARAMS, layer=layer).methods["dcgan"].optimiser.lr_critic == 2e-5


def test_what_snakemakes_config_option_leaves_as_text_is_read_as_it_was_meant() -> None:
    layer = {"train": {"images": "640"}, "seeds": ["3"], "methods": {"dcgan": {"generator": {"attention_spectral": "true"}}}}
    study = config.load(PARAMS, layer=layer)
    assert (study.train.images, study.seeds, study.methods["dcgan"].generator.attention_spectral) == (640, (3,), True)


def test_key_order_is_no_setting(tmp_path: Path) -> None:
    values = yaml.safe_load(PARAMS.read_text()) | {"overlays": []}
    values["methods"]["dcgan"] = dict(reversed(values["methods"]["dcgan"].items()))
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(values, sort_keys=False))
    assert config.canonical(config.load(tmp_path / "params.yaml")) == config.canonical(load())


def test_a_study_survives_the_way_through_json() -> None:
    import json

    study = load("datasets=[mnist, {birds: images/birds}]", "methods.dcgan.batch_size=2048")
    assert config.read(config.Study, json.loads(config.canonical(study)), "") == study


def test_a_list_over_the_methods_keeps_those() -> None:
    assert list(load("methods=[sngan, dcgan]").methods) == ["dcgan", "sngan"]


def test_a_new_name_replaces_the_whole_mapping() -> None:
    assert load("methods.sagan-div-d.loss.name=hinge").methods["sagan-div-d"].loss == config.Hinge(name="hinge")


def test_overlays_named_in_params_apply_but_keep_the_study_of_record(tmp_path: Path) -> None:
    values = yaml.safe_load(PARAMS.read_text()) | {"overlays": ["cpu.yaml"]}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(values))
    (tmp_path / "cpu.yaml").write_text((ROOT / "workflow/overlays/cpu.yaml").read_text())
    study = config.load(tmp_path / "params.yaml")
    assert (study.study, study.image_size) == ("main", 32)


def test_the_overlays_of_record_are_laid_over_that_study_alone(tmp_path: Path) -> None:
    """Else the paper's budget would be run at the sizes of the study of record."""
    values = yaml.safe_load(PARAMS.read_text()) | {"overlays": ["small.yaml"]}
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(values))
    (tmp_path / "small.yaml").write_text("{image_size: 32, seeds: [7]}")
    (tmp_path / "paper.yaml").write_text("{study: paper, seeds: [8]}")
    record, *others = (
        config.load(tmp_path / "params.yaml", **ways)
        for ways in (
            {"sets": ["seeds=[8]"]},
            {"overlays": [tmp_path / "paper.yaml"]},
            {"layer": {"study": "paper", "seeds": [8]}},
            {"sets": ["study=paper", "seeds=[8]"]},
        )
    )
    assert (record.study, record.overlays, record.image_size, record.seeds) == ("main", ("small.yaml",), 32, (8,))
    for study in others:
        assert (study.study, study.overlays, study.image_size, study.seeds) == ("paper", (), 64, (8,))
