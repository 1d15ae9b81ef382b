"""The report's files: all that are promised, with the numbers that the runs left, and the same bytes each time."""

import contextlib
import io
import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from rich.console import Console
from scipy import stats
from synthetic import FLOOR, MEASURED, ROOT, Tree, grow, level, study

from sagan_div.errors import UserError
from sagan_div.report import architecture, catalogue, gather, prose, report, tables, typesetting, writing
from sagan_div.study.load import load
from sagan_div.workflow import plan


class Addresses(HTMLParser):
    """Collects every address in a page that is neither a place in it nor data."""

    def __init__(self) -> None:
        super().__init__()
        self.elsewhere: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = [
            value or "" for name, value in attrs if name in ("src", "href", "xlink:href", "srcset", "action", "poster", "data")
        ]
        self.elsewhere += [value for value in named if not value.startswith(("#", "data:"))]


def test_every_promised_file_is_written_and_none_besides(written: Tree) -> None:
    promised = {written.root / path for path in report.outputs(written.study, written.layout).values()}
    folders = ("metrics", "tables", "figures", "plots")
    found = {path for folder in folders for path in (written.results / folder).rglob("*") if path.is_file()}
    assert promised == found | {written.results / name for name in ("report.html", "claims.json", "digests.sha256")}


def test_figures_and_claims_say_under_what_conditions_they_hold(written: Tree) -> None:
    said = prose.conditions(written.read())
    assert "protocol “text”" in said
    with Image.open(written.results / "figures/fid.png") as picture:
        assert picture.text["Description"] == said
    assert said.encode("utf-16-be").hex() in (written.results / "figures/fid.pdf").read_bytes().hex()
    claims = json.loads((written.results / "claims.json").read_text())
    assert {claim["conditions"] for claim in claims} == {said}


def test_outputs_are_known_without_the_heavy_libraries() -> None:
    code = "import sys, sagan_div.report; print([m for m in ('matplotlib', 'pandas', 'torch', 'scipy') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_metrics_are_flat_numbers_for_dvc(written: Tree) -> None:
    found = json.loads((written.results / "metrics/mnist/dcgan.json").read_text())
    fids = [level("mnist", "dcgan", seed) for seed in (0, 1)]
    kept = {name: value for name, value in found.items() if name.startswith(("fid_classifier", "paper", "images", "seeds"))}
    assert kept == {
        "fid_classifier": pytest.approx(np.mean(fids)),
        "fid_classifier_std": pytest.approx(np.std(fids, ddof=1)),
        "fid_classifier_floor": FLOOR,
        "fid_classifier_floor_measured": MEASURED,
        "paper_fid": 45.7734,
        "images": written.study.train.images,
        "seeds": 2,
    }
    gap = json.loads((written.results / "metrics/fashion-mnist/sngan.json").read_text())
    assert gap == {"paper_fid": 46.9646, "images": written.study.train.images, "seeds": 0}


def test_one_seed_has_no_spread(demo: Tree) -> None:
    found = json.loads((demo.results / "metrics/digits/dcgan.json").read_text())
    assert {"fid_classifier", "fid_classifier_floor", "images", "seeds"} <= set(found)
    assert not any(name.endswith("classifier_std") for name in found)


def test_further_measures_are_passed_on(written: Tree) -> None:
    results = written.read()
    fids = np.array([level("mnist", "dcgan", seed) for seed in (0, 1)])
    flat = writing.metrics(results, "mnist", "dcgan")
    assert flat["kid_classifier"] == pytest.approx(np.mean(fids) / 1000)
    assert flat["fid_classifier_std"] == pytest.approx(np.std(fids, ddof=1))
    assert [name for name in flat if name.endswith("_std")] == ["fid_classifier_std"]
    shown = tables.measure_table(results)
    row = dict(zip([column.head for column in shown.columns], shown.rows["mnist/dcgan/classifier"], strict=True))
    assert row["KID × 1000"].text == f"{fids.mean():.2f} ± {fids.std(ddof=1):.2f}"
    assert row["recall"].text.startswith(f"{0.8 - fids.mean() / 60:.2f} ± ")
    assert "fashion-mnist/sngan/classifier" not in shown.rows  # not run
    assert not any(key.endswith("inception") for key in shown.rows)  # not measured
    tidy = shown.tidy.set_index(["dataset", "method", "extractor"])
    assert tidy.loc[("mnist", "dcgan", "classifier"), "is"] == pytest.approx(9 - fids.mean() / 10)
    assert tidy.loc[("fashion-mnist", "sngan", "classifier"), "n"] == 0
    assert "kid_classifier" in tables.cell_table(results).tidy.columns


