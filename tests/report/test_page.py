"""The page in a real browser: no error, no request, tables that sort, dialogs that open, no overflow, dark and light."""

import json
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from synthetic import Tree, level

import browser
from browser import Browser
from support import ROOT

pytestmark = pytest.mark.skipif(browser.missing() is not None, reason=f"no headless Chromium: {browser.missing()}")

AXE = """axe.run(document, {resultTypes: ["violations"]}).then(found => JSON.stringify(
  found.violations.filter(rule => ["serious", "critical"].includes(rule.impact))
    .map(rule => [rule.id, rule.help, rule.nodes.map(node => node.html.slice(0, 120)).slice(0, 3)])))"""
WIDER = "return document.documentElement.scrollWidth - window.innerWidth"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.session() as opened:
        yield opened


@pytest.fixture
def page(written: Tree) -> Path:
    return written.results / "report.html"


def test_it_loads_without_an_error_and_asks_for_nothing(chromium: Browser, page: Path) -> None:
    chromium.open(page)
    asked = {address for address in chromium.requests() if not address.startswith("data:")}
    assert asked == {page.as_uri()}
    assert chromium.complaints() == []
    assert chromium.run("return [...document.images].filter(i => i.src && !i.naturalWidth).length") == 0
    assert chromium.run("return document.images.length") > 15


@pytest.mark.parametrize("column", [2, 4])
def test_tables_sort_both_ways_and_keep_what_has_no_number_last(chromium: Browser, page: Path, column: int) -> None:
    chromium.open(page)
    click = f"document.querySelectorAll('#table2 thead tr:last-child button')[{column}].click();"
    read = f"return [...document.querySelectorAll('#table2 tbody tr')].map(row => row.cells[{column}].dataset.sort ?? null)"
    rising = [float(value) for value in chromium.run(click + read)]
    falling = [float(value) for value in chromium.run(click + read)]
    assert rising == sorted(rising)
    assert falling == rising[::-1]
    assert len(set(rising)) == 3
    marked = "return document.querySelector('#table2 th[aria-sort]').getAttribute('aria-sort')"
    assert chromium.run(marked) == "descending"


def test_cells_without_a_number_stay_last(chromium: Browser, page: Path) -> None:
    chromium.open(page)
    click = "document.querySelectorAll('#cells thead button')[4].click();"
    read = "return [...document.querySelectorAll('#cells tbody tr')].map(row => row.cells[4].textContent.trim())"
    for _ in range(2):
        shown = chromium.run(click + read)
        assert shown[-4:] == ["–"] * 4
        assert "–" not in shown[:-4]


def test_words_sort_as_words(chromium: Browser, page: Path) -> None:
    chromium.open(page)
    click = "document.querySelectorAll('#cells thead button')[1].click();"
    shown = chromium.run(
        click + "return [...document.querySelectorAll('#cells tbody tr')].map(row => row.cells[1].textContent.trim())"
    )
    assert shown == sorted(shown)
    assert len(set(shown)) == 4


def test_a_number_leads_to_its_records(chromium: Browser, page: Path) -> None:
    chromium.open(page)
    chromium.run("document.querySelector('#table2 button[data-source=\"mnist/dcgan\"]').click()")
    shown = chromium.run("const d = document.querySelector('dialog[open]'); return d.querySelector('h2').textContent")
    assert shown == "DCGAN on MNIST"
    text = chromium.run("return document.querySelector('dialog[open]').textContent")
    assert "0123abc" in text
    assert "Synthetic CPU" in text
    assert "lr_critic: 0.0002" in text


def test_a_number_of_real_images_leads_to_the_record_of_their_comparison(chromium: Browser, page: Path) -> None:
    chromium.open(page)
    chromium.run("document.querySelector('#real-vs-real tbody td:nth-child(4)').click()")
    shown = "return document.querySelector('dialog[open]').textContent.replace(/\\s+/g, ' ')"
    assert "Real images of MNIST against real ones In classifier features comparison" in chromium.run(shown)
    assert "real_vs_real mnist classifier" in chromium.run(shown)


def test_a_picture_is_enlarged_and_put_away(chromium: Browser, page: Path) -> None:
    chromium.open(page)
    chromium.run("document.querySelectorAll('.zoom')[1].click()")
    assert chromium.run("return document.querySelector('#enlarged[open] figcaption').textContent") == "DCGAN, seed 0"
    assert chromium.run("return document.querySelector('#enlarged img').naturalWidth") > 100
    chromium.run("document.querySelector('#enlarged form button').click()")
    assert chromium.run("return document.querySelector('dialog[open]')") is None


@pytest.mark.skipif(find_spec("axe_playwright_python") is None, reason="axe-playwright-python is not installed")
@pytest.mark.parametrize("dark", [False, True])
def test_axe_finds_nothing_serious(chromium: Browser, page: Path, dark: bool) -> None:
    """axe-core's rules for readers with a keyboard, a screen reader or weak eyes, with a living chart and all details open."""
    place = find_spec("axe_playwright_python")
    assert place
    assert place.origin
    chromium.open(page, dark=dark)
    chromium.run("document.querySelectorAll('details').forEach(details => details.open = true)")
    alive(chromium, "fid")
    chromium.devtools("Runtime.evaluate", expression=Path(place.origin).with_name("axe.min.js").read_text(encoding="utf-8"))
    found = chromium.devtools("Runtime.evaluate", expression=AXE, awaitPromise=True, returnByValue=True)["result"]["value"]
    assert json.loads(found) == []


