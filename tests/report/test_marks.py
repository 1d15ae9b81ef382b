"""Runs that show nothing: found by the rule, and marked wherever their numbers stand."""

import contextlib
import io
import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from matplotlib.text import Text
from rich.console import Console
from synthetic import Tree, grow, study

from sagan_div.evaluation import contrast
from sagan_div.evaluation.comparison import Comparison, Pixels
from sagan_div.evaluation.frechet import frechet_distance, moments
from sagan_div.report import catalogue, claims, headline, marks, prose, report, summary
from sagan_div.report.charts import chart
from sagan_div.report.figures import differences, losses, progress, style
from sagan_div.report.figures import scores as scores_figure
from sagan_div.report.marks import AT_START, COLLAPSED, Signs
from sagan_div.report.tables import cells, measures, scores

GREY_SQUARES = {"fid": 347.6, "fid_grey": 340.0, "contrast": 0.08, "variety": 0.08, "classes": [0] * 8 + [80, 0]}
ONE_CLASS = {"fid": 120.0, "fid_grey": 340.0, "classes": [0] * 8 + [80, 0]}


@pytest.mark.parametrize(
    ("signs", "expected"),
    [  # measured at 32x32 in the classifier's space; see the table in `marks`
        (Signs(349.3, 340, math.nan, 0.078, 0.082, 0.9, 1.00, 10), AT_START),  # SNGAN on MNIST: grey squares
        (Signs(126.2, 161, math.nan, 0.142, 0.133, 0.9, 1.15, 10), AT_START),  # and on Fashion-MNIST
        (Signs(288.7, 340, math.nan, 0.283, 0.100, 0.9, 1.00, 10), AT_START),  # variant b: one pattern
        (Signs(131.1, 161, math.nan, 0.278, 0.121, 0.9, 1.00, 10), AT_START),
        (Signs(340.0, 340, math.nan, 0.0, 0.0, 0.9, 1.0, 10), AT_START),  # plain grey
        (Signs(233.6, 340, math.nan, 1.002, 1.217, 2.9, 1.00, 10), AT_START),  # uniform noise
        (Signs(111.5, 340, math.nan, 0.952, 0.835, 0.9, 1.02, 10), COLLAPSED),  # real sevens
        (Signs(76.7, 161, math.nan, 0.967, 0.840, 0.9, 1.82, 10), COLLAPSED),  # real shirts
        (Signs(50.0, 340, math.nan, 0.9, 0.1, 0.9, 1.0, 10), COLLAPSED),  # a single sharp image
        (Signs(76.4, 340, math.nan, 0.555, 0.513, 0.9, 1.17, 10), ""),  # d: weak strokes, far from the start
        (Signs(96.7, 340, math.nan, 0.798, 0.778, 0.9, 1.75, 10), ""),  # WGAN-div on a grey ground
        (Signs(86.0, 161, math.nan, 0.560, 0.560, 0.9, 2.79, 10), ""),
        (Signs(13.7, 340, math.nan, 0.956, 0.952, 0.9, 9.04, 10), ""),  # DCGAN
        (Signs(1.3, 340, math.nan, 0.963, 0.967, 0.9, 9.98, 10), ""),  # real images of the other split
        (
            Signs(348.7, math.nan, 359.1, math.nan, math.nan, 0.9, 1.00, 10),
            AT_START,
        ),  # grey's FID not recorded: the first rating
        (Signs(79.0, math.nan, 386.0, math.nan, math.nan, 0.9, 1.2, 10), ""),
        (Signs(13.2, math.nan, 13.4, math.nan, math.nan, 0.9, 9.5, 10), ""),  # a long run whose first rating was good
        (Signs(5.0, 340, math.nan, 0.9, 0.9, 0.9, 1.0, 1.0), ""),  # a dataset of one class
        (Signs(), ""),
    ],
)
def test_the_rule(signs: Signs, expected: str) -> None:
    assert marks.mark(signs) == expected


def test_classes_covered_are_an_effective_number() -> None:
    assert marks.effective([100, 0, 0]) == 1.0
    assert marks.effective([5, 5, 5, 5]) == pytest.approx(4)
    assert marks.effective([90, 10]) == pytest.approx(math.exp(-0.9 * math.log(0.9) - 0.1 * math.log(0.1)))
    assert math.isnan(marks.effective([0, 0]))


