"""Reports in a real browser: no error at any size, the slider moves the fit, the terrain turns."""

import re

import numpy as np
import pytest

pytest.importorskip("plotly")

import reluplex_walk as rw
from tests.reports.browser import DESKTOP, PHONE, draw_all, opened
from tests.reports.walks import WALKS, curve, two_outputs


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return rw.report(curve(), tmp_path_factory.mktemp("page") / "walk.html")


@pytest.fixture(scope="module")
def page(browser, path):
    """A page on which everything is drawn, for tests that leave it as it was."""
    with opened(browser, path) as found:
        draw_all(found)
        yield found
        assert found.wrong == []


def drawn(page, name):
    """Points of the trace `name` of the figure with the id."""
    plot, _, trace = name.partition("/")
    return page.evaluate(
        """([plot, trace]) => {
            const found = document.getElementById(plot).data.find((each) => each.name === trace);
            return [Array.from(found.x), Array.from(found.y)];
        }""",
        [plot, trace],
    )


def go_to(page, k):
    page.evaluate("k => report.walk.show(k)", k)


def overflow(page):
    return page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )


def test_opens_without_an_error_on_a_phone(browser, path):
    with opened(browser, path, PHONE, "dark") as page:
        draw_all(page)
        assert page.wrong == []
        assert page.locator(".plot.failed").count() == 0
        assert page.locator(".plot.drawn").count() == 4
        assert overflow(page) == 0
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def test_opens_without_an_error_on_a_desktop(page):
    assert page.wrong == []
    assert page.locator(".plot.failed").count() == 0
    assert page.locator(".plot.drawn").count() == 4
    assert overflow(page) == 0
    assert page.evaluate("document.documentElement.dataset.theme") == "light"


@pytest.mark.parametrize("name", ["two outputs", "on a line", "no pivots", "penalty"])
def test_other_walks_open_without_an_error(browser, tmp_path, name):
    path = rw.report(WALKS[name](), tmp_path / "walk.html")
    with opened(browser, path, PHONE) as page:
        draw_all(page)
        assert overflow(page) == 0
        page.set_viewport_size(DESKTOP)
        assert overflow(page) == 0
        assert page.locator(".plot.failed").count() == 0
        assert page.locator("#vertex").is_disabled() == (name == "no pivots")
        if name != "no pivots":
            page.locator("#previous").click()
            assert re.match("(Vertex|Entry) ", page.locator("#told").text_content())
        if name == "two outputs":
            check_outputs(page)
        assert page.wrong == []


def check_outputs(page):
    """The fit of the second output, and its residuals."""
    traj = two_outputs()
    k = traj.n_pivots - 3
    network = traj.problem.network.with_layer(0, traj.vertices[k])
    observed, fitted = traj.problem.y[:, 1], network(traj.problem.X)[:, 1]
    page.locator("#output").select_option("1")
    go_to(page, k)
    x, y = drawn(page, "walk-fit/vertex shown")
    assert x == pytest.approx(observed, rel=1e-6)
    assert y == pytest.approx(fitted, rel=1e-4, abs=1e-5)
    page.locator("#fit-views button", has_text="residuals").click()
    go_to(page, k)
    _, y = drawn(page, "walk-fit/vertex shown")
    assert y == pytest.approx(observed - fitted, rel=1e-4, abs=1e-5)
    assert page.locator("#fit-views button", has_text="curve").count() == 0


def named(traj, k):
    """What the player calls an entry: before the first vertex there is none."""
    return f"{'Entry' if k < traj.phase1 else 'Vertex'} {k} of {traj.n_pivots}"


