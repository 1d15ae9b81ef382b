"""What the figures rest on: labels that do not overlap, pictures that show what they say, ratings that are read rightly."""

import contextlib
import itertools
import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats as scipy_stats
from synthetic import Tree, grow, history, rings, study

from sagan_div.report import catalogue, gather, pictures, prose, ratios, words
from sagan_div.report.charts import classes as charts
from sagan_div.report.figures import axes, classes, losses, manifold, registry, style


@pytest.mark.parametrize("heights", [[0.1, 0.11, 0.12], [0.0, 0.5, 0.51, 0.9], [0.3], [], [0.2] * 7])
def test_labels_are_apart_and_keep_their_order(heights: list[float]) -> None:
    moved = axes.apart(heights, 0.05)
    assert all(high - low >= 0.05 - 1e-9 for low, high in itertools.pairwise(moved))
    assert sum(moved) == pytest.approx(sum(heights))


def test_labels_with_room_stay_where_they_are() -> None:
    assert axes.apart([0.1, 0.5, 0.9], 0.05) == [0.1, 0.5, 0.9]


def test_labels_at_the_foot_stay_on_the_axes() -> None:
    assert axes.apart([0, 0, 0.01, 0.5], 0.05) == pytest.approx([0, 0.05, 0.1, 0.5])


def test_an_arc_keeps_its_ends_and_its_length() -> None:
    start, end = torch.tensor([2.0, 0.0, 0.0]), torch.tensor([0.0, 2.0, 0.0])
    walked = pictures.arc(start, end, 5)
    assert torch.allclose(walked[0], start)
    assert torch.allclose(walked[-1], end, atol=1e-6)
    assert torch.allclose(walked.norm(dim=1), torch.full((5,), 2.0))
    assert torch.allclose(pictures.arc(start, start, 3), start.expand(3, 3))


def test_neighbours_of_training_images_are_themselves() -> None:
    real = torch.from_numpy(rings(3, 40, 28))
    picture = np.asarray(pictures._neighbours(real[5:], real[5:13]))
    height = picture.shape[0] // 2
    assert (picture[:height] == picture[-height:]).all()


def test_albums_show_real_images_first_and_name_what_was_not_run(written: Tree) -> None:
    with contextlib.chdir(written.root):
        albums = pictures.albums(gather.read(written.study, written.layout), "fashion-mnist")
    assert [panel.title for panel in albums["samples"]] == [
        "Real images",
        "DCGAN, seed 0",
        "SNGAN",
        "SAGAN-div b",
        "SAGAN-div d, seed 0",
    ]
    assert [panel.picture is None for panel in albums["samples"]] == [False, False, True, True, False]
    assert all(panel.picture is not None for panel in albums["interpolations"] if "seed" in panel.title)


def test_walks_are_those_of_the_generator_that_was_sampled(tmp_path: Path) -> None:
    """A method's own `select` comes before the study's."""
    few = ("datasets=[mnist]", "methods=[dcgan, sngan]", "seeds=[0]", "sample.select=best")
    walks = {}
    for name, sets in (("usual", few), ("own", (*few, "methods.sngan.select=last"))):
        tree = grow(tmp_path / name, study(*sets))
        with contextlib.chdir(tree.root):
            panels = pictures.albums(tree.read(), "mnist")["interpolations"]
        walks[name] = {panel.title: np.asarray(panel.picture) for panel in panels}
    assert (walks["usual"]["DCGAN, seed 0"] == walks["own"]["DCGAN, seed 0"]).all()
    assert (walks["usual"]["SNGAN, seed 0"] != walks["own"]["SNGAN, seed 0"]).any()
    assert "best-rated generator of each run (last of SNGAN)" in prose.conditions(tree.read())


def test_each_figure_that_is_promised_can_be_drawn() -> None:
    assert registry.MAKERS.keys() == catalogue.FIGURES.keys()