def test_best_as_selected_stands_beside_best_and_last_by_fresh_latents(written: Tree) -> None:
    fids = np.array([level("mnist", "dcgan", seed) for seed in (0, 1)])
    shown = tables.selection_table(written.read())
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
    path = tmp_path / str(tree.layout.floor).format(dataset="mnist", extractor="classifier")
    path.parent.mkdir(parents=True, exist_ok=True)
    kinds = [{"pair": pair, "sampler": sampler} for pair, sampler in prose.FLOORS]
    found = [kind | {"images": 32, "fids": [10.0 + i, 20.0 + i, 30.0 + i]} for i, kind in enumerate(kinds)]
    found += [kinds[0] | {"images": 10000, "fids": [0.5]}]
    path.write_text(json.dumps(found))
    shown = tables.floor_table(tree.read())
    few, many = ([value.text for value in row] for row in shown.rows.values())
    assert few == ["MNIST", "classifier", "32", *(f"{mean:.2f} ± 10.00" for mean in (20, 21, 22, 23))]
    assert many == ["MNIST", "classifier", "10,000", "0.50 (n = 1)", "–", "–", "–"]
    assert shown.tidy[["fid", "fid_std", "n"]].iloc[0].tolist() == [20.0, 10.0, 3]


def test_a_metric_that_could_not_be_had_is_named_and_the_others_are_shown(tmp_path: Path) -> None:
    tree = grow(tmp_path, study("datasets=[mnist]", "methods=[dcgan]", "seeds=[0]"))
    path = tree.at("score", "metrics.json", "mnist", "dcgan", 0)
    content = json.loads(path.read_text())
    lost = {"kid": None, "why_kid": "too few images", "fid": None, "why_fid": "no root"}
    content["extractors"]["classifier"] |= lost
    path.write_text(json.dumps(content))
    results = tree.read()
    said = prose.missing(results)
    assert "KID in classifier features is not measured for 1 cell: too few images." in said
    assert any(line.startswith("FID in classifier features is not measured") and "no root" in line for line in said)
    assert tables.overview(results).rows["dcgan"][0].text == "not measured"


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
    assert rows["SNGAN"][0].startswith("**")
    assert rows["SNGAN"][1:] == ["**26.0231**", "not run", "**46.9646**"]
    assert rows["DCGAN"][2].startswith("**")  # the best of those that were run
    assert rows["perfect generator, by formula"] == ["1.10", "–", "1.10", "–"]
    assert rows["perfect generator, measured"] == ["1.20", "–", "1.20", "–"]
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
    assert {line.count("&") for line in body[1:]} == {4}  # the groups' line spans columns
    assert r"\textbf{26.0231}" in text


def test_nothing_on_the_page_is_fetched(written: Tree, demo: Tree) -> None:
    for tree in (written, demo):
        page = (tree.results / "report.html").read_text()
        found = Addresses()
        found.feed(page)
        assert found.elsewhere == []
        assert "@import" not in page
        assert set(re.findall(r"url\((.)", page)) <= {"#"}


