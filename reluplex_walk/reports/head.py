"""The head of a report: what a result is and what is proved of it, as a small piece of HTML.

Notebooks show it for every result.  It needs nothing but the core install, has no script, and takes
the colours of the page it stands in, dark or light.
"""

import re
from html import escape

from .said.record import Mark
from .words import said

_COLOURS = {  # of the border alone, beside a sign and words; seen on black and on white
    Mark.PROVED: "solid #2e9e6b",
    Mark.PARTLY: "dashed #2e9e6b",
    Mark.OPEN: "dashed #c77d17",
    Mark.COMPUTED: "dotted #808080",
}
_CODE = re.compile("`([^`]+)`")
_CELL = "padding:1px 12px 1px 0;border:0;background:transparent;color:inherit;vertical-align:top"
_HEAD = (
    "font-family:system-ui,sans-serif;font-size:14px;line-height:1.45;max-width:48em;"
    "color:inherit;background:transparent"
)
_TITLE = "margin:0 0 6px;font-weight:600;font-size:16px"
_SENTENCE = ' style="margin:4px 0"'
_BADGE = "display:inline-block;padding:1px 9px;border-radius:999px;border:2px {border}"


def head(result: object, below: str = "", titled: bool = True) -> str:
    """Badge, figures and sentences of a `result`, its title first if `titled`, HTML `below` last.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> from reluplex_walk.reports.head import head
    >>> net = rw.ReLUNetwork([[[0.0]]], [[0.0]])
    >>> traj = rw.walk(rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [1.0, 2.0, 10.0]))
    >>> "proved: strict global minimum" in head(traj)
    True
    """
    what = said(result)
    rows = "".join(
        f'<tr style="background:transparent">'
        f'<th scope="row" style="{_CELL};text-align:left;font-weight:normal;opacity:0.75">'
        f"{escape(name)}</th>"
        f'<td style="{_CELL};text-align:left">{escape(value)}</td></tr>'
        for name, value in what.figures.items()
    )
    parts = [
        f'<p class="title" style="{_TITLE}">{escape(what.title)}</p>' if titled else "",
        f'<div><p style="margin:0"><span style="{_BADGE.format(border=_COLOURS[what.mark])}">'
        f'<span aria-hidden="true">{what.mark.sign}</span> '
        f"{escape(f'{what.mark.word}: {what.verdict}')}</span></p>",
        f'<table style="border-collapse:collapse;margin:6px 0">{rows}</table></div>'
        if rows
        else "</div>",
        f"<div>{paragraphs(what.sentences, _SENTENCE)}</div>",
        f'<div class="below" style="overflow-x:auto">{below}</div>' if below else "",
    ]
    return f'<div class="reluplex-head" style="{_HEAD}">{"".join(parts)}</div>'


def paragraphs(sentences: list[str], attributes: str = "") -> str:
    """Sentences as HTML, what stands in backquotes as code."""
    made = (_CODE.sub(r"<code>\1</code>", escape(sentence)) for sentence in sentences)
    return "".join(f"<p{attributes}>{each}</p>" for each in made)


__all__ = ["head", "paragraphs"]