def test_the_noise_of_ratings_ignores_a_slow_trend() -> None:
    trend = pd.DataFrame({"fid": np.linspace(40, 20, 400), "loss_critic": 1.0, "loss_generator": 1.0})
    assert gather._unrest(trend)["noise"] < 0.05
    noisy = trend.assign(fid=trend["fid"] + np.random.default_rng(0).normal(0, 2, 400))
    assert gather._unrest(noisy)["noise"] == pytest.approx(2, rel=0.15)


@pytest.mark.parametrize(
    ("fids", "loss", "steady"), [([9, 8, 7], 1.0, True), ([9, 4, 9], 1.0, False), ([9, 8, 7], math.inf, False)]
)
def test_a_run_is_steady_unless_it_ends_badly(fids: list[float], loss: float, steady: bool) -> None:
    frame = pd.DataFrame({"fid": fids, "loss_critic": loss, "loss_generator": 1.0})
    assert gather._unrest(frame)["steady"] is steady


def test_a_run_without_ratings_is_neither() -> None:
    frame = pd.DataFrame({"fid": [math.nan], "loss_critic": [1.0], "loss_generator": [1.0]})
    assert gather._unrest(frame)["steady"] is None
    assert math.isnan(gather._unrest(frame)["noise"])


def test_colours_are_apart_up_to_seven_methods(written: Tree) -> None:
    with contextlib.chdir(written.root):
        results = gather.read(written.study, written.layout)
    names = ["dcgan", "wgan-div", "sngan", *(f"sagan-div-{letter}" for letter in "abcd")]
    methods = dict.fromkeys(names, results.study.methods["dcgan"])
    wide = replace(results, study=results.study.model_copy(update={"methods": methods}))
    assert len({style.colour(wide, name) for name in names}) == 7


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(41.2, "41 s"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (None, "–"), (math.nan, "–"), (59.7, "1 min 0 s")],
)
def test_durations(seconds: float | None, expected: str) -> None:
    assert words.duration(seconds) == expected


def test_history_columns_are_those_of_training() -> None:
    from sagan_div.training.history import COLUMNS

    assert set(gather.HISTORY) == set(history("dcgan", 0, 100).splitlines()[0].split(","))
    assert set(gather.HISTORY) <= set(COLUMNS)


def test_precision_and_recall_are_drawn_where_they_are_measured(tmp_path: Path) -> None:
    settings = study("datasets=[mnist]", "seeds=[0]")
    tree = grow(tmp_path, settings)
    for number, method in enumerate(settings.methods):
        path = tree.at("score", "metrics.json", "mnist", method, 0)
        content = json.loads(path.read_text())
        measured = {"precision": 0.9 - 0.1 * number, "recall": 0.2 + 0.2 * number, "density": 1.2, "coverage": 0.7}
        content["extractors"]["classifier"] |= measured
        path.write_text(json.dumps(content))
    assert catalogue.Figure("manifold") in catalogue.figures(settings)
    only_fid = study("score.metrics=[fid]", "score.repeat_last_batch=[]")
    assert catalogue.Figure("manifold") not in catalogue.figures(only_fid)
    figure = manifold.draw(tree.read())
    assert {text.get_text() for text in figure.legends[0].get_texts()} == {"DCGAN", "SNGAN", "SAGAN-div b", "SAGAN-div d"}
    marks = [line.get_xydata().tolist() for line in figure.axes[0].lines if line.get_marker() != "None"]
    assert marks[1] == [[pytest.approx(0.4), pytest.approx(0.8)]]


def test_the_spread_of_seeds_is_drawn_through_each_mark_of_the_manifold(written: Tree) -> None:
    results = written.read()
    recalls = gather.rows_of(results.scores, dataset="mnist", method="sngan", extractor="classifier")["recall"]
    across = [line.get_xdata() for line in manifold.draw(results).axes[0].lines]
    assert [recalls.min(), recalls.max()] in [list(ends) for ends in across if len(ends) == 2]


