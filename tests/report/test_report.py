"""The report's files: all that are promised, with the numbers that the runs left, and the same bytes each time."""

import contextlib
import json
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from PIL import Image
from synthetic import ROOT, Tree, grow, study

from sagan_div.errors import UserError
from sagan_div.report import catalogue, missing, pictures, prose, report
from sagan_div.report.charts import chart
from sagan_div.report.charts import classes as charts
from sagan_div.settings import canonical
from support import command


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
    folders = ("metrics", "tables", "figures", "plots", "models")
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
    code = """
import sys
from sagan_div.report import catalogue, report
print([m for m in ("matplotlib", "pandas", "torch", "scipy") if m in sys.modules])
"""
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_no_file_says_where_on_the_disk_it_was_made(written: Tree, demo: Tree) -> None:
    for tree in (written, demo):
        made = [tree.root / path for path in report.outputs(tree.study, tree.layout).values()]
        for place in (tree.root, ROOT, Path.home()):
            assert [path.name for path in made if str(place).encode() in path.read_bytes()] == []


def test_a_reason_names_files_and_addresses_but_no_folder_of_the_machine(tmp_path: Path) -> None:
    tree = grow(tmp_path, study("datasets=[mnist]", "methods=[dcgan]", "seeds=[0]"))
    path = tree.at("score", "metrics.json", "mnist", "dcgan", 0)
    content = json.loads(path.read_text())
    why = "it cannot be had (/mnt/mirror/w.pth: No such file; https://example.org/a/w.pth: offline); put w.pth into results/a"
    content["extractors"]["inception"] = {"fid": None, "why": why}
    path.write_text(json.dumps(content))
    (said,) = [line for line in missing.sentences(tree.read()) if "Inception features" in line]
    assert "(w.pth: No such file; https://example.org/a/w.pth: offline); put w.pth into results/a" in said


def test_images_in_colour_are_shown_in_colour(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "FIGURE_ENDINGS", ("png",))
    settings = study("datasets=[{photos: pictures}]", "methods=[dcgan]", "seeds=[0]", "score.extractors=[classifier]")
    tree = grow(tmp_path, settings, channels={"photos": 3})
    tree.write()
    assert "3×16×16" in (tree.results / "tables/table1.md").read_text()
    page = (tree.results / "report.html").read_text()
    assert "for images of 3 channels; kernel / stride / padding" in page
    with contextlib.chdir(tree.root):
        albums = pictures.albums(tree.read(), "photos")
    for panel in (*albums["samples"], *albums["interpolations"]):
        assert panel.picture is not None
        assert panel.picture.mode == "RGB"


def test_nothing_on_the_page_is_fetched(written: Tree, demo: Tree) -> None:
    for tree in (written, demo):
        page = (tree.results / "report.html").read_text()
        found = Addresses()
        found.feed(page)
        assert found.elsewhere == []
        assert "@import" not in page
        own = page.replace(chart.runtime(), "")
        assert set(re.findall(r"url\((.)", own)) <= {"#"}
        assert "://" not in re.sub(r'xmlns(:xlink)?="http://www.w3.org/\d+/(svg|xlink)"', "", own)


def test_what_records_and_scores_say_is_no_html(tmp_path: Path) -> None:
    hostile = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    settings = study("datasets=[digits]", "seeds=[0]", "methods=[dcgan, sagan-div-d]", study="demo", protocol="demo")
    tree = grow(tmp_path, settings)
    for path in tree.results.rglob("metrics.json"):
        path.write_text(path.read_text().replace("Inception's weights are not at hand", hostile))
    for path in tree.results.rglob("record.json"):
        record = json.loads(path.read_text())
        path.write_text(json.dumps(record | {"commit": hostile, hostile: [hostile]}))
    tree.write()
    page = (tree.results / "report.html").read_text()
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    for path in (tree.results / "report.html", *tree.results.rglob("*.md")):
        assert not re.search(r"<script>alert|<img src=x", path.read_text()), path