def test_the_page_says_first_what_is_not_there(written: Tree) -> None:
    page = (written.results / "report.html").read_text()
    gaps = page.index('id="missing"'), page.index('id="summary"')
    said = page[gaps[0] : gaps[1]]
    assert "2 of 16 cells are not run: SNGAN on Fashion-MNIST." in said
    assert "2 of 16 cells are trained but not sampled: SAGAN-div b on Fashion-MNIST." in said
    assert "FID in Inception features is not measured: Inception&#39;s weights are not at hand." in said
    assert "The paper’s WGAN-div, SAGAN-div a and SAGAN-div c are not part of this study." in said


def test_the_demo_says_that_nothing_compares_with_the_paper(demo: Tree) -> None:
    page = (demo.results / "report.html").read_text()
    assert "The paper has no results on digits, so nothing here compares with it." in page
    assert "paper (Inception)" not in page
    assert "45.7734" not in page
    assert not (demo.results / "figures/differences.png").exists()


def test_the_summary_is_five_sentences_of_the_numbers(written: Tree) -> None:
    said = prose.summary(written.read(), ["holds"] + ["does not hold"] * 2 + ["not decidable"] * 4)
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
        said[4] == "Of the paper’s seven claims one holds in these runs, two do not hold, and four are not decidable with them."
    )


def test_the_order_of_the_variants_is_told_where_all_four_are_there(tmp_path: Path) -> None:
    settings = study("datasets=[mnist]", "seeds=[0]", "methods=[dcgan]")
    recipe = settings.methods["dcgan"]
    settings = settings.model_copy(update={"methods": {f"sagan-div-{letter}": recipe for letter in "abcd"}})
    assert "the variants in the order d < b < a < c, the paper’s." in prose.summary(grow(tmp_path, settings).read(), [])[3]


def test_every_number_of_a_cell_leads_to_its_records(written: Tree) -> None:
    page = (written.results / "report.html").read_text()
    linked = set(re.findall(r'data-source="([^"]+)"', page))
    assert linked == set(re.findall(r'data-key="([^"]+)"', page))
    assert "mnist/dcgan" in linked
    assert "fashion-mnist/sngan" not in linked  # never run, so there is no record
    assert "0123abc" in page
    assert "Synthetic CPU" in page


def test_equal_results_give_equal_bytes_and_what_an_earlier_study_left_goes(demo: Tree) -> None:
    before = {path: path.read_bytes() for path in demo.results.rglob("*") if path.suffix in (".png", ".pdf", ".html", ".json")}
    stale = demo.results / "metrics/digits/sngan.json"
    stale.write_text("{}")
    notes = demo.write()
    assert [path.name for path, content in before.items() if path.read_bytes() != content] == []
    assert not stale.exists()
    assert any("metrics/digits/sngan.json: removed" in note for note in notes)


def test_a_study_that_is_only_trained_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "FIGURE_ENDINGS", ("png",))  # half the time
    settings = study("datasets=[mnist]", "methods=[dcgan]", "seeds=[0]")
    tree = grow(tmp_path, settings, {("mnist", "dcgan"): "trained"})
    notes = tree.write()
    assert "1 of 1 cell is trained but not sampled: DCGAN on MNIST." in notes
    assert "not scored" in (tree.results / "tables/table2.md").read_text()
    assert {claim["verdict"] for claim in json.loads((tree.results / "claims.json").read_text())} == {"not decidable"}


def test_nothing_at_all_is_a_mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    tree = Tree(tmp_path, study())
    with pytest.raises(UserError, match="no run of the study 'main' is there yet"):
        report.write(tree.study, tree.layout, print)


