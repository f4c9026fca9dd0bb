"""A page: sections below a head, style and scripts in it, so that it needs no network."""

from __future__ import annotations

import re
from base64 import b64encode
from dataclasses import dataclass, field
from functools import cache
from gzip import compress
from html import escape
from importlib import resources

from .._extras import need
from .._version import __version__

GENERATOR = '<meta name="generator" content="reluplex_walk'
"""By this a file is known as a report: one may be written over, no other file is."""

_SCRIPTS = ("page.js", "figures.js", "plane.js", "walk.js", "tables.js")

# Nothing is fetched, whatever a browser or a later change of this file might try.  Plotly compiles
# the drawing of 3-D surfaces and makes style sheets as it goes; pictures are saved from blobs.
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline' 'unsafe-eval' blob:; "
    "img-src data: blob:; font-src data:"
)


@dataclass(frozen=True)
class Section:
    """A part of a page.

    Attributes
    ----------
    id : str
        Its place, ``#id``: letters, digits and hyphens.
    title : str
        Text.
    html : str
        What stands below the title.

    Examples
    --------
    >>> from reluplex_walk.reports.page import Section
    >>> Section("data", "Data & fit", "<p>Here.</p>").render()
    '<section id="data" aria-labelledby="data-title"><h2 id="data-title">Data &amp; fit</h2>...'
    """

    id: str
    title: str
    html: str

    def render(self) -> str:
        """The section as HTML."""
        name = escape(self.id)
        return (
            f'<section id="{name}" aria-labelledby="{name}-title">'
            f'<h2 id="{name}-title">{escape(self.title)}</h2>{self.html}</section>'
        )


@dataclass(frozen=True)
class Page:
    """One HTML file.

    Attributes
    ----------
    title : str
        Text.
    head : str
        HTML that stands first.
    sections : list of Section

    Examples
    --------
    >>> from reluplex_walk.reports.page import Page, Section
    >>> html = Page("A & B", "<p>First.</p>", [Section("one", "One", "<p>Then.</p>")]).html()
    >>> html.startswith("<!DOCTYPE html>"), "<title>A &amp; B</title>" in html
    (True, True)
    >>> "http" in html.split("<main")[1].split("</main>")[0]
    False
    """

    title: str
    head: str
    sections: list[Section] = field(default_factory=list)

    def html(self) -> str:
        """The whole file; plotly is in it if there is a figure."""
        body = "\n".join(section.render() for section in self.sections)
        links = "".join(
            f'<li><a href="#{escape(part.id)}">{escape(part.title)}</a></li>'
            for part in self.sections
        )
        values = {
            "policy": escape(_POLICY),
            "generator": f'{GENERATOR} {escape(__version__)}">',
            "title": escape(self.title),
            "head": self.head,
            "links": links,
            "sections": body,
            "version": escape(__version__),
            "style": asset("report.css"),
            "first": asset("open.js"),
            "scripts": "\n".join(asset(name) for name in _SCRIPTS),
            "library": _library() if 'class="plot"' in body + self.head else "",
        }
        return re.sub(r"\{\{(\w+)\}\}", lambda name: values[name[1]], asset("page.html"))


@cache
def asset(name: str) -> str:
    """The text of a file of the folder `assets`."""
    return (resources.files("reluplex_walk.reports") / "assets" / name).read_text("utf-8")


@cache
def _library() -> str:
    """The script of the installed plotly, compressed, for `figures.js` to open."""
    script: str = need("plotly.offline", "a report", extra="report").get_plotlyjs()
    packed = b64encode(compress(script.encode(), 9, mtime=0)).decode()
    return f'<script type="text/plain" id="plotly">{packed}</script>'


__all__ = ["GENERATOR", "Page", "Section", "asset"]
