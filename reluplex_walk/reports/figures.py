"""Figures of plotly as HTML: what is to be drawn, in compact form; `figures.js` draws it when seen.

Arrays travel as the bytes of the numbers, in base64: float32 is enough for whatever is only looked
at.  Colours may be ``var(--name)``, a variable of `report.css`, so that they follow the theme.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping, Sequence
from gzip import compress
from html import escape
from typing import Any

import numpy as np

_KINDS = {"f4", "f8", "i1", "u1", "i2", "u2", "i4", "u4"}


def figure(
    traces: Sequence[Mapping[str, Any]],
    layout: Mapping[str, Any] | None = None,
    label: str = "",
    height: int = 360,
    caption: str = "",
) -> str:
    """A figure of plotly that draws itself when it is scrolled to.

    `traces` and `layout` are those of plotly, as dictionaries, their values numbers, text, lists or
    NumPy arrays; `label` says in words what is to be seen, for those who cannot see it, `caption`
    stands below; `height` in pixels.  Fonts, background, grid and the colours of lines that name
    none are the page's.

    Examples
    --------
    >>> import numpy as np
    >>> from reluplex_walk.reports.figures import figure
    >>> trace = {"type": "scatter", "x": np.arange(3.0), "y": [3.0, 2.0, 1.5], "name": "loss"}
    >>> html = figure([trace], {"xaxis": {"title": {"text": "pivot"}}}, label="Loss by pivot")
    >>> html.startswith('<figure><div class="plot" role="img" aria-label="Loss by pivot"')
    True
    """
    spec = {"traces": [dict(trace) for trace in traces], "layout": dict(layout or {})}
    below = f"<figcaption>{escape(caption)}</figcaption>" if caption else ""
    return (
        f'<figure><div class="plot" role="img" aria-label="{escape(label)}" '
        f'style="height:{int(height)}px"></div>{data(spec)}{below}</figure>'
    )


def data(value: Any, name: str = "") -> str:
    r"""`value` as a block of JSON for scripts; `name` is its id.

    Examples
    --------
    >>> from reluplex_walk.reports.figures import data
    >>> data({"title": "</script>"}, "walk")
    '<script type="application/json" id="walk">{"title":"\\u003c/script\\u003e"}</script>'
    """
    place = f' id="{escape(name)}"' if name else ""
    return f'<script type="application/json"{place}>{as_json(value)}</script>'


def packed(value: Any, name: str) -> str:
    """As :func:`data`, compressed: for what is large, and read when the page is there.

    Examples
    --------
    >>> import numpy as np
    >>> from reluplex_walk.reports.figures import packed
    >>> len(packed(np.zeros(10_000), "zeros")) < 500
    True
    """
    text = b64encode(compress(as_json(value).encode(), 9, mtime=0)).decode()
    return f'<script type="text/plain" id="{escape(name)}">{text}</script>'


def as_json(value: Any) -> str:
    """`value` as JSON in which no tag can begin or end, arrays packed; ValueError for NaN.

    Examples
    --------
    >>> import numpy as np
    >>> from reluplex_walk.reports.figures import as_json
    >>> as_json({"x": np.array([1.0, 2.0], np.float32)})
    '{"x":{"f4":"AACAPwAAAEA=","shape":[2]}}'
    """
    text = json.dumps(value, default=_plain, allow_nan=False, separators=(",", ":"))
    for mark in "<>&":
        text = text.replace(mark, f"\\u{ord(mark):04x}")
    return text


def _plain(value: Any) -> Any:
    """What JSON has no word for: arrays and numbers of NumPy."""
    if isinstance(value, np.generic):
        return value.item()
    if not isinstance(value, np.ndarray):
        raise TypeError(f"figure: expected numbers, text, lists or arrays, found {type(value)}")
    array = value.astype(np.uint8) if value.dtype == bool else value
    if array.dtype.kind == "i":
        array = _smallest(array)
    kind = array.dtype.str[1:]
    if kind not in _KINDS:
        return value.tolist()
    bits = np.ascontiguousarray(array, array.dtype.newbyteorder("<"))
    return {kind: b64encode(bits.tobytes()).decode(), "shape": list(array.shape)}


def _smallest(array: np.ndarray) -> np.ndarray:
    """Whole numbers in as few bytes as hold them."""
    low, high = (int(array.min()), int(array.max())) if array.size else (0, 0)
    for kind in (np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32):
        bounds = np.iinfo(kind)
        if bounds.min <= low and high <= bounds.max:
            return array.astype(kind)
    return array.astype(float)


__all__ = ["as_json", "data", "figure", "packed"]