def test_the_name_of_a_class_is_text_on_the_page_and_stays_as_it_is(tmp_path: Path) -> None:
    names = ['<b id="x">', "</script><script>alert(1)", *"abcdefgh"]
    tree = grow(tmp_path, study("datasets=[{birds: pictures}]", "seeds=[0]", "methods=[dcgan]"))
    tree.about("birds", found={"names": names})
    drawn = charts.draw(tree.read(), "birds", "dcgan")
    assert drawn
    assert '&lt;b id="x"&gt;' in drawn.still.replace("&quot;", '"')
    tree.write()
    page = (tree.results / "report.html").read_text()
    assert "<b id" not in page
    assert "<script>alert" not in page


def test_the_page_starts_with_the_answer_and_ends_with_what_is_not_there(written: Tree) -> None:
    page = (written.results / "report.html").read_text()
    places = [
        page.index(f'id="{name}"') for name in ("answer", "conditions", "scores", "samples", "claims", "missing", "cells")
    ]
    assert places == sorted(places)
    answer = page[places[0] : places[1]]
    assert "Inception FID: not measured" in answer
    assert answer.count('class="strip"') == 2 * 5  # real images and four methods
    assert answer.count('class="still"') == 2 * 2  # ours and the paper's
    said = page[places[-2] :]
    assert "2 of 16 cells are not run: SNGAN on Fashion-MNIST." in said
    assert "2 of 16 cells are trained but not sampled: SAGAN-div b on Fashion-MNIST." in said
    assert "FID in Inception features is not measured: Inception&#39;s weights are not at hand." in said
    assert "The paper’s WGAN-div, SAGAN-div a and SAGAN-div c are not part of this study." in said


def test_conditions_stand_once_on_the_page(written: Tree) -> None:
    page = (written.results / "report.html").read_text()
    assert page.count(prose.conditions(written.read())[1:]) == 1


def test_provenance_shows_settings_before_hashes(written: Tree) -> None:
    page = (written.results / "report.html").read_text()
    record = page[page.index('class="origin"') :]
    names = re.findall(r"<dt>(\w+)</dt>", record[: record.index("</dl>")])
    assert names[0] == "settings"
    assert names[-3:] == ["code", "inputs", "outputs"]


def test_the_demo_says_that_nothing_compares_with_the_paper(demo: Tree) -> None:
    page = (demo.results / "report.html").read_text()
    assert "The paper has no results on digits, so nothing here compares with it." in page
    assert "A reproduction · protocol “demo” · study “demo”" in page
    assert "protocol “text”" not in page
    assert "paper (Inception)" not in page
    assert "45.7734" not in page
    assert not (demo.results / "figures/differences.png").exists()


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


WRITE = """\
import json, sys
from sagan_div.report import report
from sagan_div.study.load import whole
from sagan_div.workflow.layout import Layout
study = whole(json.loads(sys.argv[1]))
report.write(study, Layout(study.study), print)
"""


def test_the_report_has_the_same_bytes_in_any_clone_and_tells_of_none(demo: Tree, tmp_path: Path) -> None:
    clone = tmp_path / "a clone of/somebody else's"
    shutil.copytree(demo.root / "results", clone / "results")
    written = report.outputs(demo.study, demo.layout).values()
    for path in written:
        (clone / path).unlink()
    environment = {"HOME": str(clone), "USER": "user-of-the-clone", "MPLBACKEND": "none of these", "TZ": "Asia/Tokyo"}
    done = command(sys.executable, "-c", WRITE, canonical(demo.study), cwd=clone, **environment)
    assert done.returncode == 0, done.stderr
    told = [str(demo.root), str(clone), str(ROOT), "user-of-the-clone"]
    for path in written:
        content = (clone / path).read_bytes()
        assert content == (demo.root / path).read_bytes(), path
        assert [each for each in told if each.encode() in content] == [], path


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
        ("train", "growth.png", "PNG"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, phase: str, name: str, content: str) -> None:
    tree = grow(tmp_path, study("datasets=[digits]", "methods=[dcgan]", "seeds=[0]"))
    tree.at(phase, name, "digits", "dcgan", 0).write_text(content)
    with pytest.raises(UserError, match=rf"{phase}/digits/dcgan/seed0/{name}: is damaged"):
        tree.write()
