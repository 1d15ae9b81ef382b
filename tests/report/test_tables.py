"""The tables: ours and the paper's apart, in CSV, Markdown and LaTeX."""

import json
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from synthetic import FLOOR, ROOT, Tree, grow, level, study

from sagan_div.report import architecture, catalogue, gather, missing, prose, typesetting
from sagan_div.report.tables import cells, measures, networks, real_vs_real, registry, scores, selection
from sagan_div.report.tables.table import Column, Table, Value
from sagan_div.study import metrics
from sagan_div.study.load import load
from sagan_div.workflow.layout import Layout


def test_further_measures_are_passed_on(written: Tree) -> None:
    results = written.read()
    fids = np.array([level("mnist", "dcgan", seed) for seed in (0, 1)])
    shown = measures.table(results)
    row = dict(zip([column.head for column in shown.columns], shown.rows["mnist/dcgan/classifier"], strict=True))
    assert row["KID × 1000"].text == f"{fids.mean():.2f} ± {fids.std(ddof=1):.2f}"
    assert row["recall"].text.startswith(f"{0.8 - fids.mean() / 60:.2f} ± ")
    assert "fashion-mnist/sngan/classifier" not in shown.rows  # not run
    assert not any(key.endswith("inception") for key in shown.rows)  # not measured
    tidy = shown.tidy.set_index(["dataset", "method", "extractor"])
    assert tidy.loc[("mnist", "dcgan", "classifier"), "is"] == pytest.approx(9 - fids.mean() / 10)
    assert tidy.loc[("fashion-mnist", "sngan", "classifier"), "n"] == 0
    assert "kid_classifier" in cells.table(results).tidy.columns


def test_a_new_metric_is_a_column_without_a_word_about_it_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edges = metrics.Key("edges", "edges, %", "lower", 100.0, table=True)
    new = metrics.Metric("sharpness", "Sharpness", "nowhere", (edges,), "Edges: of the images.")
    monkeypatch.setitem(metrics.METRICS, "sharpness", new)
    tree = grow(tmp_path, study("datasets=[mnist]", "methods=[dcgan, sngan]", "seeds=[0]"))
    score = tree.study.score.model_copy(update={"metrics": ("fid", "sharpness")})
    tree = replace(tree, study=tree.study.model_copy(update={"score": score}))
    for method, found in (("dcgan", {"edges": 0.25}), ("sngan", {"edges": None, "why_sharpness": "too few images"})):
        path = tree.at("score", "metrics.json", "mnist", method, 0)
        content = json.loads(path.read_text())
        content["extractors"]["classifier"] |= found
        path.write_text(json.dumps(content))
    shown = measures.table(tree.read())
    place = [column.head for column in shown.columns].index("edges, %")
    assert [row[place].text for row in shown.rows.values()] == ["25.00", "–"]
    assert shown.notes[0].endswith("Edges: of the images.")
    assert "Sharpness in classifier features is not measured for 1 cell: too few images." in missing.sentences(tree.read())


def test_best_as_selected_stands_beside_best_and_last_by_fresh_latents(written: Tree) -> None:
    fids = np.array([level("mnist", "dcgan", seed) for seed in (0, 1)])
    shown = selection.table(written.read())
    row = [value.text for value in shown.rows["mnist/dcgan"][2:]]
    best, last = (f"{fids.mean() + more:.2f} ± {fids.std(ddof=1):.2f}" for more in (0.5, 1.0))
    within = stats.t.ppf(0.975, 2) * 0.2 / np.sqrt(3)  # draws 0.2 apart
    assert row == [f"{fids.mean():.2f} ± {fids.std(ddof=1):.2f}", best, f"{within:.2f}", last]
    assert "fashion-mnist/sngan" not in shown.rows  # not run
    page = (written.results / "report.html").read_text()
    assert "best, as selected" in page
    assert row[1] in page


def test_real_images_against_real_ones_are_a_table(tmp_path: Path) -> None:
    tree = grow(tmp_path, study("datasets=[mnist]", "methods=[dcgan]", "seeds=[0]", "score.real_vs_real.draws=3"))
    path = tmp_path / str(tree.layout.real_vs_real).format(dataset="mnist", extractor="classifier")
    path.parent.mkdir(parents=True, exist_ok=True)
    kinds = [{"pair": pair, "sampler": sampler} for pair, sampler in prose.REAL_VS_REAL]
    found = [kind | {"images": 32, "fids": [10.0 + i, 20.0 + i, 30.0 + i]} for i, kind in enumerate(kinds)]
    found += [kinds[0] | {"images": 10000, "fids": [0.5]}]
    path.write_text(json.dumps(found))
    shown = real_vs_real.table(tree.read())
    few, many = ([value.text for value in row] for row in shown.rows.values())
    assert few == ["MNIST", "classifier", "32", *(f"{mean:.2f} ± 10.00" for mean in (20, 21, 22, 23))]
    assert many == ["MNIST", "classifier", "10,000", "0.50 (n = 1)", "–", "–", "–"]
    assert shown.tidy[["fid", "fid_std", "n"]].iloc[0].tolist() == [20.0, 10.0, 3]


