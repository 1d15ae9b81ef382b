"""What the documents need beside MyST: titles of code blocks (```python title="FILE"), and links that open an HTML file."""

import re
from typing import Any

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

TITLED = re.compile(r"""^```(?P<kind>\w+) title=(?P<q>['"])(?P<title>.*)(?P=q)$""", re.MULTILINE)
SAVED = re.compile(r'download="" (?=href="[^"]*\.html")')  # a browser would save the page and not show it


def captioned(app: Sphinx, document: str, source: list[str]) -> None:
    source[0] = TITLED.sub(r"```{code-block} \g<kind>\n:caption: \g<q>\g<title>\g<q>\n", source[0])


def opened(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    if "body" in context:
        context["body"] = SAVED.sub("", context["body"])


def setup(app: Sphinx) -> ExtensionMetadata:
    app.connect("source-read", captioned)
    app.connect("html-page-context", opened)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
