"""The one reader of YAML: it agrees with DVC's own, which reads the same params.yaml, or refuses in one line."""

import random
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from dvc.utils.serialize import load_yaml, parse_yaml
from snakemake.cli import parse_config

from sagan_div.errors import UserError
from sagan_div.study import yaml12
from sagan_div.study.load import load
from support import ROOT, params_alone

BOMB = "a0: &a0 [x]\n" + "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30))


def of_dvc(text: str) -> Any:
    """What DVC reads, or None where it fails."""
    try:
        return parse_yaml(text, "params.yaml")
    except Exception:
        return None


def refusal(text: str) -> str:
    with pytest.raises(UserError) as caught:
        yaml12.parse(text, "params.yaml")
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("010", 10),
        ("0o10", 8),
        ("0x1F", 31),
        ("0b11", 3),
        ("1:30", "1:30"),
        ("on", "on"),
        ("yes", "yes"),
        ("n", "n"),
        ("True", True),
        ("2e-05", 2e-5),
        ("1_000", 1000),
        (".inf", float("inf")),
        ("~", None),
        ("", None),
        ("null", None),
        ("+5", 5),
        ("08", 8),
        (".5", 0.5),
        ("2001-01-01", date(2001, 1, 1)),
        ("'010'", "010"),
    ],
)
def test_scalars_are_those_of_yaml_1_2_and_of_dvc(text: str, value: object) -> None:
    found = yaml12.parse(f"key: {text}", "params.yaml")["key"]
    assert (found, type(found)) == (value, type(value))
    assert of_dvc(f"key: {text}") == {"key": value}


def test_random_scalars_are_read_as_dvc_reads_them() -> None:
    chance, agreed = random.Random(16), 0
    for _ in range(3000):
        text = "".join(chance.choices("0123456789_.:+-eExobnyfaiTFNul~", k=chance.randint(1, 6)))
        theirs = of_dvc(f"key: {text}")
        if theirs is None:
            assert refusal(f"key: {text}")
        else:
            assert repr(yaml12.parse(f"key: {text}", "")) == repr(theirs), text
            agreed += 1
    assert agreed > 2000


def test_random_scalars_on_snakemakes_command_line_are_read_as_dvc_reads_them() -> None:
    """Each as a seed: the same number, or refused by both."""
    chance, read = random.Random(17), 0
    for _ in range(400):
        text = "".join(chance.choices("0123456789_.+-eExob", k=chance.randint(1, 4)))
        theirs = of_dvc(f"seeds: [{text}]")
        try:
            ours = list(load(ROOT / "params.yaml", layer=parse_config([f"seeds=[{text}]"])).seeds)
        except UserError:
            ours = None
        whole = theirs is not None and type(theirs["seeds"][0]) is int and theirs["seeds"][0] >= 0
        assert ours == (theirs["seeds"] if whole else None), text
        read += whole
    assert read > 50


def test_leading_zeros_are_the_same_seeds_to_us_and_to_dvc(tmp_path: Path) -> None:
    """As YAML 1.1 they are octal: `seeds: [010, 020]` would train 8 and 16, and DVC record 10 and 20 (treeverse/dvc#5971)."""
    path = params_alone(tmp_path)
    path.write_text(path.read_text().replace("seeds: [0, 1, 2]", "seeds: [010, 020]"))
    assert list(load(path).seeds) == load_yaml(path)["seeds"] == [10, 20]
    (tmp_path / "more.yaml").write_text("seeds: [030]")
    assert load(path, [tmp_path / "more.yaml"]).seeds == (30,)
    assert load(path, sets=["seeds=[040]"]).seeds == (40,)
    assert load(path, layer=parse_config(["seeds=[050]"])).seeds == (50,)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("a: [1", "params.yaml:1: not valid YAML: "),
        ("a: 1\nb:\n  c: 1\n  c: 2", "params.yaml:4: not valid YAML: the key 'c' is there twice"),
        ("a: 1\n? [a, b]\n: 1", "params.yaml:2: not valid YAML: expected text as a key, found ['a', 'b']"),
        ("a: 1\n3: 1", "params.yaml:2: not valid YAML: expected text as a key, found 3"),
        ("{a: 1}: 2", "params.yaml:1: not valid YAML: found unhashable key"),
        ("a: \0", "not valid YAML: "),
        ("a: 2001-99-99", "params.yaml:1: not valid YAML: the text '2001-99-99' is no value"),
        ("a: " + "9" * 5000, "is no value"),
        ("a: 0x" + "F" * 5000, "has more than 64 bits"),
        ("a: !!python/object:os.system x", "params.yaml:1: not valid YAML: "),
        ("a: *none", "params.yaml:1: not valid YAML: found undefined alias 'none'"),
        ("a: 1\n---\nb: 1", "params.yaml:2: not valid YAML: but found another document"),
        ("a: " + "[" * 3000 + "]" * 3000, "params.yaml: not valid YAML: it is nested too deeply"),
        ("a: " + "[" * 3000, "params.yaml: not valid YAML: it is nested too deeply"),
        ("a: &a [*a]", "its aliases unfold to more than 100,000 values, or to themselves"),
        (
            "a0: &a0 [x]\n" + "\n".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)),
            "its aliases unfold",
        ),
    ],
)
def test_what_is_no_yaml_is_refused_in_one_line_with_its_place(text: str, words: str) -> None:
    assert words in refusal(text)


def test_aliases_without_end_are_refused_by_every_door() -> None:
    bomb = parse_config(["methods={" + BOMB.replace("\n", ", ") + "}"])
    assert isinstance(bomb["methods"], dict)
    for ways in ({"layer": bomb}, {"sets": ["methods={" + BOMB.replace("\n", ", ") + "}"]}):
        with pytest.raises(UserError, match="its aliases unfold to more than 100,000 values"):
            load(ROOT / "params.yaml", **ways)  # type: ignore[arg-type]


def test_anchors_and_merge_keys_are_read_as_dvc_reads_them() -> None:
    text = "x: &x {k: 1, l: 1}\ny: {<<: *x, k: 2}\nz: *x"
    assert yaml12.parse(text, "") == of_dvc(text) == {"x": {"k": 1, "l": 1}, "y": {"k": 2, "l": 1}, "z": {"k": 1, "l": 1}}


@pytest.mark.parametrize(
    ("content", "words"),
    [(b"- 1", "expected keys with values, found [1]"), (b"\xff", "is not a text file"), (b"x", "found the text 'x'")],
)
def test_a_file_that_is_no_mapping_is_refused(tmp_path: Path, content: bytes, words: str) -> None:
    (tmp_path / "params.yaml").write_bytes(content)
    with pytest.raises(UserError, match=r"params\.yaml: ") as caught:
        load(tmp_path / "params.yaml")
    assert words in str(caught.value)


def test_a_missing_file_is_named() -> None:
    with pytest.raises(UserError, match=r"^none\.yaml: cannot be read \(No such file or directory\); name another"):
        load(Path("none.yaml"))


def test_a_file_without_end_is_refused_before_it_fills_the_memory() -> None:
    with pytest.raises(UserError, match="/dev/zero: is larger than a study can be"):
        yaml12.mapping(Path("/dev/zero"))
