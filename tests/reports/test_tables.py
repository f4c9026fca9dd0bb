"""Tables of HTML: every number as it is, sorted by a script that needs nothing else."""

from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import reluplex_walk.reports
from reluplex_walk.reports.tables import table


class Cells(HTMLParser):
    """Rows of (text, exact number or None), and the headers."""

    def __init__(self, html):
        super().__init__()
        self.rows, self.heads, self.caption, self._into = [], [], "", None
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag == "tr":
            self.rows.append([])
        elif tag == "td":
            self.rows[-1].append(["", given.get("data-value"), given.get("class")])
            self._into = tag
        elif tag == "th":
            self.heads.append(["", given])
            self._into = tag
        elif tag == "caption":
            self._into = tag

    def handle_endtag(self, tag):
        if tag == self._into:
            self._into = None

    def handle_data(self, data):
        if self._into == "td":
            self.rows[-1][-1][0] += data
        elif self._into == "th":
            self.heads[-1][0] += data
        elif self._into == "caption":
            self.caption += data

    @property
    def body(self):
        return self.rows[1:]

    def column(self, name):
        """The cells of a column: exact numbers, else texts."""
        k = [head[0] for head in self.heads].index(name)
        return [float(row[k][1]) if row[k][1] else row[k][0] for row in self.body]


def test_numbers_are_exact_and_right_aligned():
    losses = np.array([1.0 / 3.0, 1e-300, -2.5e17, np.inf])
    cells = Cells(table({"loss": losses, "walk": range(4), "name": list("abcd")}, "Walks"))
    assert cells.column("loss")[:3] == losses[:3].tolist()
    assert [row[0][1] for row in cells.body][3] == "Infinity"
    assert cells.column("walk") == [0.0, 1.0, 2.0, 3.0]
    assert cells.column("name") == ["a", "b", "c", "d"]
    assert [row[0][2] for row in cells.body] == ["number"] * 4
    assert [head[1].get("class") for head in cells.heads] == ["number", "number", None]
    assert cells.caption == "Walks"


def test_headers_are_buttons_that_say_how_they_sort():
    html = table({"loss": [1.0], "name": ["a"]})
    cells = Cells(html)
    assert html.count('<button type="button">') == 2
    assert [head[1]["aria-sort"] for head in cells.heads] == ["none", "none"]
    assert [head[1]["scope"] for head in cells.heads] == ["col", "col"]


def test_what_is_missing_is_neither_text_nor_nan():
    masked = np.ma.masked_array([1.0, 2.0, 3.0], [False, True, False])
    cells = Cells(table({"a": [1.5, None, np.nan], "b": masked, "c": [True, np.False_, "<b>&"]}))
    assert [row[0][2] for row in cells.body] == ["number", "none", "none"]
    assert [row[1][2] for row in cells.body] == ["number", "none", "number"]
    assert [row[2][0] for row in cells.body] == ["yes", "no", "<b>&"]


def test_many_rows_are_thinned_and_it_is_said():
    html = table({"walk": np.arange(10_000)}, most=100)
    shown = Cells(html).column("walk")
    assert (len(shown), shown[0], shown[-1]) == (100, 0.0, 9999.0)
    assert np.ptp(np.diff(shown)) <= 1
    assert "100 of 10000 rows are shown" in html
    assert "rows are shown" not in table({"walk": np.arange(100)}, most=100)


def test_text_is_escaped():
    html = table({"<i>": ["<script>"]}, caption="a & <b>")
    assert not any(tag in html for tag in ("<i>", "<script>", "<b>"))


def test_columns_are_equally_long():
    with pytest.raises(ValueError, match=r"columns: expected equal lengths, found .*'a': 1"):
        table({"a": [1], "b": [1, 2]})
    with pytest.raises(ValueError, match="most"):
        table({"a": [1]}, most=1)
    assert Cells(table({})).body == []
    assert Cells(table({"a": []})).body == []


def test_the_script_sorts_what_tables_have():
    script = Path(reluplex_walk.reports.__file__).parent / "assets" / "tables.js"
    html = table({"a": [1.0, None]})
    for name in ("sortable", "aria-sort", "none"):
        assert name in script.read_text()
        assert name in html


def test_columns_have_digits_of_their_own():
    third = [1.0 / 3.0]
    html = table({"loss": third, "share": third, "rest": third}, digits={"loss": 9, "share": 3})
    for text in (">0.333333333<", ">0.333<", ">0.333333<"):
        assert text in html
    assert html.count(f'data-value="{third[0]!r}"') == 3