@pytest.mark.parametrize("width", [390, 768, 1280])
def test_nothing_overflows(chromium: Browser, page: Path, width: int) -> None:
    chromium.open(page, width)
    assert chromium.run(WIDER) <= 0
    chromium.run("document.querySelectorAll('details').forEach(details => details.open = true)")
    assert chromium.run(WIDER) <= 0


def test_dark_is_dark_and_light_is_light(chromium: Browser, page: Path) -> None:
    inks = "return [...document.querySelectorAll('.panel svg text')].map(text => getComputedStyle(text).fill)"
    for dark in (False, True):
        chromium.open(page, dark=dark)
        ground = brightness(chromium.run("return getComputedStyle(document.body).backgroundColor"))
        assert ground < 40 if dark else ground > 240
        nearest = min(abs(brightness(ink) - ground) for ink in set(chromium.run(inks)))
        assert nearest > 60  # every word of every chart can be read on it


def brightness(colour: str) -> float:
    """The mean of `rgb(r, g, b)`."""
    values = [float(part) for part in colour[colour.index("(") + 1 : -1].split(",")[:3]]
    return sum(values) / 3


def alive(chromium: Browser, figure: str) -> None:
    """Scroll to a figure and wait until its first chart lives."""
    first = f"document.querySelector('#chart-{figure} .panel')"
    chromium.run(f"{first}.scrollIntoView()")
    waited(chromium, f"{first}.classList.contains('alive')")


def waited(chromium: Browser, condition: str) -> None:
    deadline = time.monotonic() + 60
    while not chromium.run(f"return {condition}"):
        assert time.monotonic() < deadline, f"never: {condition}"
        time.sleep(0.05)


def choose(chromium: Browser, name: str, value: str) -> None:
    chromium.run(f"[...document.querySelectorAll('#controls input[name={name}]')].find(i => i.value === '{value}').click()")


def words_of(figure: str) -> str:
    """JavaScript for the texts of a figure's first living chart."""
    return f"[...document.querySelectorAll('#chart-{figure} .panel:first-child .live text')].map(text => text.textContent)"


def test_charts_come_alive_and_obey_one_filter(chromium: Browser, page: Path) -> None:
    chromium.open(page)
    assert chromium.run("return document.getElementById('filter').checkVisibility()")
    for figure in ("fid", "losses-mnist"):
        alive(chromium, figure)
    assert not chromium.run("return document.querySelector('#chart-fid .still').checkVisibility()")
    assert "DCGAN" in chromium.run(f"return {words_of('fid')}")
    choose(chromium, "methods", "dcgan")
    waited(chromium, f"!{words_of('fid')}.includes('DCGAN')")
    assert "SNGAN" in chromium.run(f"return {words_of('fid')}")
    of_dcgan = "[...document.querySelectorAll('main [data-method=dcgan]')]"
    assert chromium.run(f"return {of_dcgan}.length") > 6  # strips, losses, classes, albums
    assert chromium.run(f"return {of_dcgan}.every(each => !each.checkVisibility())")
    choose(chromium, "methods", "dcgan")
    waited(chromium, f"{words_of('fid')}.includes('DCGAN')")
    assert chromium.run(f"return {of_dcgan}.every(each => each.checkVisibility())")
    assert chromium.complaints() == []


def test_seeds_space_and_scale_can_be_chosen(chromium: Browser, page: Path) -> None:
    chromium.open(page)
    alive(chromium, "fid")
    both = float(np.mean([level("mnist", "dcgan", seed) for seed in (0, 1)]))
    assert f"{both:.2f}" in chromium.run(f"return {words_of('fid')}")
    choose(chromium, "seeds", "1")
    waited(chromium, f"{words_of('fid')}.includes('{level('mnist', 'dcgan', 0):.2f}')")
    choose(chromium, "space", "inception")
    waited(chromium, f"{words_of('fid')}.includes('not measured')")
    choose(chromium, "space", "classifier")
    zero = f"{words_of('fid')}.includes('0')"
    waited(chromium, zero)
    choose(chromium, "scale", "log")
    waited(chromium, f"!{zero}")
    assert chromium.complaints() == []


def test_losses_of_both_signs_have_a_logarithmic_scale_and_their_first_spikes_on_it(chromium: Browser, page: Path) -> None:
    chromium.open(page)
    alive(chromium, "losses-mnist")
    highest = f"Math.max(...{words_of('losses-mnist')}.map(Number).filter(Number.isFinite))"  # the other axis has letters: 10M
    assert chromium.run(f"return {highest}") < 3
    choose(chromium, "scale", "log")
    waited(chromium, f"{highest} > 3")
    assert chromium.complaints() == []


