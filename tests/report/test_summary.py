"""A study at a glance: five sentences, a table for a terminal, rows for programs, and what is missing."""

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


def test_the_summary_is_five_sentences_of_the_numbers(written: Tree) -> None:
    said = summary.sentences(written.read(), ["holds"] + ["does not hold"] * 2 + ["not decidable"] * 4, "at this budget")
    assert len(said) == 5
    assert "12 of 16 cells (dataset, method, seed) are trained and scored" in said[0]
    assert "32,000,000 real images, 5.3 % of" in said[1]
    lowest = np.mean([level("mnist", "sngan", seed) for seed in (0, 1)])
    assert (
        f"on MNIST the lowest mean FID in classifier features is that of SNGAN ({lowest:.2f})"
        in said[3][0].lower() + said[3][1:]
    )
    assert "of the two methods measured is that of DCGAN" in said[3]
    assert (
        said[4]
        == "Of the paper’s seven claims one holds in these runs, two do not hold, and four are not decidable with them, "
        "all at this budget."
    )


def test_the_order_of_the_variants_is_told_where_all_four_are_there(tmp_path: Path) -> None:
    settings = study("datasets=[mnist]", "seeds=[0]", "methods=[dcgan]")
    recipe = settings.methods["dcgan"]
    settings = settings.model_copy(update={"methods": {f"sagan-div-{letter}": recipe for letter in "abcd"}})
    assert (
        "the variants in the order d < b < a < c, the paper’s." in summary.sentences(grow(tmp_path, settings).read(), [], "")[3]
    )


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
