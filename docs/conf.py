"""The site of docs/, built by `make docs` into site/. It asks nothing of other hosts, and is read from disk too."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "docs/_ext")]  # the package of this very checkout

from sagan_div import __version__  # noqa: E402

project = "sagan-div"
author = "The sagan-div developers"
release = version = __version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx_click",
    "sphinx_copybutton",
    "sphinx_design",
    "api",  # docs/_ext: what a package's modules say, on one page
    "markdown",  # titles of code blocks
    "formulae",  # MathML, which browsers draw by themselves
    "params",  # the keys of params.yaml, from the schema
]
exclude_patterns = ["_ext"]
myst_enable_extensions = ["colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 4
default_role = "literal"  # `name` in a docstring
smartquotes_action = "qe"  # without dashes, since options begin with two
copybutton_exclude = ".linenos, .gp, .go"

autodoc_default_options = {"members": True, "member-order": "bysource", "exclude-members": "model_config"}
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
nitpicky = True
nitpick_ignore_regex = [("py:.*", ".*")]  # types of other packages: their pages are elsewhere

html_theme = "furo"
html_title = "sagan-div"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_copyright = False
html_show_sourcelink = False
html_copy_source = False
html_theme_options = {"navigation_with_keys": True}
pygments_style = "friendly"
pygments_dark_style = "monokai"