def test_a_ratio_is_of_geometric_means_with_the_interval_of_its_logarithm() -> None:
    first, second = [1.0, 2.0, 4.0], [2.0, 8.0, 16.0]
    found = ratios.ratio(first, second, paired=True)
    assert found is not None
    assert found.value == pytest.approx(2 / 256 ** (1 / 3))
    expected = scipy_stats.ttest_rel(np.log(first), np.log(second)).confidence_interval()
    assert found.ends == pytest.approx((math.exp(expected.low), math.exp(expected.high)))
    assert ratios.ratio([1.0], [2.0], paired=False) == (0.5, None)
    assert ratios.ratio([], [2.0], paired=False) is None


def test_first_spikes_do_not_set_the_scale_of_losses() -> None:
    calm = pd.DataFrame({"images": np.arange(1, 101), "loss_critic": 1.0, "loss_generator": 2.0})
    spiked = calm.copy()
    spiked.loc[:3, "loss_critic"] = 1e6
    spiked.loc[50, "loss_generator"] = math.inf
    assert losses.span(spiked) == losses.span(calm) == pytest.approx((0.85, 2.15))
    assert losses.span(calm.assign(loss_critic=math.nan, loss_generator=math.nan)) is None


def test_classes_go_by_their_names(written: Tree) -> None:
    with style.applied():
        labels = [classes.draw(written.read(), name).axes[0].get_xticklabels() for name in ("mnist", "fashion-mnist")]
    assert [label.get_text() for label in labels[0]] == [str(digit) for digit in range(10)]
    assert [label.get_text() for label in labels[1]][::9] == ["T-shirt", "ankle boot"]


def test_classes_of_a_folder_go_by_the_names_of_its_folders(tmp_path: Path) -> None:
    """`$x$` stays as it is, what the font lacks or would set the wrong way round is a number, the last two differ."""
    names = ["10", "2", "$x$", "猫", "حمامة", "w" * 200, "<b>", "Ünïcödé", r"\n", r"\n"]
    tree = grow(tmp_path, study("datasets=[{birds: pictures}]", "methods=[dcgan]", "seeds=[0]"))
    tree.about("birds", found={"names": names})
    results = tree.read()
    with style.applied():
        figure = classes.draw(results, "birds")
        figure.canvas.draw()
    labels = figure.axes[0].get_xticklabels()
    assert [label.get_text() for label in labels] == [
        "10",
        "2",
        "$x$",
        "3",
        "4",
        "w" * 13 + "...",
        "<b>",
        "Ünïcödé",
        r"\n (8)",
        r"\n (9)",
    ]
    assert not any(label.get_parse_math() for label in labels)
    chart = charts.draw(results, "birds", "dcgan")
    assert chart
    (rows,) = chart.spec["datasets"].values()
    assert [row["class"] for row in rows] == [*names[:8], r"\n (8)", r"\n (9)"]


@pytest.mark.parametrize("found", [{}, {"names": None}, {"names": []}, {"names": {"a": 1}}, []])
def test_classes_go_by_numbers_where_the_record_has_no_names(tmp_path: Path, found: object) -> None:
    tree = grow(tmp_path, study("datasets=[{birds: pictures}]", "methods=[dcgan]", "seeds=[0]"))
    tree.about("birds", found=found)
    assert tree.read().class_name("birds", 3) == "3"


def test_shares_of_classes_are_of_all_seeds_beside_the_real_ones(written: Tree) -> None:
    with style.applied():
        figure = classes.draw(written.read(), "mnist")
    bars = [bar.get_height() for bar in figure.axes[0].patches]
    assert bars == pytest.approx([0.1] * 10)  # 10 and 11 samples of each of ten classes
    dashes = figure.axes[0].lines[0].get_ydata()
    assert dashes == pytest.approx(np.arange(10, 20) / 145)


def test_the_floor_has_one_name(tmp_path: Path) -> None:
    tree = grow(tmp_path, study("datasets=[mnist]", "seeds=[0]", "methods=[dcgan]"))
    entry = {"extractors": {"classifier": {"fid": 3.0, "fid_floor": 0.7}}}
    tree.at("score", "metrics.json", "mnist", "dcgan", 0).write_text(json.dumps(entry))
    assert tree.read().floor("mnist", "classifier") == 0.7
