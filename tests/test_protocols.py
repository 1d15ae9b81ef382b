"""The two protocols: every difference and every ambiguity has a place, and what the documents say of them is what is run."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from click.testing import CliRunner

from sagan_div.cli import app as cli
from sagan_div.settings import plain
from sagan_div.study.load import load
from support import FULL, ROOT

OVERLAY = ROOT / "workflow" / "overlays" / "author-code.yaml"
PROTOCOLS = (ROOT / "docs" / "protocols.md").read_text(encoding="utf-8")
PARAMS = (ROOT / "params.yaml").read_text(encoding="utf-8")
TEXT, CODE = load(ROOT / "params.yaml", [FULL]), load(ROOT / "params.yaml", [FULL, OVERLAY])
IDS = [f"A{number}" for number in range(1, 38)]

ADAM = {"lr_generator": 1e-4, "lr_critic": 4e-4, "betas": [0.5, 0.999]}
PLAIN = {"norm": "batch", "spectral": "none", "attention": "none", "attention_spectral": False, "bias": "none"}
AUTHOR = {  # each method as the first author's repositories have it; what is not named here is as in the text
    "dcgan": {
        "loss": {"name": "non-saturating", "real_label": 0.9},
        "optimiser": ADAM,
        "n_critic": 5,
        "generator_latents": "same",
        "batch_size": 2048,
        "select": "last",
    },
    "wgan-div": {
        "loss": {"name": "wasserstein-divergence", "k": 2, "p": 6, "points": "both", "multiplier": 1},
        "generator": PLAIN,
        "critic": {"norm": "batch", "norm_from": 2, "spectral": "none", "slope": 0.2, "bias": "none"},
        "optimiser": ADAM,
        "n_critic": 5,
        "generator_latents": "same",
    },
    "sngan": {
        "loss": {"name": "non-saturating", "real_label": 0.9},
        "generator": PLAIN,
        "critic": {"norm": "none", "norm_from": 1, "spectral": "all", "slope": 0.2, "bias": "none"},
        "optimiser": ADAM,
        "generator_latents": "same",
        "batch_size": 2048,
        "select": "last",
    },
} | {
    f"sagan-div-{variant}": {
        "loss": {"name": "wasserstein-divergence", "k": 2, "p": 6, "points": "both", "multiplier": 10},
        "generator": {"norm": norm, "spectral": spectral, "attention": "sagan", "attention_spectral": True, "bias": "none"},
        "critic": {"norm": critic_norm, "norm_from": 1, "spectral": critic_spectral, "slope": 0.2, "bias": "none"},
        "optimiser": ADAM,
        "generator_latents": "same",
    }
    for variant, norm, spectral, critic_norm, critic_spectral in (
        ("a", "instance", "hidden", "instance", "all"),
        ("b", "none", "hidden", "none", "all"),
        ("c", "instance", "none", "instance", "none"),
        ("d", "instance", "none", "none", "all"),
    )
}

METHODS = list(AUTHOR)  # the paper's; others have no page and no second protocol


def leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, entry in value.items():
            yield from leaves(entry, f"{key}.{name}" if key else name)
    else:
        yield key, value


def table(text: str, heading: str) -> list[list[str]]:
    """The rows of the first table below a heading, without its two head rows, cell by cell."""
    lines = text[text.index(f"\n{heading}\n") :].splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("| ---"))
    rows = []
    for line in lines[start + 1 :]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return rows


@pytest.mark.parametrize("method", METHODS)
def test_the_overlay_makes_each_method_what_the_author_ran(method: str) -> None:
    expected = plain(TEXT.methods[method]) | AUTHOR[method]
    assert plain(CODE.methods[method]) == expected


def test_protocols_have_folders_of_their_own_and_share_everything_else() -> None:
    assert (TEXT.protocol, CODE.protocol, CODE.study) == ("text", "code", "author-code")
    text, code = plain(TEXT), plain(CODE)
    assert {key for key in text if text[key] != code[key]} == {"study", "protocol", "methods"}


def test_every_line_of_the_overlay_is_a_difference() -> None:
    text, overlay = dict(leaves(plain(TEXT))), dict(leaves(yaml.safe_load(OVERLAY.read_text(encoding="utf-8"))))
    same = {key for key, value in overlay.items() if text.get(key) == value}
    pairs = {key for key in same if key.endswith((".betas", ".lr_generator", ".lr_critic"))}  # Adam's settings are one mapping
    assert same == pairs
    for key in pairs:
        optimiser = key.rsplit(".", 1)[0]
        assert any(text[f"{optimiser}.{name}"] != ADAM[name] for name in ADAM)


def test_every_difference_is_in_the_table_of_the_document_with_its_ambiguity() -> None:
    text, code = dict(leaves(plain(TEXT)["methods"])), dict(leaves(plain(CODE)["methods"]))
    changed = {key.split(".", 1)[1] for key in text | code if text.get(key) != code.get(key)}
    rows = table(PROTOCOLS, "## Differences in training")
    named = {name for row in rows for name in re.findall(r"`([\w.]+)`", row[4])}
    assert all(row[0] in IDS for row in rows)
    for key in changed:
        assert {key, key.rsplit(".", 1)[-1]} & named, f"docs/protocols.md does not say that {key} differs"
    assert all(any(f".{key}".endswith(f".{name}") for key in changed) for name in named), "the table names no other"


@pytest.mark.parametrize("identity", IDS)
def test_every_ambiguity_is_a_parameter_or_a_reason(identity: str) -> None:
    """A key of params.yaml whose comment carries the id, or a sentence in the document that says why it is fixed."""
    ((_, question, readings, here),) = [row for row in table(PROTOCOLS, "## The ambiguities") if row[0] == identity]
    assert question
    assert readings
    commented = any(re.search(rf"#.*\b{identity}\b", line) for line in PARAMS.splitlines())
    assert commented or re.match(r"Fixed[\w ]*: .{30,}", here), f"{identity} has neither a comment nor a reason"
    assert not (commented and here.startswith("Fixed")), f"{identity} is said to be fixed and has a parameter"


def test_the_document_names_parameters_that_exist() -> None:
    settings = dict(leaves(plain(TEXT) | {"code": plain(CODE)["methods"]}))
    keys = {".".join(parts) for key in settings for parts in runs(key.split("."))}
    values = {str(value) for value in settings.values()} | {"all", "hidden", "wang"}
    for row in table(PROTOCOLS, "## The ambiguities"):
        for name in re.findall(r"`([\w.-]+)`", row[3]):
            assert name in keys | values, f"{row[0]} names {name}, which is not in params.yaml"


def test_the_text_has_the_biases_and_the_last_deconvolution_of_its_sources() -> None:
    """A20 by the table of sources in the document; A8: Table 1's fifth block has no norm."""
    found = {name: (method.generator.bias, method.critic.bias) for name, method in TEXT.methods.items() if name in METHODS}
    assert found == {
        "dcgan": ("none", "none"),
        "wgan-div": ("where-no-norm", "all"),
        "sngan": ("where-no-norm", "all"),
    } | {f"sagan-div-{variant}": ("where-no-norm", "where-no-norm") for variant in "abcd"}
    spectral = {name: method.generator.spectral for name, method in TEXT.methods.items() if method.generator.spectral != "none"}
    assert spectral == {"sagan-div-a": "hidden", "sagan-div-b": "hidden"}
    sources = table(PROTOCOLS, "### Biases, and the last deconvolution: sources")
    assert all(re.search(r"[\w.-]+/[\w.-]+@[0-9a-f]{7}|[\w-]+@[0-9a-f]{7}", row[0]) for row in sources)