def test_the_slider_shows_how_samples_grow(chromium: Browser, page: Path) -> None:
    chromium.open(page)
    place = "document.querySelector('.growth figure').style.getPropertyValue('--frame')"
    rated = "document.querySelector('.growth .rating').textContent"
    assert chromium.run(f"return [{place}, {rated}]")[0] == "19"
    assert "at 32,000,000" in chromium.run(f"return {rated}")
    chromium.run("const s = document.querySelector('.growth input'); s.value = 0; s.dispatchEvent(new Event('input'))")
    assert chromium.run(f"return {place}") == "0"
    assert "at 1,600,000" in chromium.run(f"return {rated}")
    assert chromium.run("return document.querySelector('.growth input').getAttribute('aria-valuetext')") == (
        "1,600,000 real images"
    )


def test_a_mark_in_a_chart_leads_to_its_records(chromium: Browser, page: Path) -> None:
    chromium.open(page)
    alive(chromium, "fid")
    dot = "document.querySelector('#chart-fid .live .mark-symbol path')"
    event = (
        "new MouseEvent(kind, {bubbles: true, clientX: box.x + box.width / 2, clientY: box.y + box.height / 2, view: window})"
    )
    click = f"const dot = {dot}, box = dot.getBoundingClientRect(); for (const kind of ['mousedown', 'mouseup', 'click'])"
    chromium.run(f"{click} dot.dispatchEvent({event})")
    waited(chromium, "document.querySelector('dialog[open] h2')?.textContent.endsWith(' on MNIST')")


def test_a_chart_is_drawn_as_wide_as_its_place(chromium: Browser, page: Path) -> None:
    chromium.open(page, 1280)
    alive(chromium, "fid")
    first = "const live = document.querySelector('#chart-fid .live');"
    widths = chromium.run(f"{first} return [live.clientWidth, live.querySelector('svg').width.baseVal.value]")
    assert widths[0] == widths[1] < 640


@pytest.mark.parametrize("table", ["table2", "table3"])
def test_the_main_tables_of_the_published_page_fit_a_laptop(chromium: Browser, table: str) -> None:
    chromium.open(ROOT / "results/report.html", 1280)
    beyond = f"const at = document.getElementById('{table}').parentElement; return at.scrollWidth - at.clientWidth"
    assert chromium.run(beyond) <= 0


@pytest.mark.parametrize("figure", ["fid", "real-vs-real", "differences"])
def test_no_label_of_a_chart_is_cut_off(chromium: Browser, page: Path, figure: str) -> None:
    chromium.open(page, 1280)
    alive(chromium, figure)
    texts = chromium.run(f"return [...document.querySelectorAll('#chart-{figure} .live text')].map(t => t.textContent)")
    assert texts
    assert [text for text in texts if text.endswith("…")] == []


def test_without_javascript_there_are_still_pictures(chromium: Browser, page: Path) -> None:
    chromium.devtools("Emulation.setScriptExecutionDisabled", value=True)
    try:
        chromium.open(page)
        visible = {
            name: chromium.devtools("Runtime.evaluate", expression=f"document.querySelector('{name}').checkVisibility()")
            for name in ("#chart-fid .still svg", "#filter", ".slider", ".film img")
        }
    finally:
        chromium.devtools("Emulation.setScriptExecutionDisabled", value=False)
    shown = [name for name, found in visible.items() if found["result"]["value"]]
    assert shown == ["#chart-fid .still svg", ".film img"]


def test_links_lead_somewhere_and_names_are_unique(chromium: Browser, page: Path) -> None:
    chromium.open(page)
    dead = (
        "return [...document.querySelectorAll('a[href^=\"#\"]')].filter(a => !document.getElementById(a.hash.slice(1))).length"
    )
    assert chromium.run(dead) == 0
    twice = (
        "const ids = [...document.querySelectorAll('[id]')].map(e => e.id); return ids.filter((id, i) => ids.indexOf(id) !== i)"
    )
    assert chromium.run(twice) == []


def test_it_prints_with_every_section(chromium: Browser, page: Path) -> None:
    chromium.open(page, 700)  # the width of a sheet between its margins
    alive(chromium, "fid")
    chromium.devtools("Emulation.setEmulatedMedia", media="print")
    assert chromium.run("return document.querySelector('#chart-fid .still').checkVisibility()")
    assert not chromium.run("return document.querySelector('#chart-fid .live').checkVisibility()")
    assert chromium.run(WIDER) <= 0  # no table is cut off
    assert chromium.run("return document.querySelector('.claim details table').checkVisibility({contentVisibilityAuto: true})")
    assert chromium.run("return getComputedStyle(document.querySelector('nav')).display") == "none"
    assert chromium.run("return [...document.querySelectorAll('main section')].every(s => s.offsetHeight > 0)")
    chromium.devtools("Emulation.setEmulatedMedia", media="")


def test_the_demo_loads_too(chromium: Browser, demo: Tree) -> None:
    chromium.requests()
    chromium.complaints()
    chromium.open(demo.results / "report.html", 390)
    assert chromium.complaints() == []
    assert chromium.run(WIDER) <= 0
