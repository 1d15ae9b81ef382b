"""The code behind a job by its meaning: what a comment, an edit of another module or a new entry of a registry touches."""

import ast
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from sagan_div.errors import UserError
from sagan_div.workflow import fingerprint
from sagan_div.workflow.kinds import KINDS, TRAIN
from support import ROOT

SCRIPT = """
import json
from pathlib import Path
from sagan_div.study.load import load
from sagan_div.workflow import fingerprint
from sagan_div.workflow.jobs import jobs
study = load(Path({params!r}), sets=["methods=[dcgan, wgan-div, sngan, sagan-div-a, sagan-div-b, sagan-div-c, sagan-div-d]"])
found = {{each.name: fingerprint.of_job(each.kind, each.settings) for each in jobs(study) if each.about.get("seed", 0) == 0}}
print(json.dumps(found))
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the package to edit."""
    copy = tmp_path / "src" / "sagan_div"
    shutil.copytree(ROOT / "src/sagan_div", copy, ignore=shutil.ignore_patterns("__pycache__"))
    return copy


def prints(package: Path) -> dict[str, dict[str, str]]:
    """The fingerprint of every job of the study of record, as a fresh process of this package sees it."""
    script = SCRIPT.format(params=str(ROOT / "params.yaml"))
    environment = {"PYTHONPATH": str(package.parent), "PYTHONDONTWRITEBYTECODE": "1", "PATH": ""}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    found: dict[str, dict[str, str]] = json.loads(done.stdout)
    return found


def changed(before: dict[str, dict[str, str]], after: dict[str, dict[str, str]]) -> set[str]:
    return {name for name in before if before[name] != after[name]}


def edited(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


class Undocumented(ast.NodeTransformer):
    """Gives every module, class and function another docstring, or one where it has none."""

    def generic_visit(self, node: ast.AST) -> ast.AST:
        super().generic_visit(node)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            has_one = ast.get_docstring(node) is not None
            node.body = [ast.Expr(ast.Constant("Another docstring.")), *node.body[has_one:]]
        return node


def test_comments_docstrings_and_formatting_are_no_code(package: Path) -> None:
    """The whole package, reformatted without its comments, with another docstring everywhere and other line endings."""
    before = prints(package)
    for path in package.rglob("*.py"):
        tree = ast.parse(path.read_text())
        # `from __future__` imports stand first behind the docstring, wherever that is
        path.write_bytes(ast.unparse(Undocumented().visit(tree)).replace("\n", "\r\n").encode() + b"\r\n# a comment\r\n")
    assert prints(package) == before


def test_an_edit_touches_the_jobs_whose_work_imports_it(package: Path) -> None:
    before = prints(package)
    edited(package / "losses/hinge.py", "1 - real", "2 - real")
    assert changed(before, prints(package)) == {"train mnist sngan 0", "train fashion-mnist sngan 0"}


def test_an_edit_of_a_norm_or_an_attention_form_touches_the_methods_that_choose_it(package: Path) -> None:
    before = prints(package)
    (path,) = package.glob("models/norms/layer.py")
    path.write_text(path.read_text() + "\nANOTHER = 1\n")
    assert {name.split()[2] for name in changed(before, prints(package))} == {"wgan-div"}
    path = package / "models/attention/sagan.py"
    path.write_text(path.read_text() + "\nANOTHER = 1\n")
    found = {name.split()[2] for name in changed(before, prints(package)) if name.startswith("train")}
    assert found == {"wgan-div", *(f"sagan-div-{letter}" for letter in "abcd")}


def test_an_edit_of_a_metric_leaves_training_and_samples_alone(package: Path) -> None:
    before = prints(package)
    path = package / "evaluation/kid.py"
    path.write_text(path.read_text() + "\nANOTHER = 1\n")
    touched = changed(before, prints(package))
    assert {name.split()[0] for name in touched} == {"score"}
    assert len(touched) == 14


def test_an_edit_of_the_downloader_leaves_everything_alone(package: Path) -> None:
    """What it brings is checked by digest, so it shapes no result."""
    before = prints(package)
    path = package / "data/fetch.py"
    path.write_text(path.read_text() + "\nANOTHER = 1\n")
    assert changed(before, prints(package)) == set()


def test_new_entries_of_registries_make_nothing_stale(package: Path) -> None:
    before = prints(package)
    shutil.copy(package / "losses/hinge.py", package / "losses/another.py")
    edited(package / "losses/another.py", '"hinge"', '"another"')
    shutil.copy(package / "models/norms/batch.py", package / "models/norms/another.py")
    assert changed(before, prints(package)) == set()


def test_the_modules_are_those_that_are_imported() -> None:
    """Against Python itself: what a fresh process has loaded once it imported a kind's work, but for the losses' settings,
    all of which the schema reads."""
    for kind in (KINDS[name] for name in ("data", "train", "score", "report")):
        script = f"import sys, {kind.work}; print('\\n'.join(sorted(n for n in sys.modules if n.startswith('sagan_div'))))"
        environment = {"PYTHONPATH": str(ROOT / "src"), "PATH": ""}
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment, check=True)
        loaded = {module for module in done.stdout.split() if not fingerprint.is_plumbing(module)}
        named = set(fingerprint.of_kind(kind))
        missed = {module for module in loaded if not _covered(module, named) and not module.startswith("sagan_div.losses.")}
        assert missed == set(), kind.name