def test_what_each_reading_did_to_the_scores_stands_beside_it() -> None:
    """For both readings of A20 and A8, at the same number of images or more."""
    rows = table(PROTOCOLS, "### What each reading did to the scores")
    assert {row[0] for row in rows} == {"`sngan`", "`wgan-div`", "`sagan-div-b`", "`sagan-div-d`"}
    for method in {row[0] for row in rows}:
        readings = [row for row in rows if row[0] == method]
        assert ["`none`" in row[1] for row in readings] == [True, False]
        assert all(any(re.fullmatch(r"[\d.]+( ± \d+)?", cell) for cell in row[2:]) for row in readings)


def runs(parts: list[str]) -> Iterator[list[str]]:
    """Every stretch of neighbours."""
    return (parts[start:stop] for start in range(len(parts)) for stop in range(start + 1, len(parts) + 1))


# The pages of the methods


def page(method: str) -> str:
    return (ROOT / "docs" / "methods" / f"{method}.md").read_text(encoding="utf-8")


def shown(value: Any) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(shown, value))}]"
    if value is None or isinstance(value, bool):
        return {None: "–", True: "true", False: "false"}[value]
    return f"{value:g}" if isinstance(value, float) else str(value)


@pytest.mark.parametrize("method", METHODS)
def test_a_method_s_page_gives_its_parameters_in_both_protocols(method: str) -> None:
    text, code = (dict(leaves(plain(study.methods[method]))) for study in (TEXT, CODE))
    rows = {row[0].strip("`"): row[1:] for row in table(page(method), "## Parameters")}
    assert rows.keys() == text.keys() | code.keys()
    for key, (in_text, in_code, source) in rows.items():
        assert (in_text, in_code) == (shown(text.get(key)), shown(code.get(key))), key
        assert source


