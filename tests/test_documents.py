"""The documents: what README and tutorial tell a reader to type works, and what they name is there."""

import json
import re
import sys
from pathlib import Path

import pandas as pd
import pytest

from sagan_div.cli import app as cli
from sagan_div.report import paper
from sagan_div.study.load import load
from support import ROOT, Run, command
from test_protocols import table

BLOCK = re.compile(r"(?:<!-- (slow|not run): (\S.*?) -->\n)?```(sh|bash|shell|console)\n(.*?)```", re.DOTALL)
DOCUMENTS = ("README.md", "docs/tutorial.md")
TEXTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "config/README.md", *sorted((ROOT / "docs").rglob("*.md"))]
CODE = re.compile(r"^```.*?^```|`[^`\n]+`", re.DOTALL | re.MULTILINE)


def blocks(document: str, *marks: str) -> str:
    """The shell blocks of a document that are unmarked or carry one of the marks, as one script."""
    found = BLOCK.findall((ROOT / document).read_text(encoding="utf-8"))
    return "\n".join(text for mark, _, _, text in found if mark in ("", *marks))


def follow(project: Path, script: str) -> Run:
    """Type a script in the project, as in a fresh clone, up to the first command that fails."""
    identity = {f"GIT_{role}_{key}": "test@example.org" for role in ("AUTHOR", "COMMITTER") for key in ("NAME", "EMAIL")}
    for words in (("init", "-q"), ("add", "-A"), ("commit", "-qm", "start")):
        command("git", *words, cwd=project, **identity)
    return command(
        "bash", "-euo", "pipefail", "-c", script, cwd=project, timeout=900, PYTHONPATH=str(project / "src"), **identity
    )


def assert_git_sees_what_is_said(project: Path, document: str) -> None:
    """What is new to git is what the document shows of `git status --short`: nothing where it shows none."""
    text = (ROOT / document).read_text(encoding="utf-8")
    said = text.partition("$ git status --short\n")[2].partition("```")[0]
    assert command("git", "status", "--short", cwd=project).stdout == said


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_a_document_tells_to_type_works(project: Path, document: str) -> None:
    done = follow(project, blocks(document))
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    assert_git_sees_what_is_said(project, document)
    assert command("git", "log", "--format=%s", "--all", cwd=project).stdout == "start\n"  # a branch of the reader's is gone


def assert_independent_code_agrees(study: Path) -> None:
    """The FID by the code on the reviewers' page is that of a cell's scores."""
    (block,) = re.findall(r"```python\n(.*?)```", (ROOT / "docs/reviewers.md").read_text(encoding="utf-8"), re.DOTALL)
    script = block.replace("mnist/sngan/seed1", "digits/dcgan/seed0").replace("reference/mnist", "reference/digits")
    done = command(sys.executable, "-c", script, cwd=study, PYTHONPATH=str(study / "src"))
    scores = json.loads((study / "results/score/digits/dcgan/seed0/metrics.json").read_text())["extractors"]["classifier"]
    assert float(done.stdout) == pytest.approx(scores["fid"], rel=1e-6), done.stderr


@pytest.mark.slow
def test_the_tutorial_works_to_its_end(project: Path) -> None:
    done = follow(project, blocks("docs/tutorial.md", "slow"))
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    study = project.with_name("first-study")
    assert (study / "results/report.html").exists()
    assert_independent_code_agrees(study)
    assert_git_sees_what_is_said(project, "docs/tutorial.md")
    (touched,) = re.findall(r"```console\n(job .*?)```", (ROOT / "docs/tutorial.md").read_text(encoding="utf-8"), re.DOTALL)
    assert touched in done.stdout + done.stderr
    (compared,) = [line for line in done.stdout.splitlines() if "SAGAN-div d  fid " in line]
    assert compared.endswith("%")  # both commits have a number, and a difference


def code(document: Path) -> str:
    """What stands in code blocks, but for references to literature, and between backticks, a line each."""
    return "\n".join(found for found in CODE.findall(document.read_text(encoding="utf-8")) if not found.startswith("```bibtex"))


def written(document: Path) -> str:
    """What a how-to has its reader write: the files in the titles of its blocks, with what stands in them."""
    return "\n".join(re.findall(r"^```\w+ title=.*?^```", document.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE))