def test_the_slider_moves_the_fit(page):
    traj = curve()
    shown = []
    for k in (0, traj.n_pivots // 2, traj.n_pivots):
        page.locator("#vertex").evaluate(
            "(slider, k) => { slider.value = k; slider.dispatchEvent(new Event('input')); }", k
        )
        page.wait_for_function("k => report.walk.at === k", arg=k)
        go_to(page, k)  # waits until it is drawn
        x, y = drawn(page, "walk-fit/vertex shown")
        network = traj.problem.network.with_layer(0, traj.vertices[k])
        assert y == pytest.approx(network(np.array(x)[:, None])[:, 0], rel=1e-5, abs=1e-5)
        shown.append(y)
        at, loss = drawn(page, "walk-loss/vertex shown")
        assert (at, loss) == ([k], [traj.losses[k]])  # the loss of Python, bit for bit
        assert page.locator("#told").text_content().startswith(named(traj, k))
    assert shown[0] != pytest.approx(shown[1])
    assert shown[1] != pytest.approx(shown[2])


def test_the_vertex_stands_where_it_is_in_the_plane(page):
    traj = curve()
    frame_at = page.evaluate("Array.from(report.walk.plane.walk, (at) => Array.from(at))")
    for k in (traj.phase1, traj.n_pivots):
        go_to(page, k)
        x, y = page.evaluate(
            "[4].map((k) => document.getElementById('walk-plane').data[k])"
            ".map((trace) => [trace.x[0], trace.y[0]])[0]"
        )
        a, b, c, d = page.evaluate("report.walk.plane.extent")
        s, t = frame_at[k]
        assert (x, y) == pytest.approx((a + s * (b - a), c + t * (d - c)))
    origin, last = traj.vertices[traj.phase1], traj.vertices[-1]
    assert np.hypot(x, y) == pytest.approx(np.linalg.norm(last - origin), rel=1e-5)


def test_an_exact_part_of_a_sampled_plane(browser, tmp_path, monkeypatch):
    monkeypatch.setattr("reluplex_walk.reports.terrain._MOST", 10)
    with opened(browser, rw.report(curve(), tmp_path / "walk.html")) as page:
        draw_all(page)
        near = page.evaluate("report.walk.plane.near.extent")
        page.locator("[data-zoom='exact']").click()
        page.wait_for_function(
            "x => document.getElementById('walk-plane').layout.images[0].x === x", arg=near[0]
        )
        x0, x1, y0, y1 = page.evaluate("report.walk.plane.near.within")
        inside = [(x0 + x1) / 2, (y0 + y1) / 2]
        assert not page.evaluate("([s, t]) => report.plane.at(s, t).sampled", inside)
        page.locator("[data-zoom='whole']").click()
        page.wait_for_function("report.plane.at(0.01, 0.99)?.sampled")
        assert page.wrong == []


def axes():
    """First vertex and both directions of the plane, as the words on the page have it."""
    traj = curve()
    origin, last = traj.vertices[traj.phase1], traj.vertices[-1]
    middle = traj.vertices[(traj.phase1 + traj.n_pivots) // 2]
    u = (last - origin) / np.linalg.norm(last - origin)
    across = (middle - origin) - ((middle - origin) * u).sum() * u
    return traj.problem, origin, u, across / np.linalg.norm(across)


def test_the_picture_of_the_plane_is_the_loss(page):
    """What a pixel shows, also of a small window, is the loss there."""
    loss, origin, u, v = axes()
    a, b, c, d = page.evaluate("report.walk.plane.extent")
    rng = np.random.default_rng(0)
    for view in ([0, 1, 0, 1], [0.4, 0.45, 0.5, 0.53]):
        page.evaluate("view => { report.plane.picture(view, 300, 200, 1); }", view)
        for _ in range(40):
            s, t = rng.uniform(view[0], view[1]), rng.uniform(view[2], view[3])
            found = page.evaluate("([s, t]) => report.plane.at(s, t).loss", [s, t])
            theta = origin + (a + s * (b - a)) * u + (c + t * (d - c)) * v
            # The polygon is that of the pixel, which is next to the point's at an edge.
            assert found == pytest.approx(loss(theta), rel=0.02)
    assert page.evaluate("report.plane.at(2, 2)") is None
    colours = page.evaluate(
        """() => {
            report.plane.picture([0, 1, 0, 1], 300, 200, 1);
            const { view, width, height, owners, bounds } = report.plane.seen;
            const image = report.plane.coloured(view, width, height, 1, owners, bounds);
            return new Set(image.data).size;
        }"""
    )
    assert colours > 10


def test_the_terrain_is_the_plane(page):
    z, x, y = page.evaluate(
        """() => {
            const ground = document.getElementById('walk-terrain').data[0];
            return ['z', 'x', 'y'].map((name) => Array.from(ground[name].slice(0, 500)));
        }"""
    )
    loss, origin, u, v = axes()
    for k in range(0, 500, 25):
        theta = origin + x[k] * u + y[k] * v
        assert z[k] == pytest.approx(loss(theta), rel=1e-4)


def test_the_terrain_turns(page):
    eye = "document.getElementById('walk-terrain').layout.scene.camera.eye"
    page.locator("#walk-terrain").scroll_into_view_if_needed()
    before = page.evaluate(eye)
    box = page.locator("#walk-terrain").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 3
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 120, y + 20, steps=6)
    page.mouse.up()
    page.wait_for_function(f"x => {eye}.x !== x", arg=before["x"])
    dragged = page.evaluate(eye)
    assert abs(dragged["x"] - before["x"]) > 0.05
    page.locator("[data-turn='20']").click()
    page.wait_for_function(f"x => {eye}.x !== x", arg=dragged["x"])
    page.locator("[data-height='log']").click()
    page.wait_for_function(
        "document.getElementById('walk-terrain').layout.scene.zaxis.type === 'log'"
    )
    assert page.wrong == []


def test_the_keyboard_moves_the_slider(page):
    traj = curve()
    page.locator("#vertex").focus()
    for key, k in [
        ("Home", 0),
        ("ArrowRight", 1),
        ("ArrowRight", 2),
        ("ArrowLeft", 1),
        ("End", traj.n_pivots),
    ]:
        page.keyboard.press(key)
        assert page.evaluate("report.walk.at") == k
        told = page.locator("#vertex").get_attribute("aria-valuetext")
        assert told.startswith(named(traj, k))
    for _ in range(400):  # every control can be reached, and is seen when it is
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "play":
            break
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    page.keyboard.press("Space")
    page.wait_for_function("report.walk.at > 0 && report.walk.at < report.walk.last")
    assert page.locator("#play").get_attribute("aria-label") == "Pause"
    page.keyboard.press("Space")
    assert page.locator("#play").get_attribute("aria-label") == "Play"
    page.locator("#vertex").focus()
    page.keyboard.press("Home")
    page.locator("#next").press("Enter")
    page.locator("#next").press("Enter")
    page.locator("#previous").press("Enter")
    assert page.evaluate("report.walk.at") == 1
    assert page.wrong == []


def test_it_plays_to_the_end(page):
    page.evaluate("report.walk.show(report.walk.entries.length - 4)")
    page.locator("#play").click()
    page.wait_for_function("document.getElementById('play').ariaPressed === 'false'")
    assert page.evaluate("report.walk.at") == curve().n_pivots
    assert page.wrong == []


def test_themes_switch_and_stay(browser, path):
    ink = "document.getElementById('walk-loss')._fullLayout.font.color"
    paper = "getComputedStyle(document.body).backgroundColor"
    with opened(browser, path) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
        draw_all(page)
        light = page.evaluate(ink), page.evaluate(paper)
        page.locator("#theme").click()
        page.wait_for_function(f"was => {ink} !== was", arg=light[0])
        assert page.evaluate(paper) != light[1]
        assert page.locator("#theme").get_attribute("aria-pressed") == "true"
        page.reload()
        page.wait_for_function("document.documentElement.dataset.ready")
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
        page.emulate_media(color_scheme="light")  # what was chosen holds
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
        assert page.wrong == []


def test_the_plane_zooms(page):
    span = "(([a, b]) => b - a)(document.getElementById('walk-plane').layout.xaxis.range)"
    image = "document.getElementById('walk-plane').layout.images[0].sizex"
    whole = page.evaluate(span)
    for action, share in [("0.5", 0.5), ("here", 0.125), ("2", 0.25), ("whole", 1.0)]:
        page.locator(f"[data-zoom='{action}']").click()
        page.wait_for_function(  # drawn anew for the window
            f"([share, whole]) => Math.abs({span} / whole - share) < 1e-6"
            f" && Math.abs({image} / whole - share) < 1e-6",
            arg=[share, whole],
        )
    page.locator("#walk-plane").hover(position={"x": 200, "y": 120})
    assert " at (" in page.locator("#pointed").text_content()
    assert page.wrong == []


def test_axes_of_the_loss(page):
    axis = "document.getElementById('walk-loss').layout"
    page.locator("[data-show='gap']").click()
    page.wait_for_function(f"{axis}.yaxis.type === 'log'")
    _, gap = drawn(page, "walk-loss/loss above the end")
    expected = curve().losses - curve().losses.min()
    assert [g or 0.0 for g in gap] == pytest.approx(expected, rel=1e-5, abs=1e-12)
    page.locator("[data-log='x']").click()
    page.wait_for_function(f"{axis}.xaxis.type === 'log'")
    assert page.wrong == []


def test_tables_sort(page):
    rows = "Array.from(document.querySelectorAll('#pivots tbody tr')"
    losses = f"{rows}, (row) => Number(row.cells[1].dataset.value))"
    button = page.locator("#pivots th button", has_text="loss")
    rises = [a.tolist() for a in (np.sort(curve().losses), np.sort(curve().losses)[::-1])]
    for order in rises:
        button.click()
        assert page.evaluate(losses) == order


def test_without_scripts_the_words_are_there(browser, path):
    with opened(browser, path, java_script_enabled=False) as page:
        assert "need JavaScript" in page.locator("noscript").inner_text()
        assert page.locator("#certificate .facts").is_visible()
        assert page.locator("#pivots tbody tr").count() == len(curve().losses)


def test_an_old_browser_is_told(browser, path):
    old = "delete window.DecompressionStream"
    with opened(browser, path, before=old) as page:
        page.wait_for_function("document.querySelector('.plot.failed')")
        for place in (".plot.failed", "#told"):
            assert "a browser of 2023" in page.locator(place).first.text_content()
        assert page.locator("#pivots tbody tr").first.is_visible()
        assert page.wrong == []