def test_spreads_are_those_of_numpy() -> None:
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (1203, 3, 4, 4), dtype=np.uint8))
    found = contrast.spread(images)
    assert found.pixels == pytest.approx(images.numpy().std())
    assert found.images == pytest.approx(np.sqrt(images.numpy().var(axis=0).mean()))
    assert contrast.spread(images[:1].repeat(50, 1, 1, 1)).images == 0.0
    assert contrast.spread(torch.full((900, 1, 8, 8), 127, dtype=torch.uint8)) == (0.0, 0.0, 0.0)
    steps = [np.diff(images.numpy().astype(float), axis=axis) ** 2 for axis in (2, 3)]
    assert found.steps == pytest.approx(math.sqrt(sum(each.sum() for each in steps) / images.numel()))


def test_contrast_variety_and_the_fid_of_grey_are_measured() -> None:
    generator = np.random.default_rng(0)
    real, grey = generator.normal(0, 1, (500, 4)), generator.normal(3, 1, (1, 4))
    given = Comparison(real, np.ones((500, 1)), real, moments(real), pixels=Pixels((20.0, 5.0, 3.0), (40.0, 50.0, 1.0), grey))
    *shares, fid = contrast.measure(given)
    assert shares == [0.5, 0.1, 3.0]
    assert fid == pytest.approx(frechet_distance(moments(grey.repeat(3, 0)), moments(real)), rel=1e-6)
    assert list(contrast.measure(Comparison(real, np.ones((500, 1)), real, moments(real)))) == [None, None, None, None]


@pytest.fixture(scope="module")
def marked(tmp_path_factory: pytest.TempPathFactory) -> Tree:
    """SNGAN has not left its start, one of b's runs has collapsed, one of d's and all of DCGAN's on Fashion-MNIST diverged."""
    tree = grow(tmp_path_factory.mktemp("marked"), study())
    for seed in (0, 1):
        tree.rescore("mnist", "sngan", seed, precision=0.99, **GREY_SQUARES)
        tree.diverge("fashion-mnist", "dcgan", seed)
    tree.rescore("mnist", "sagan-div-b", 1, **ONE_CLASS)
    tree.diverge("mnist", "sagan-div-d", 0)
    tree.write()
    return tree


def test_marks_stand_beside_the_numbers_in_every_table(marked: Tree) -> None:
    results = marked.read()
    overview = {method: [value.text for value in row] for method, row in scores.overview(results).rows.items()}
    assert overview["sngan"][0].endswith("(not left its start)")
    assert overview["sagan-div-b"][0].endswith("(1 of 2 collapsed)")
    assert overview["sagan-div-d"][0].endswith("(n = 1) (1 of 2 diverged)")
    assert overview["dcgan"][2] == "diverged"
    best = {method: row[0].best for method, row in scores.overview(results).rows.items()}
    assert best == {"dcgan": True, "sngan": False, "sagan-div-b": False, "sagan-div-d": False}
    assert not any("(" in text for text in overview["dcgan"][:2])
    shown = measures.table(results).rows
    assert shown["mnist/sngan/classifier"][1].text == "SNGAN (not left its start)"  # beside a precision of 0.99
    states = {key: row[3].text for key, row in cells.table(results).rows.items()}
    assert states["mnist/sngan/0"] == "scored, not left its start"
    assert (states["mnist/sagan-div-b/0"], states["mnist/sagan-div-b/1"]) == ("scored", "scored, collapsed")
    assert states["mnist/sagan-div-d/0"] == "scored, diverged"
    tidy = scores.overview(results).tidy.set_index(["dataset", "method", "extractor"])["marks"]
    assert tidy["mnist", "sngan", "classifier"] == "not left its start"
    assert pd.isna(tidy["mnist", "dcgan", "classifier"])
    note = " ".join(scores.overview(results).notes)
    assert "Marked: DCGAN on Fashion-MNIST diverged" not in note.split("SNGAN on MNIST")[0]
    assert "SNGAN on MNIST not left its start" in note
    assert marks.RULE in note


@pytest.mark.parametrize("name", ["tables/table2.md", "tables/table2.tex", "tables/measures.md", "tables/measures.tex"])
def test_marks_are_in_the_files_of_the_tables(marked: Tree, name: str) -> None:
    lines = (marked.results / name).read_text().splitlines()
    assert any(
        "SNGAN" in line and "not left its start" in line for line in lines if line.count("|") > 3 or line.endswith("\\\\")
    )


