"""The site of docs/: whole, strict, complete in its reference, and read from disk without asking any other host."""

import html
import re
import sys
import time
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import click
import pytest

import browser
from browser import Browser
from sagan_div.cli import app as cli
from sagan_div.settings import plain
from sagan_div.study.load import load
from support import ROOT, command
from test_protocols import leaves

PACKAGE = ROOT / "src/sagan_div"
WITHOUT_PAGE = {"cli", "phases"}  # the command line has a page of its own
needs_browser = pytest.mark.skipif(browser.missing() is not None, reason=f"no headless Chromium: {browser.missing()}")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site, built as `make docs` builds it: every warning is an error."""
    folder, trees = tmp_path_factory.mktemp("site"), tmp_path_factory.mktemp("trees")
    flags = ("-W", "--keep-going", "-q", "-n", "-d", trees, "-b", "html")
    done = command(sys.executable, "-m", "sphinx", *flags, "docs", folder, cwd=ROOT)
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser.session() as opened:
        yield opened


def read(page: Path) -> str:
    return html.unescape(page.read_text(encoding="utf-8"))


class Addresses(HTMLParser):
    """Collects what a browser asks for when it opens a page, and where its links lead."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.fetched: list[str] = []
        self.links: list[str] = []
        self.feed(page.read_text(encoding="utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = self.links if tag == "a" else self.fetched
        found += [value or "" for name, value in attrs if name in ("src", "href", "srcset", "data")]


def test_no_page_asks_another_host_for_anything(site: Path) -> None:
    pages = sorted(site.rglob("*.html"))
    assert len(pages) > 40
    for page in pages:
        fetched = Addresses(page).fetched
        assert fetched
        assert [address for address in fetched if re.match(r"(https?:)?//", address)] == []
    for sheet in site.rglob("*.css"):
        assert not re.search(r"(@import|url\()\s*['\"]?(https?:)?//", sheet.read_text(encoding="utf-8"))


def test_every_link_leads_to_a_file(site: Path) -> None:
    """A folder is no page where no server adds index.html."""
    for page in site.rglob("*.html"):
        for address in Addresses(page).links:
            path = address.partition("#")[0].partition("?")[0]
            if path and not re.match(r"[a-z]+:", path):
                assert (page.parent / path).is_file(), f"{page.relative_to(site)}: {address}"


def test_the_reference_has_every_key_and_every_command(site: Path) -> None:
    settings = read(site / "reference/settings.html")
    for key, _ in leaves(plain(load(ROOT / "params.yaml"))):
        name = re.sub(r"^methods\.[^.]+", "methods.NAME", key)
        assert re.search(rf'id="confval-{re.escape(name)}[" -]', settings), key
    text = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", "", settings)).replace("’", "'")
    assert "the paper's 10,000 passes are 600,000,000" in text  # a comment that goes on in a second line
    commands = read(site / "reference/commands.html")
    for name, about in ((name, about) for name, about in cli.app.commands.items() if not about.hidden):
        shown = [parameter for parameter in about.params if isinstance(parameter, click.Option) and not parameter.hidden]
        for option in (option for parameter in shown for option in parameter.opts if option.startswith("--")):
            assert f'id="cmdoption-sagan-div-{name}-{option.lstrip("-")}"' in commands, f"{name} {option}"


def test_the_reference_has_every_module_that_says_what_it_is(site: Path) -> None:
    pages = "".join(read(page) for page in (site / "reference/api").glob("*.html"))
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        if parts[0] not in WITHOUT_PAGE and path.read_text(encoding="utf-8").strip():
            name = ".".join(("sagan_div", *parts)).removesuffix(".__init__")
            assert f'id="module-{name}"' in pages, name


def test_formulae_are_drawn_without_a_script(site: Path) -> None:
    page = read(site / "methods/wgan-div.html")
    assert "<math" in page
    assert "\\lVert" not in page
    assert 'mathvariant="double-struck"' not in page  # which Chromium draws as any letter


@needs_browser
def test_the_search_works_from_disk(site: Path, chromium: Browser) -> None:
    chromium.open(site / "index.html")
    chromium.run("location.href = 'search.html?q=memorisation'")
    deadline = time.monotonic() + 30
    found: list[str] = []
    while not any("metrics.html" in address for address in found):
        assert time.monotonic() < deadline, found
        time.sleep(0.1)
        found = chromium.run("return [...document.querySelectorAll('ul.search li a')].map(link => link.href)")
    assert all(address.startswith(site.as_uri()) for address in found)
    assert [address for address in chromium.requests() if not address.startswith(("file:", "data:"))] == []


@needs_browser
@pytest.mark.parametrize("name", ["index", "reference/settings", "reference/commands", "methods/wgan-div", "howto/phase"])
def test_a_page_fits_a_phone_and_is_dark_where_that_is_wished(site: Path, chromium: Browser, name: str) -> None:
    chromium.open(site / f"{name}.html", 390, dark=True)
    assert chromium.run("return document.documentElement.scrollWidth - window.innerWidth") <= 0
    red, green, blue = map(int, re.findall(r"\d+", chromium.run("return getComputedStyle(document.body).backgroundColor"))[:3])
    assert max(red, green, blue) < 64