def test_the_baselines_run_beside_the_seven_with_the_parameters_on_their_page() -> None:
    study = load(ROOT / "params.yaml", [ROOT / "workflow" / "overlays" / "baselines.yaml"])
    assert {*METHODS, "wgan", "wgan-gp"} <= study.methods.keys()
    wgan, penalised = (dict(leaves(plain(study.methods[name]))) for name in ("wgan", "wgan-gp"))
    rows = {row[0].strip("`"): row[1:] for row in table(page("baselines"), "## Parameters")}
    assert rows.keys() == wgan.keys() | penalised.keys()
    for key, (clipped, with_penalty, _) in rows.items():
        assert (clipped, with_penalty) == (shown(wgan.get(key)), shown(penalised.get(key))), key


def test_the_demo_claims_no_protocol_of_the_paper() -> None:
    demo = load(ROOT / "params.yaml", [ROOT / "workflow" / "overlays" / "demo.yaml"])
    assert demo.protocol == "demo"
    assert [name for name in demo.methods if name in METHODS] == METHODS


@pytest.mark.parametrize("method", METHODS)
def test_a_method_s_page_shows_what_describe_prints(method: str) -> None:
    done = CliRunner().invoke(cli.app, ["describe", method, "--params", str(ROOT / "params.yaml"), "--overlay", str(FULL)])
    assert done.exit_code == 0
    printed = "\n".join(line.rstrip() for line in done.output.rstrip().splitlines())
    assert f"```console\n$ sagan-div describe {method} --overlay workflow/overlays/paper.yaml\n{printed}\n```" in page(method)


def test_the_index_leads_to_every_page() -> None:
    index = (ROOT / "docs" / "methods.md").read_text(encoding="utf-8")
    pages = {path.name for path in (ROOT / "docs" / "methods").glob("*.md")}
    assert set(re.findall(r"\(methods/([\w.-]+)\)", index)) == pages
    assert set(METHODS) <= set(TEXT.methods)


@pytest.mark.parametrize("path", sorted((ROOT / "docs").rglob("*.md")), ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(path: Any) -> None:
    """But for those to the reference, which is made with the site."""
    for target in re.findall(r"\]\((?!https?://|reference/)([^)#]+)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), f"{path.name} links to {target}"