def test_marks_are_on_the_page_in_the_summary_and_in_the_metrics(marked: Tree) -> None:
    page = (marked.results / "report.html").read_text()
    assert "not left its start" in page[page.index('id="answer"') : page.index('id="scores"')]
    assert "SNGAN, seed 0: not left its start" in page
    assert "SNGAN on MNIST: not left its start (seeds 0 and 1)" in page[page.index('id="claims"') :]
    console = Console(width=160, file=io.StringIO())
    with contextlib.chdir(marked.root):
        console.print(report.summary(marked.study, marked.layout))
        rows = report.scores(marked.study, marked.layout)
    assert "not left its start" in console.file.getvalue()  # type: ignore[attr-defined]
    assert {row["marks"] for row in rows} == {None, "not left its start", "1 of 2 collapsed", "1 of 2 diverged", "diverged"}
    found = headline.numbers(marked.read(), "mnist", "sngan")
    assert (found["marked"], found["precision"]) == (2, 0.99)
    assert "marked" not in headline.numbers(marked.read(), "mnist", "dcgan")


def test_the_figure_of_scores_crosses_marked_runs_and_names_them(marked: Tree) -> None:
    results = marked.read()
    with style.applied():
        figure = scores_figure.draw(results)
    texts = [text.get_text() for text in figure.axes[0].texts]
    for said in ("not left its start", "(1 of 2 collapsed)", "(1 of 2 diverged)"):
        assert any(text.endswith(said) for text in texts)
    crosses = [line for line in figure.axes[0].lines if line.get_marker() == "x"]
    assert sorted(len(line.get_xdata()) for line in crosses) == [0, 0, 1, 2]  # type: ignore[arg-type]
    assert "A cross is a run with a mark." in prose.fid_caption(results)
    assert any(text.get_text() == "diverged" for ax in figure.axes for text in ax.texts)


def test_every_figure_of_numbers_names_the_marks(marked: Tree) -> None:
    """Of curves, losses and differences too: a curve that ends in grey squares looks like any other."""
    results = marked.read()
    judgements = claims.judge(results.scores, results.runs, results.datasets)
    figures = (progress.draw(results, "mnist"), losses.draw(results, "mnist"), differences.draw(results, judgements))
    for figure in figures:
        said = " ".join(text.get_text() for text in figure.findobj(Text))
        assert "not left its start" in said
        assert "1 of 2 collapsed" in said or figure is figures[-1]  # where b is compared by ranks alone


def test_the_lowest_and_the_highest_are_named_with_their_marks(marked: Tree) -> None:
    said = summary.answer(marked.read(), [])
    assert "SNGAN (347.60, not left its start)" in said["Found"]
    assert "not left its start" in said["How sure"]


def test_diverged_runs_count_in_the_claims(marked: Tree) -> None:
    claims = {claim["number"]: claim for claim in json.loads((marked.results / catalogue.CLAIMS).read_text())}
    assert claims[7]["verdict"] == "does not hold"
    assert "SAGAN-div d on MNIST diverged" in claims[7]["reason"]
    test = next(each for each in claims[6]["outcomes"] if (each["dataset"], each["method"]) == ("fashion-mnist", "sngan"))
    assert (test["by"], test["mean_than"]) == ("ranks", None)  # DCGAN's infinite mean
    assert "DCGAN on Fashion-MNIST: diverged (seeds 0 and 1)" in claims[6]["remarks"]


def test_a_study_without_marks_says_nothing_of_them(written: Tree) -> None:
    assert prose.marks(written.read()) == ()
    assert "Marks:" not in (written.results / "report.html").read_text().replace(chart.runtime(), "")


def test_a_diverged_run_that_was_sampled_keeps_its_number_and_its_mark(tmp_path: Path) -> None:
    tree = grow(tmp_path, study("datasets=[mnist]", "methods=[dcgan]", "seeds=[0]"))
    tree.record("train", "mnist", "dcgan", 0, best={"images": 10, "fid": 9.0}, images_per_second=900.0, diverged=2000)
    (value, _) = scores.overview(tree.read()).rows["dcgan"]
    assert value.text.endswith("(diverged)")
    assert value.sort is not None