@pytest.mark.parametrize(
    ("phase", "name", "content"),
    [
        ("score", "metrics.json", "{"),
        ("score", "metrics.json", "[]"),
        ("train", "history.csv", "images,fid\nnone,1\n"),
        ("sample", "samples.npz", "PK"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, phase: str, name: str, content: str) -> None:
    tree = grow(tmp_path, study("datasets=[digits]", "methods=[dcgan]", "seeds=[0]"))
    tree.at(phase, name, "digits", "dcgan", 0).write_text(content)
    with pytest.raises(UserError, match=rf"{phase}/digits/dcgan/seed0/{name}: is damaged"):
        tree.write()


def test_a_seed_that_is_missing_is_counted(tmp_path: Path) -> None:
    tree = grow(tmp_path, study("datasets=[mnist]", "methods=[dcgan]"))
    tree.at("score", "metrics.json", "mnist", "dcgan", 1).unlink()
    assert prose.missing(tree.read())[0] == "1 of 2 cells is sampled but not scored: DCGAN on MNIST (seed 1)."
    assert tables.overview(tree.read()).rows["dcgan"][0].text.endswith("(n = 1)")


def test_scores_without_reference_or_floor_are_shown_as_they_are(tmp_path: Path) -> None:
    tree = grow(tmp_path, study("datasets=[mnist]", "methods=[dcgan]", "seeds=[0]"))
    entry = {"extractors": {"classifier": {"fid": 3.0, "count": 500}}}
    tree.at("score", "metrics.json", "mnist", "dcgan", 0).write_text(json.dumps(entry))
    overview = tables.overview(tree.read())
    assert overview.rows["dcgan"][0].text == "3.00"
    assert overview.foot == {}
    assert "500 samples against real images of the train split" in " ".join(overview.notes)


def test_summary_is_a_table_for_a_terminal(written: Tree, demo: Tree) -> None:
    for tree, there in ((written, "45.7734"), (demo, "nothing here compares with it")):
        console = Console(width=120, file=io.StringIO())
        with contextlib.chdir(tree.root):
            console.print(report.summary(tree.study, tree.layout))
        text = " ".join(console.file.getvalue().split())
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


def test_table_1_has_every_layer_of_every_method_as_it_is_built() -> None:
    """The paper's own shapes at its own size, by Table 1; the norms, by Table 3 and docs/protocols.md (A7 to A13)."""
    settings = load(ROOT / "params.yaml", sets=["image_size=64", "width=64", "methods=[dcgan, sagan-div-a, sagan-div-d]"])
    results = gather.Results(settings, plan.Layout(), *[pd.DataFrame()] * 4, records={}, entries={})
    table = tables.network_table(results, architecture.networks(settings))
    assert table.notes[0] == "Kernels, strides, padding and outputs of every method are those of the paper’s Table 1."
    found = table.tidy.set_index(["method", "network", "layer"])
    assert len(found) == 3 * 10
    second = found.loc[("SAGAN-div a", "generator", 2)]
    assert list(second[["output", "kernel", "stride", "padding"]]) == ["256×8×8", 4, 2, 1]
    assert list(second[["spectral norm", "norm", "attention"]]) == ["SN", "instance", "sagan + SN"]
    assert second["parameters"] == 512 * 256 * 16 + 2 * 256 * 32 + 2 * 256 * 128 + 1
    last = found.loc[("SAGAN-div a", "generator", 5)]
    assert list(last[["output", "spectral norm", "norm", "attention"]]) == ["1×64×64", "SN", "–", "–"]
    assert list(found.loc[("SAGAN-div d", "critic", 1)][["spectral norm", "norm"]]) == ["SN", "–"]
    assert list(found.loc[("DCGAN", "critic", 2)][["output", "norm"]]) == ["128×16×16", "batch"]
    assert found.loc[("DCGAN", "critic", 5), "output"] == "1"
    small = tables.network_table(replace(results, study=study()), architecture.networks(study()))
    assert small.notes[0] == (
        "The paper’s Table 1 is for 64×64 pixels and width 64; these networks are for 16×16 pixels and width 4."
    )


def test_a_long_latex_table_is_split_into_pages_and_loses_no_row() -> None:
    rows = {f"cell{number}": (tables.Value(str(number)), tables.Value("a_b")) for number in range(100)}
    columns = (tables.Column("", "n"), tables.Column("", "name"))
    long = tables.Table("cells", "Every cell", (), "", columns, rows, {}, pd.DataFrame())
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
