"""Sphinx settings: ``sphinx-build -W -n docs docs/_build`` builds the site, without a network."""

import shutil
import sys
from pathlib import Path

DOCS = Path(__file__).resolve().parent
sys.path[:0] = [str(DOCS), str(DOCS.parent)]

import architecture  # noqa: E402
import gallery_pictures  # noqa: E402

from reluplex_walk import __version__  # noqa: E402

project = "reluplex_walk"
author = "The reluplex_walk developers"
project_copyright = author
version = release = __version__

extensions = ["sphinx.ext.autodoc", "numpydoc", "myst_nb"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_title = f"{project} {version}"

myst_enable_extensions = ["attrs_inline", "deflist"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # the tests execute the notebooks

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings have the types, in words
autodoc_mock_imports = ["torch"]  # which is large, and not needed to read docstrings
numpydoc_show_class_members = False  # autodoc lists them
numpydoc_xref_param_type = False
nitpick_ignore_regex = [("py:mod", r"reluplex_walk\..*")]  # docstrings may name rooms

# What a build needs besides its sources.
architecture.write()
gallery_pictures.write()
for notebook in (DOCS.parent / "notebooks").glob("*.ipynb"):
    shutil.copy(notebook, DOCS / "gallery")


def setup(app):
    app.connect("autodoc-skip-member", _skip_fields)


def _skip_fields(app, what, name, member, skip, options):
    """Fields of a NamedTuple: the class lists them under Attributes, with what they are."""
    return True if type(member).__name__ == "_tuplegetter" else None
