"""What a job's code means: digests of the syntax trees of the modules that its work imports.

Comments, docstrings and formatting are no part of a tree. The modules are found by following imports from the kind's `work`;
of losses, norms, attention forms and metrics those alone count that the settings choose.
"""

import ast
import hashlib
import json
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from sagan_div import files
from sagan_div.errors import UserError
from sagan_div.settings import Settings
from sagan_div.workflow.kinds import KINDS, Kind

PACKAGE = Path(__file__).resolve().parent.parent
NAME = PACKAGE.name
PLUMBING = (  # shapes no result: what is read and written is checked by content, what is chosen stands in the settings
    *("", "config", "errors", "files", "arrays", "settings", "terminal", "mirror", "remote", "study", "workflow", "cli"),
    *("image_files", "contents", "remembered"),  # which files of a folder count is seen by their digest, which is a setting
    *("losses", "models.norms", "models.attention", "data.fetch", "training.live"),
    *("phases", "phases.run", "phases.machine", "phases.provenance", "phases.gpu_slots", "phases.saved_state"),
)
WHOLE = ("study", "workflow", "cli")  # of these the modules within count as plumbing too
HOLD_STATEMENTS = (ast.stmt, ast.excepthandler, ast.match_case)  # an expression holds none
TYPE_COMMENTS = ("type_comment", "type_ignores")  # fields of a syntax tree that hold comments
CODE = Path("workflow/code.json")  # the fingerprints that DVC's stages name under `params`

Fingerprint = dict[str, str]  # module (`models/networks`) -> digest of what it means


def of_job(kind: Kind, settings: Settings) -> Fingerprint:
    """The fingerprint of the code behind a job, as it was when this process first read it."""
    return of_modules((kind.work, *kind.chosen(settings)))


def of_kind(kind: Kind) -> Fingerprint:
    """The fingerprint of all that any job of the kind may use."""
    return of_modules((kind.work, *kind.choices()))


def moved(fingerprint: Fingerprint) -> str | None:
    """The first module of a fingerprint whose meaning on the disk is another now, if any."""
    return next((name for name, known in fingerprint.items() if _meaning(PACKAGE / name) != known), None)


def snapshot() -> None:
    """Read all of the package's sources: what is imported from now on is what fingerprints are of."""
    for path in PACKAGE.rglob("*.py"):
        _text(path)


def forget() -> None:
    """Read the sources again when they are asked for next."""
    for remembered in (of_modules, _imports, _exists, _text, _tree, _remembered):
        remembered.cache_clear()


@cache
def of_modules(roots: tuple[str, ...]) -> Fingerprint:
    """The fingerprint of modules and all that they import. Raises UserError for one that is not there."""
    return {name: _remembered(name) for name in sorted(_reached(roots))}


def _reached(roots: Iterable[str]) -> set[str]:
    """The files behind these modules and all that they import, without plumbing, by their path in the package."""
    found, todo = set[str](), set(roots)
    while todo:
        module = todo.pop()
        path = _file(module)
        name = str(path.relative_to(PACKAGE))
        if name not in found:
            found |= {name, *_assets(path)}
            todo |= {each for each in _imports(path) if not is_plumbing(each)}
    return {name for name in found if not (name.endswith("__init__.py") and _is_empty(name))}


def _is_empty(name: str) -> bool:
    """Whether a package's own file holds nothing but its docstring."""
    return all(_is_docstring(node) for node in _tree(PACKAGE / name).body)


def is_plumbing(module: str) -> bool:
    """Whether a module of the package shapes no result."""
    inside = module.removeprefix(NAME).lstrip(".")
    return inside in PLUMBING or inside.split(".")[0] in WHOLE


def _file(module: str) -> Path:
    """The source of a module of the package. Raises UserError where there is none."""
    path = PACKAGE.joinpath(*module.split(".")[1:])
    for candidate in (path.with_suffix(".py"), path / "__init__.py"):
        if candidate.is_file():
            return candidate
    raise UserError(f"{module}: there is no such module in {NAME}; correct the registry or the import that names it")