def _covered(module: str, named: set[str]) -> bool:
    inside = module.removeprefix("sagan_div.").replace(".", "/")
    empty = f"{inside}/__init__.py"
    package = ROOT / "src/sagan_div" / empty
    if package.is_file():  # a package's own file counts where it holds more than its docstring
        return empty in named or len(ast.parse(package.read_text()).body) <= 1
    return f"{inside}.py" in named


def test_a_meaning_has_the_same_digest_in_every_version_of_python() -> None:
    """Noted on 3.11, 3.12 and 3.13, whose syntax trees differ in fields that are empty."""
    text = '''"""A module."""
import math
from typing import Any


class Circle:
    """A shape."""

    unit: str = "px"

    def area(self, radius: float, *rest: Any, scale: complex = 1j, **named: Any) -> float:
        """Square pixels."""
        area = math.pi * radius**2  # the well-known formula
        match rest:
            case [first, *_] if first is not None:
                return -area
        return area if (big := radius > 1e3) else float(f"{area:.{2}f}{big!r}" "end")
'''
    assert fingerprint.digest("circle.py", text) == "4c53159f461ffcd4"
    assert fingerprint.digest("circle.py", text.replace("  # the well-known formula", "")) == "4c53159f461ffcd4"
    assert fingerprint.digest("circle.py", text.replace("radius**2", "radius**3")) != "4c53159f461ffcd4"


def test_code_json_fits_the_code() -> None:
    fingerprint.check(ROOT / "workflow/code.json")


def test_a_code_json_that_does_not_fit_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "code.json"
    with pytest.raises(UserError, match=r"code.json: does not fit the code; `sagan-div fingerprint` writes it"):
        fingerprint.check(path)
    fingerprint.write(path)
    fingerprint.check(path)
    path.write_text(path.read_text().replace("0", "1", 1))
    with pytest.raises(UserError, match="does not fit"):
        fingerprint.check(path)


def test_a_module_that_is_gone_is_named() -> None:
    with pytest.raises(UserError, match=r"sagan_div.phases.nothing: there is no such module"):
        fingerprint.of_modules(("sagan_div.phases.nothing",))


def test_what_is_loaded_lazily_counts(package: Path) -> None:
    """An import within a function is followed like any other."""
    path = package / "phases/train.py"
    before = prints(package)
    path.write_text(path.read_text() + "\ndef _late() -> None:\n    from sagan_div.report import stats\n")
    extra = set(prints(package)["train mnist sngan 0"]) - set(before["train mnist sngan 0"])
    assert "report/stats.py" in extra
    assert TRAIN.work == "sagan_div.phases.train"
