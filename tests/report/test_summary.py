"""A study at a glance: three sentences, a table for a terminal, rows for programs, and what is missing."""

import contextlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from synthetic import ROOT, SMALL, Tree, grow, level, study

from sagan_div import terminal
from sagan_div.report import missing, report, summary
from sagan_div.report.tables import scores


def test_a_metric_that_could_not_be_had_is_named_and_the_others_are_shown(tmp_path: Path) -> None:
    tree = grow(tmp_path, study("datasets=[mnist]", "methods=[dcgan]", "seeds=[0]"))
    path = tree.at("score", "metrics.json", "mnist", "dcgan", 0)
    content = json.loads(path.read_text())
    lost = {"kid": None, "why_kid": "too few images", "fid": None, "why_fid": "no root"}
    content["extractors"]["classifier"] |= lost
    path.write_text(json.dumps(content))
    results = tree.read()
    said = missing.sentences(results)
    assert "KID in classifier features is not measured for 1 cell: too few images." in said
    assert any(line.startswith("FID in classifier features is not measured") and "no root" in line for line in said)
    assert scores.overview(results).rows["dcgan"][0].text == "not measured"


def test_the_answer_is_three_sentences_of_the_numbers(written: Tree) -> None:
    said = summary.answer(written.read(), ["holds"] + ["does not hold"] * 2 + ["not decidable"] * 4)
    assert list(said) == ["Claimed", "Found", "How sure"]
    assert all(text.count(". ") == 0 and text.endswith(".") for text in said.values())
    lowest, highest = (np.mean([level("mnist", method, seed) for seed in (0, 1)]) for method in ("sngan", "sagan-div-b"))
    assert f"SNGAN ({lowest:.2f}) comes nearest and SAGAN-div b ({highest:.2f}) stays farthest on MNIST" in said["Found"]
    assert "on Fashion-MNIST of the two methods measured" in said["Found"]
    assert said["Found"].endswith("of the paper’s seven claims one holds, two do not hold and four cannot be decided.")
    assert "2 training runs (12 of 16 planned runs are scored), each on 32,000,000 images of 16×16 pixels" in said["How sure"]
    assert "5.3 % of the paper’s training" in said["How sure"]
    assert "Inception FID: not measured" in said["How sure"]


def test_a_study_of_other_images_answers_no_claim(demo: Tree) -> None:
    said = summary.answer(demo.read(), ["not decidable"] * 7)
    assert said["Claimed"].endswith("all of MNIST and Fashion-MNIST, and nothing of what is studied here.")
    assert "the paper’s seven claims are not tested here" in said["Found"]
    assert "each number is of 1 training run" in said["How sure"].lower()


def test_the_order_of_the_variants_is_told_where_all_four_are_there(tmp_path: Path) -> None:
    settings = study("datasets=[mnist]", "seeds=[0]", "methods=[dcgan]")
    recipe = settings.methods["dcgan"]
    settings = settings.model_copy(update={"methods": {f"sagan-div-{letter}": recipe for letter in "abcd"}})
    said = summary.answer(grow(tmp_path, settings).read(), [])
    assert "the variants in the order d < b < a < c, the paper’s" in said["Found"]


def test_summary_is_a_table_for_a_terminal(written: Tree, demo: Tree, capsys: pytest.CaptureFixture[str]) -> None:
    for tree, there in ((written, "45.7734"), (demo, "nothing here compares with it")):
        with contextlib.chdir(tree.root):
            terminal.show(report.summary(tree.study, tree.layout))
        text = " ".join(capsys.readouterr().out.split())
        assert there in text
        assert "DCGAN" in text
        assert "features of a classifier" in text


def test_the_summary_speaks_json(written: Tree) -> None:
    with contextlib.chdir(written.root):
        rows = json.loads(json.dumps(report.scores(written.study, written.layout), allow_nan=False))
    found = {(row["dataset"], row["method"], row["extractor"]): row for row in rows}
    assert found[("mnist", "dcgan", "classifier")]["fid"] == pytest.approx(
        np.mean([level("mnist", "dcgan", seed) for seed in (0, 1)])
    )
    assert found[("mnist", "dcgan", "inception")]["fid"] is None


def test_summary_and_compare_import_neither_torch_nor_scipy(written: Tree) -> None:
    code = """
import sys
from pathlib import Path
from sagan_div.report import comparison, report
from sagan_div.study.load import load
from sagan_div.workflow.layout import Layout
study = load(Path(sys.argv[1]), sets=sys.argv[2:])
report.summary(study, Layout(study.study)), report.scores(study, Layout(study.study))
comparison.table(comparison.compare(comparison.read("results"), comparison.read("results"), every=True), "a", "b")
print([m for m in ("torch", "scipy", "matplotlib", "jinja2", "PIL") if m in sys.modules])
"""
    words = [sys.executable, "-c", code, str(ROOT / "params.yaml"), *SMALL]
    done = subprocess.run(words, cwd=written.root, capture_output=True, text=True)
    assert (done.stdout.strip(), done.returncode) == ("[]", 0), done.stderr
