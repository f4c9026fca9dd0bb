"""Reports without a browser: what is in the file, that it needs no network, and bad input."""

import gzip
import json
import re
import sys
from base64 import b64decode
from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser

import numpy as np
import pytest

pytest.importorskip("plotly")
import plotly.graph_objects as go

import reluplex_walk as rw
from reluplex_walk.reports import of_walk, played, terrain
from reluplex_walk.reports.figures import as_json, figure, packed
from reluplex_walk.reports.page import Page, Section
from tests.reports.walks import WALKS, curve, two_outputs

VOID = {"meta", "link", "input", "br", "path", "img", "hr", "wbr"}


class Reader(HTMLParser):
    """The elements of a page; tags that do not match are an error."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict]] = []
        self.text: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("script", "style"):
            self.text.append(data)


def read(html):
    reader = Reader()
    reader.feed(html)
    reader.close()
    assert reader.open == []
    return reader


def block(html, name):
    """The value of a compressed block of data, its arrays as NumPy has them."""
    text = re.search(rf'<script type="text/plain" id="{name}">([^<]*)</script>', html)[1]

    def array(found):
        if "shape" not in found:
            return found
        (kind,) = [key for key in found if key != "shape"]
        return np.frombuffer(b64decode(found[kind]), f"<{kind}").reshape(found["shape"])

    return json.loads(gzip.decompress(b64decode(text)), object_hook=array)


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    return rw.report(curve(), tmp_path_factory.mktemp("page") / "walk.html").read_text("utf-8")


@pytest.mark.parametrize("name", WALKS)
def test_every_walk_has_a_page(name, tmp_path):
    traj = WALKS[name]()
    html = rw.report(traj, tmp_path / "walk.html").read_text("utf-8")
    reader = read(html)
    ids = [attrs["id"] for _, attrs in reader.tags if attrs.get("id")]
    assert len(ids) == len(set(ids))
    assert {"walk", "pivots", "certificate", "making"} <= set(ids)
    for tag, attrs in reader.tags:  # nothing comes from elsewhere
        for link in ("src", "href", "action", "data", "poster"):
            assert attrs.get(link, "#").startswith("#"), (tag, attrs)
    assert not re.search(r"\bnan\b", " ".join(reader.text), re.IGNORECASE)
    data = block(html, "walk-data")
    assert data["losses"].tolist() == traj.losses.tolist()  # bit for bit
    for part in _arrays(data):
        assert np.isfinite(part).all()
    assert ("plane" in data) == ('id="walk-plane"' in html)
    assert len(html) < 4e6


def _arrays(value):
    if isinstance(value, np.ndarray):
        yield value
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for part in parts:
        yield from _arrays(part)


def test_a_page_without_a_plane_shows_a_line(tmp_path):
    traj = WALKS["on a line"]()
    html = rw.report(traj, tmp_path / "walk.html").read_text("utf-8")
    assert "There is no plane to show" in html
    assert 'id="walk-line"' in html
    line = block(html, "walk-data")["line"]
    assert len(line["at"]) == len(traj.losses)
    first, last = traj.vertices[traj.phase1], traj.vertices[-1]
    u = (last - first) / np.linalg.norm(last - first)
    for s, value in zip(line["positions"], line["losses"], strict=True):
        assert traj.problem(first + s * u) == pytest.approx(value, rel=1e-6)
    assert line["at"][-1] == pytest.approx(np.linalg.norm(last - first))


def test_a_page_of_one_vertex_has_neither(tmp_path):
    html = rw.report(WALKS["no pivots"](), tmp_path / "walk.html").read_text("utf-8")
    assert "one entry alone" in html
    assert not {"walk-line", "walk-plane"} & {a.get("id") for _, a in read(html).tags}


def test_a_walk_that_came_to_no_vertex_says_so(tmp_path):
    traj = rw.walk(curve().problem, max_pivots=curve().phase1 - 1)
    html = rw.report(traj, tmp_path / "walk.html").read_text("utf-8")
    told = " ".join(read(html).text)
    assert f"stopped after {traj.n_pivots} pivots, before its first vertex" in told
    assert "from its start to its last entry" in told
    assert not re.search("lie on one line|fewer than three|first vertex to the last", told)
    assert block(html, "walk-data")["phase1"] == len(traj.losses)


def test_a_loss_too_long_to_write_is_rounded(tmp_path):
    long = Fraction(10**5000 + 1, 3**10480)
    with pytest.raises(ValueError, match="integer string conversion"):
        str(long)
    traj = replace(curve(), certificate=replace(curve().certificate, loss=long))
    html = rw.report(traj, tmp_path / "walk.html").read_text("utf-8")
    rounded = f"{float(long):.12g}, rounded from a fraction of about 10,"
    assert rounded in " ".join(read(html).text)
    assert of_walk._number(Fraction(1, 3)) == "1/3 = 0.333333333333, exactly"


def test_the_plane_is_the_loss(page):
    traj, plane = curve(), block(page, "walk-data")["plane"]
    assert not plane["sampled"]
    frame = terrain.frame_of(traj)
    corners = plane["corners"].reshape(-1, 2)
    pieces = plane["pieces"].reshape(-1, 3)
    ends = np.cumsum(plane["counts"])
    rng = np.random.default_rng(0)
    for k in rng.choice(len(ends), 40):
        polygon = corners[(ends[k - 1] if k else 0) : ends[k]]
        inside = polygon.mean(axis=0)
        at = frame.low + inside * (frame.high - frame.low)
        value = traj.problem((frame.origin + at @ frame.axes).reshape(traj.problem.shape))
        assert pieces[k, :2] @ inside + pieces[k, 2] == pytest.approx(value, rel=1e-4)
    # The three vertices lie in it, where the loss is theirs.
    for k, mark in zip(terrain.three(traj), plane["marks"], strict=True):
        value = terrain.losses_at(traj, frame, mark[None] * (frame.high - frame.low) + frame.low)
        assert value[0] == pytest.approx(traj.losses[k], rel=1e-6)


@pytest.mark.parametrize("most", [10, 10**6])
def test_a_plane_that_is_too_fine_is_sampled_and_says_so(most, monkeypatch):
    monkeypatch.setattr(terrain, "_MOST", most)
    traj = curve()
    plane, words = terrain.terrain(traj, np.arange(len(traj.losses)))
    assert plane["sampled"] == (most == 10)
    assert any("sampled at 100 x 100 points" in sentence for sentence in words) == (most == 10)
    assert any("this plane is exact: " in sentence for sentence in words) == (most > 10)
    penalised, words = terrain.terrain(WALKS["penalty"](), np.arange(2))
    assert penalised["sampled"]
    assert "penalty" in " ".join(words)


def test_a_sampled_plane_has_an_exact_part(monkeypatch):
    monkeypatch.setattr(terrain, "_MOST", 10)
    traj = curve()
    near = terrain.terrain(traj, np.arange(2))[0]["near"]
    frame = terrain.frame_of(traj)
    x0, x1, y0, y1 = near["within"]
    size = frame.high - frame.low
    a, b, c, d = near["extent"]
    assert frame.low + [x0, y0] * size == pytest.approx([a, c])
    assert frame.low + [x1, y1] * size == pytest.approx([b, d])
    last = frame.walk[-1]
    assert a <= last[0] <= b
    assert c <= last[1] <= d
    pieces, at = near["pieces"].reshape(-1, 3), near["corners"][:2]
    inside = np.array([a, c]) + at * [b - a, d - c]
    value = terrain.losses_at(traj, frame, inside[None])[0]
    assert pieces[0, :2] @ at + pieces[0, 2] == pytest.approx(value, rel=1e-5)


def test_the_network_of_the_page_is_that_of_the_walk():
    """What the page multiplies: features brought to mean 0 and deviation 1."""
    traj = two_outputs()
    walk = played.played(traj)
    fit = walk.data["fit"]
    for i in (0, len(walk.entries) - 1):
        theta = fit["theta"][i].reshape(traj.problem.shape)
        hidden = np.maximum(fit["features"] @ theta[:, :-1].T + theta[:, -1], 0.0)
        found = hidden @ fit["tail"][0]["weights"].T + fit["tail"][0]["biases"]
        network = traj.problem.network.with_layer(0, traj.vertices[walk.entries[i]])
        assert found == pytest.approx(network(traj.problem.X), rel=1e-4, abs=1e-5)


def test_long_walks_are_thinned_and_say_so(monkeypatch, tmp_path):
    monkeypatch.setattr(played, "_NUMBERS", 60)
    monkeypatch.setattr(played, "_POINTS", 8)
    monkeypatch.setattr(played, "_SAMPLES", 5)
    traj = curve()
    walk = played.played(traj)
    assert walk.entries[0] == 0
    assert walk.entries[-1] == traj.n_pivots
    assert len(walk.entries) == 10 < len(traj.losses)
    html = rw.report(traj, tmp_path / "walk.html").read_text("utf-8")
    assert f"10 of {len(traj.losses)} entries are played" in html
    assert "drawn with 5 of 25 samples" in html


def test_text_stays_text(tmp_path):
    title = "</title></script><script>alert(1)</script> & <b>"
    html = rw.report(curve(), tmp_path / "walk.html", title=title).read_text("utf-8")
    assert "<script>alert" not in html
    assert title in " ".join(read(html).text)
    assert "</script" not in as_json({"name": "</script><!--", "more": ["<&>"]})
    assert json.loads(as_json({"name": "</script>"})) == {"name": "</script>"}
    section = Section("a", "<i>", "<p>.</p>").render()
    assert "&lt;i&gt;" in section


def test_pages_without_figures_carry_no_library():
    html = Page("Words", "<p>No figure.</p>", [Section("a", "A", "<p>B</p>")]).html()
    assert len(html) < 1e5
    assert 'id="plotly"' not in html
    read(html)


def test_placeholders_in_a_text_are_no_placeholders():
    html = Page("{{scripts}}", "<p>{{head}} {{other}}</p>").html()
    assert "<h1>{{scripts}}</h1>" in html
    assert "{{other}}" in html


def test_figures_travel_in_few_bytes():
    trace = {"type": "scatter", "x": np.arange(1000), "y": np.ones(1000, np.float32)}
    html = figure([trace], {"title": {"text": "<T>"}}, label='a "label"', caption="<c>")
    assert len(html) < 9000
    assert '{"u2":"' in html
    assert "&lt;c&gt;" in html
    assert 'aria-label="a &quot;label&quot;"' in html
    assert len(packed(np.zeros(10**5), "zeros")) < 2000
    with pytest.raises(ValueError, match="not JSON compliant"):
        figure([{"y": [float("nan")]}])
    with pytest.raises(TypeError, match="expected numbers"):
        figure([{"y": object()}])


@pytest.mark.parametrize(
    ("array", "kind"),
    [
        ([0, 255], "u1"),
        ([-1, 127], "i1"),
        ([0, 256], "u2"),
        ([-40_000, 3], "i4"),
        ([2**40, 1], "f8"),
        ([True, False], "u1"),
        ([], "u1"),
    ],
)
def test_whole_numbers_take_as_many_bytes_as_they_need(array, kind):
    given = np.array(array, None if array else np.int64)
    found = json.loads(as_json(given))
    assert np.frombuffer(b64decode(found[kind]), f"<{kind}").tolist() == given.tolist()


def test_plotly_knows_what_figures_say():
    """The attributes are those of the library: its own records refuse any other."""
    trace = {"type": "scatter", "y": [1.0], "line": {"color": "var(--blue)"}}
    assert go.Figure({"data": [trace]}).data[0].line.color == "var(--blue)"


# ---------------------------------------------------------------- the file


def test_the_default_name_says_what_it_is(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert rw.report(curve()).name == "trajectory.html"
    assert (tmp_path / "trajectory.html").is_file()


def test_a_report_is_replaced_and_nothing_else_is(tmp_path):
    path = tmp_path / "walk.html"
    rw.report(curve(), path)
    rw.report(curve(), path, title="Again")
    assert "<h1>Again</h1>" in path.read_text("utf-8")
    other = tmp_path / "mine.html"
    other.write_text("<p>Mine.</p>")
    with pytest.raises(FileExistsError, match=r"path: .*mine.html exists and is no report"):
        rw.report(curve(), other)
    assert other.read_text() == "<p>Mine.</p>"
    with pytest.raises(FileExistsError, match="is no report"):
        rw.report(curve(), tmp_path)
    with pytest.raises(FileNotFoundError, match="path: no folder"):
        rw.report(curve(), tmp_path / "missing" / "walk.html")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["mine.html", "walk.html"]


def test_equal_walks_have_equal_files(tmp_path):
    one = rw.report(curve(), tmp_path / "one.html").read_bytes()
    assert one == rw.report(curve(), tmp_path / "two.html").read_bytes()


def test_no_file_names_the_machine(page, tmp_path):
    text = " ".join(read(page).text)
    for private in (sys.prefix, str(tmp_path), "/home", "/root", "/usr"):
        assert private not in text


def test_bad_input_is_named():
    with pytest.raises(TypeError, match="result: expected a result of reluplex_walk, found 3"):
        rw.report(3)
    with pytest.raises(TypeError, match="title: expected text, found 3"):
        rw.report(curve(), title=3)
    with pytest.raises(TypeError, match="path: expected a path, found 3"):
        rw.report(curve(), 3)
    for path in ("", ".", "/", "a\0b"):
        with pytest.raises(ValueError, match="path: expected the name of a file"):
            rw.report(curve(), path)


@pytest.mark.parametrize("title", ["", "  ", "\ud800"])
def test_a_title_is_text(title, tmp_path):
    with pytest.raises(ValueError, match="title: expected"):
        rw.report(curve(), tmp_path / "walk.html", title=title)
    assert not list(tmp_path.iterdir())


def test_says_what_to_install(monkeypatch, tmp_path):
    from reluplex_walk.reports import page

    page._library.cache_clear()
    monkeypatch.setitem(sys.modules, "plotly.offline", None)
    with pytest.raises(ImportError, match=r"pip install \"reluplex_walk\[report\]\""):
        rw.report(curve(), tmp_path / "walk.html")
    assert not list(tmp_path.iterdir())