def test_csv_tables_carry_ours_and_the_papers_apart(written: Tree) -> None:
    table = pd.read_csv(written.results / "tables/table2.csv")
    row = table.query("dataset == 'mnist' and method == 'sngan' and extractor == 'classifier'").iloc[0]
    assert row["fid"] == pytest.approx(np.mean([level("mnist", "sngan", seed) for seed in (0, 1)]))
    assert (row["n"], row["floor"], row["paper_fid_inception"]) == (2, FLOOR, 26.0231)
    assert set(table["method"]) == {"dcgan", "sngan", "sagan-div-d"}
    assert set(pd.read_csv(written.results / "tables/table3.csv")["method"]) == {"sagan-div-b", "sagan-div-d"}
    cells = pd.read_csv(written.results / "tables/cells.csv")
    assert list(cells.groupby("state").size().items()) == [("not run", 2), ("scored", 12), ("trained", 2)]


def test_markdown_marks_the_best_and_what_was_not_run(written: Tree) -> None:
    lines = (written.results / "tables/table2.md").read_text().splitlines()
    rows = {line.split("|")[1].strip(): [entry.strip() for entry in line.split("|")[2:-1]] for line in lines if "|" in line}
    heads = ["Inception", "classifier", "classifier, author’s sampler", "paper (Inception)"]
    for place, head in enumerate(heads * 2):
        assert rows["method"][place].endswith(head)
    assert rows["SNGAN"][0] == "not measured"
    assert rows["SNGAN"][1].startswith("**")
    assert rows["SNGAN"][2:] == [f"{310:.2f} ± {10 * np.sqrt(2):.2f}", "**26.0231**", "not run", "not run", "–", "**46.9646**"]
    assert rows["DCGAN"][5].startswith("**")  # the best of those that were run
    assert rows["perfect generator, by formula"] == ["–", "1.10", "–", "–"] * 2
    assert rows["perfect generator, measured"] == ["–", "1.20", "–", "–"] * 2
    assert "which are two different scales" in lines[-1]


