"""The directive `package`: the docstrings of a package's modules, a section for each."""

import pkgutil
from collections.abc import Iterator
from importlib import import_module

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata


class Package(SphinxDirective):
    """`.. package:: sagan_div.losses`"""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        lines = [line for name in modules(self.arguments[0]) for line in _section(name)]
        return self.parse_text_to_nodes("\n".join(lines), allow_section_headings=True)


def modules(package: str) -> Iterator[str]:
    """The package and all modules below it that have a docstring; of sagan_div itself those that lie in no package."""
    found = import_module(package)
    if found.__doc__:
        yield package
    walk = pkgutil.iter_modules if package == "sagan_div" else pkgutil.walk_packages
    for module in walk(found.__path__, f"{package}."):
        if not (module.ispkg and package == "sagan_div") and import_module(module.name).__doc__:
            yield module.name


def _section(name: str) -> list[str]:
    return [name, "-" * len(name), "", f".. automodule:: {name}", ""]


def plain(app: Sphinx, kind: str, name: str, found: object, options: object, lines: list[str]) -> None:
    """Docstrings are prose: |x| is an absolute value, and no substitution of reStructuredText."""
    lines[:] = [line.replace("|", r"\|") for line in lines]


def setup(app: Sphinx) -> ExtensionMetadata:
    app.add_directive("package", Package)
    app.connect("autodoc-process-docstring", plain)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