@pytest.mark.parametrize("document", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_commands_and_options_that_a_document_names_are_there(document: Path) -> None:
    new = re.findall(r'name="(\w+)"', written(document))
    for name, rest in re.findall(r"(?<![\w/])sagan-div ([a-z][a-z-]*)\b(.*)", code(document).replace("\\\n", " ")):
        if name in new:
            continue
        assert name in cli.app.commands, f"sagan-div {name}"
        options = {"--help", *(option for parameter in cli.app.commands[name].params for option in parameter.opts)}
        for option in re.findall(r"(?<!\S)--[a-z][a-z-]*", rest.partition("#")[0].partition("pytorch-fid")[0]):
            assert option in options, f"sagan-div {name} {option}"


@pytest.mark.parametrize("document", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_that_a_document_names_are_there(document: Path) -> None:
    """By their path in the project, or the path of a module in the package; the tutorial and how-tos have some written."""
    new = written(document) + "cat > workflow/overlays/first.yaml"
    for name in re.findall(r"(?<![\w/.@:-])(?:src|tests|workflow|config|docs|benchmarks)/[\w./-]*\w", code(document)):
        assert (ROOT / name).exists() or name in new, name
    for name in re.findall(r"(?<![\w/.@:-])[a-z]+/\w+\.py\b", code(document)):
        assert any((ROOT / place / name).exists() for place in (".", "src/sagan_div")) or name in new, name


RESULTS = ROOT / "docs/results"


@pytest.mark.parametrize("copy", [path for path in RESULTS.iterdir() if path.suffix != ".md"], ids=lambda path: path.name)
def test_the_page_of_results_shows_the_files_of_the_study(copy: Path) -> None:
    original = ROOT / "results" / ("figures" if copy.suffix == ".png" else "") / copy.name
    assert copy.read_bytes() == original.read_bytes(), f"{copy.name}: run `make publish`"


def test_the_scores_on_the_page_of_results_are_those_of_the_cells() -> None:
    cells = pd.read_csv(ROOT / "results/tables/cells.csv").groupby(["dataset", "method"])
    means, spreads = (getattr(cells[["fid_classifier", "fid_repeated_608_classifier"]], kind)() for kind in ("mean", "std"))
    rows = {row[0]: row[1:] for row in table((RESULTS / "README.md").read_text(encoding="utf-8"), "## Scores")}
    assert rows.keys() == {paper.label(method) for method in means.index.levels[1]}
    for dataset, first in (("mnist", 0), ("fashion-mnist", 2)):
        for method in means.index.levels[1]:
            cell = zip(means.loc[(dataset, method)], spreads.loc[(dataset, method)], strict=True)
            assert rows[paper.label(method)][first : first + 2] == [f"{mean:.2f} ± {spread:.2f}" for mean, spread in cell]


def test_the_scores_in_the_readme_are_those_of_the_cells_and_of_the_paper() -> None:
    cells = pd.read_csv(ROOT / "results/tables/cells.csv").groupby(["dataset", "method"])["fid_classifier"]
    means, spreads = cells.mean(), cells.std()
    rows = table((ROOT / "README.md").read_text(encoding="utf-8"), "## What was found")
    labels = {paper.label(method): method for method in means.index.levels[1]}
    assert [row[0] for row in rows] == [paper.label(method) for method in load(ROOT / "params.yaml").methods]
    for label, *shown in rows:
        places = [(dataset, labels[label]) for dataset in ("mnist", "fashion-mnist")]
        ours = [f"{means.loc[place]:.2f} ± {spreads.loc[place]:.2f}" for place in places]
        theirs = [f"{paper.fid(*place):.4f}" for place in places]
        assert shown == [ours[0], theirs[0], ours[1], theirs[1]]


def test_the_picture_of_the_rules_has_every_rule_and_every_edge() -> None:
    """But for edges that others imply; `make dag` draws it anew."""
    graph = command("snakemake", "--rulegraph", cwd=ROOT).stdout
    rules = dict(re.findall(r'^\s*(\d+)\[label = "(\w+)"', graph, re.MULTILINE))
    edges = {(rules[one], rules[other]) for one, other in re.findall(r"^\s*(\d+) -> (\d+)", graph, re.MULTILINE)}
    edges = {edge for edge in edges if edge[1] != "study"}
    picture = (ROOT / "docs/images/dag.svg").read_text(encoding="utf-8")
    assert {*re.findall(r"<text [^>]*>(\w+)</text>", picture)} == {*rules.values()} - {"study"}
    drawn = {*re.findall(r'<g id="edge\d+" class="edge">\s*<title>(\w+)&#45;&gt;(\w+)</title>', picture)}
    drawn = {(rules[one], rules[other]) for one, other in drawn}
    assert drawn <= edges
    assert closure(drawn) == closure(edges)


def closure(edges: set[tuple[str, str]]) -> set[tuple[str, str]]:
    """All pairs that a way along the edges joins."""
    more = edges | {(one, last) for one, other in edges for middle, last in edges if other == middle}
    return edges if more == edges else closure(more)


def test_the_distances_of_real_images_on_the_page_are_those_of_the_table() -> None:
    found = pd.read_csv(ROOT / "results/tables/real-vs-real.csv").query("pair == 'train-train'")
    for count, *shown in table((RESULTS / "README.md").read_text(encoding="utf-8"), "## Real images against real ones"):
        rows = found[found["images"] == int(count.replace(",", ""))]
        kinds = [(dataset, sampler) for dataset in ("mnist", "fashion-mnist") for sampler in ("distinct", "repeat-last-batch")]
        fids = [rows[(rows["dataset"] == dataset) & (rows["sampler"] == sampler)]["fid"].item() for dataset, sampler in kinds]
        assert [text.partition(" ± ")[0] for text in shown] == [f"{fid:.2f}" for fid in fids]