def test_latex_compiles(written: Tree, tmp_path: Path) -> None:
    if not shutil.which("pdflatex"):
        pytest.skip("pdflatex is not installed")
    tables = "".join(rf"\input{{{written.results}/tables/{name}.tex}}" for name in catalogue.tables(written.study))
    document = rf"\documentclass{{article}}\usepackage{{booktabs,graphicx}}\begin{{document}}{tables}\end{{document}}"
    (tmp_path / "main.tex").write_text(document)
    done = subprocess.run(["pdflatex", "-halt-on-error", "main.tex"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-800:]


def test_latex_is_plain_ascii_and_balanced(written: Tree) -> None:
    text = (written.results / "tables/table2.tex").read_text()
    assert text.isascii()
    body = [line for line in text.splitlines() if line.endswith(r"\\")]
    assert {line.count("&") for line in body[1:]} == {8}  # the groups' line spans columns
    assert r"\textbf{26.0231}" in text


def test_a_seed_that_is_missing_is_counted(tmp_path: Path) -> None:
    tree = grow(tmp_path, study("datasets=[mnist]", "methods=[dcgan]"))
    tree.at("score", "metrics.json", "mnist", "dcgan", 1).unlink()
    assert missing.sentences(tree.read())[0] == "1 of 2 cells is sampled but not scored: DCGAN on MNIST (seed 1)."
    assert scores.overview(tree.read()).rows["dcgan"][0].text.endswith("(n = 1)")


def test_scores_without_reference_or_floor_are_shown_as_they_are(tmp_path: Path) -> None:
    tree = grow(tmp_path, study("datasets=[mnist]", "methods=[dcgan]", "seeds=[0]"))
    entry = {"extractors": {"classifier": {"fid": 3.0, "count": 500}}}
    tree.at("score", "metrics.json", "mnist", "dcgan", 0).write_text(json.dumps(entry))
    overview = scores.overview(tree.read())
    assert overview.rows["dcgan"][0].text == "3.00"
    assert overview.foot == {}
    assert "500 samples against real images of the train split" in " ".join(overview.notes)


def test_table_1_has_every_layer_of_every_method_as_it_is_built() -> None:
    """The paper's own shapes at its own size, by Table 1; the norms, by Table 3 and docs/protocols.md (A7 to A13)."""
    settings = load(ROOT / "params.yaml", sets=["image_size=64", "width=64", "methods=[dcgan, sagan-div-a, sagan-div-d]"])
    results = gather.Results(settings, Layout(), *[pd.DataFrame()] * 4, records={}, entries={})
    table = networks.table(results, architecture.networks(settings, [1]))
    assert table.notes[0] == "Kernels, strides, padding and outputs of every method are those of the paper’s Table 1."
    found = table.tidy.set_index(["method", "network", "layer"])
    assert len(found) == 3 * 10
    second = found.loc[("SAGAN-div a", "generator", 2)]
    assert list(second[["output", "kernel", "stride", "padding"]]) == ["256×8×8", 4, 2, 1]
    assert list(second[["spectral norm", "norm", "attention"]]) == ["SN", "instance", "sagan + SN"]
    assert second["parameters"] == 512 * 256 * 16 + 2 * 256 * 32 + 2 * 256 * 128 + 1
    last = found.loc[("SAGAN-div a", "generator", 5)]
    assert list(last[["output", "spectral norm", "norm", "attention"]]) == ["1×64×64", "–", "–", "–"]
    assert last["parameters"] == 64 * 16 + 1, "its weights and a bias"
    assert list(found.loc[("SAGAN-div d", "critic", 1)][["spectral norm", "norm"]]) == ["SN", "–"]
    assert list(found.loc[("DCGAN", "critic", 2)][["output", "norm"]]) == ["128×16×16", "batch"]
    assert found.loc[("DCGAN", "critic", 5), "output"] == "1"
    small = networks.table(replace(results, study=study()), architecture.networks(study(), [1]))
    assert small.notes[0] == (
        "The paper’s Table 1 is for 64×64 pixels and width 64; these networks are for 16×16 pixels and width 4."
    )


def test_table_1_is_for_the_channels_that_the_images_have(tmp_path: Path) -> None:
    settings = study("datasets=[mnist, {photos: pictures}]", "methods=[dcgan]", "seeds=[0]")
    tree = grow(tmp_path, settings, {("mnist", "dcgan"): "trained", ("photos", "dcgan"): "trained"}, {"photos": 3})
    results = tree.read()
    assert results.by_channels == {1: ["mnist"], 3: ["photos"]}
    table = networks.table(results, architecture.networks(settings, results.by_channels))
    found = table.tidy.set_index(["channels", "network", "layer"])
    assert [found.loc[(channels, "generator", 3), "output"] for channels in (1, 3)] == ["1×16×16", "3×16×16"]
    assert found.loc[(3, "critic", 1), "parameters"] == 3 * found.loc[(1, "critic", 1), "parameters"]
    assert table.notes[-1] == "The images are of 1 channel (MNIST) and of 3 channels (photos)."


def test_each_table_that_is_promised_can_be_made(written: Tree) -> None:
    assert {"table1", *registry.MAKERS} == catalogue.TABLES.keys()


def test_a_long_latex_table_is_split_into_pages_and_loses_no_row() -> None:
    rows = {f"cell{number}": (Value(str(number)), Value("a_b")) for number in range(100)}
    columns = (Column("", "n"), Column("", "name"))
    long = Table("cells", "Every cell", (), "", columns, rows, {}, pd.DataFrame())
    text = typesetting.as_latex(long)
    parts = text.split(r"\begin{table}")[1:]
    assert len(parts) == 3
    for number, part in enumerate(parts, start=1):
        assert part.count(r"\begin{tabular}") == part.count(r"\end{tabular}") == part.count(r"\end{table}") == 1
        assert part.count(r"\caption") == 1
        assert part.count(r" \\") <= typesetting.ROWS + 1
        assert ("continued" in part) == (number > 1)
    assert [int(number) for number in re.findall(r"^    (\d+) & a\\_b", text, re.MULTILINE)] == list(range(100))
    labels = re.findall(r"\\label\{(.*?)\}", text)
    assert labels == ["tab:cells", "tab:cells-2", "tab:cells-3"]


def test_device_hours_are_those_of_all_three_phases(written: Tree) -> None:
    cells = pd.read_csv(written.results / "tables/cells.csv").set_index(["dataset", "method", "seed"])
    assert cells.loc[("mnist", "dcgan", 0), "device_hours"] == pytest.approx(3 * 1234.5 / 3600)
    assert cells.loc[("fashion-mnist", "sagan-div-b", 0), "device_hours"] == pytest.approx(1234.5 / 3600)  # trained, no more
    assert pd.isna(cells.loc[("fashion-mnist", "sngan", 0), "device_hours"])