@cache
def _imports(path: Path) -> frozenset[str]:
    """The modules of the package that a source file imports, wherever the statement stands, and the packages around them."""
    named = [name for node in _statements(_tree(path)) for name in _named(node)]
    around = {".".join(name.split(".")[:depth]) for name in named for depth in range(1, name.count(".") + 2)}
    return frozenset(name for name in around if _exists(name))


def _statements(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Import statements but for those that only type checkers follow."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
            continue
        if isinstance(child, ast.Import | ast.ImportFrom):
            yield child
        if isinstance(child, HOLD_STATEMENTS):
            yield from _statements(child)


def _named(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name.split(".")[0] == NAME)
    elif node.module and node.module.split(".")[0] == NAME:
        yield node.module
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def _exists(module: str) -> bool:
    path = PACKAGE.joinpath(*module.split(".")[1:])
    return module.split(".")[0] == NAME and (path.with_suffix(".py").is_file() or (path / "__init__.py").is_file())


def _assets(path: Path) -> Iterator[str]:
    """Templates, styles and facts beside a module, which its package reads."""
    for beside in path.parent.iterdir():
        if beside.is_file() and beside.suffix not in (".py", ".pyc", ".typed") and path.parent != PACKAGE:
            yield str(beside.relative_to(PACKAGE))


@cache
def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")  # with \n at the end of lines, whatever the checkout has


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(_text(path))


@cache
def _remembered(name: str) -> str:
    return _digest(_tree(PACKAGE / name) if name.endswith(".py") else _text(PACKAGE / name))


def _meaning(path: Path) -> str | None:
    """The digest of what a file means now, whatever was read before; None where it is gone or no longer parses."""
    try:
        return digest(path.name, path.read_text(encoding="utf-8"))
    except (OSError, SyntaxError, UnicodeDecodeError):
        return None


def digest(name: str, text: str) -> str:
    """What a file of this name and text means, in 16 hexadecimal digits: of a module its syntax tree, of others the text."""
    return _digest(ast.parse(text) if name.endswith(".py") else text)


def _digest(meant: ast.Module | str) -> str:
    meaning = meant if isinstance(meant, str) else json.dumps(_plain(meant), separators=(",", ":"))
    return hashlib.sha256(meaning.encode()).hexdigest()[:16]


def _plain(node: Any) -> Any:
    """A syntax tree as lists, without docstrings, places and empty fields: the same on Python 3.11 to 3.13."""
    if isinstance(node, ast.Constant):
        return ["Constant", type(node.value).__name__, repr(node.value)]
    if isinstance(node, ast.AST):
        fields = ([name, _plain(getattr(node, name, None))] for name in node._fields if name not in TYPE_COMMENTS)
        return [type(node).__name__, *(field for field in fields if field[1] not in (None, []))]
    if isinstance(node, list):
        kept = node[1:] if node and _is_docstring(node[0]) else node
        return [_plain(each) for each in kept]
    return node


def _is_docstring(node: Any) -> bool:
    """A text that stands alone as the first statement of a body."""
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def all_kinds() -> dict[str, Fingerprint]:
    """The fingerprint of every kind of job, for DVC's stages: `workflow/code.json`."""
    return {kind.name: {name.removesuffix(".py"): known for name, known in of_kind(kind).items()} for kind in KINDS.values()}


def code_json() -> str:
    return json.dumps(all_kinds(), indent=1, sort_keys=True) + "\n"


def write(path: Path = CODE) -> None:
    files.write_text(path, code_json())


def check(path: Path = CODE) -> None:
    """Raises UserError where the file does not fit the code."""
    if not path.is_file() or path.read_text(encoding="utf-8") != code_json():
        raise UserError(f"{path}: does not fit the code; `sagan-div fingerprint` writes it")
