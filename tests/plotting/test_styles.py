"""All pictures: on the axes given, titled, on light and dark paper, and for the colour-blind."""

import itertools
import re
from functools import cache
from pathlib import Path

import numpy as np
import pytest

import reluplex_walk as rw

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: E402
from matplotlib.colors import to_rgb  # noqa: E402
from matplotlib.contour import ContourSet  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from matplotlib.text import Text  # noqa: E402

from reluplex_walk import plotting  # noqa: E402
from reluplex_walk.plotting import _axes, ensemble, minima, shattering, training  # noqa: E402

PAGE = Path(__file__).parents[2] / "docs" / "gallery" / "pictures.md"
NET = rw.ReLUNetwork([[[1.0]], [[1.0]]], [[0.0], [0.0]])  # with two valleys on these data:
X, Y = [[0.0], [1.0], [2.0], [3.0]], [2.0, 0.0, 0.0, 3.0]


@cache
def valleys():
    return rw.LayerLoss(NET, X, Y)


@cache
def curve():
    rng = np.random.default_rng(1)
    net = rw.ReLUNetwork.random([1, 4, 1], seed=2)
    return rw.walk(rw.LayerLoss(net, rng.normal(size=(25, 1)), rng.normal(size=25)))


@cache
def several():
    data, _ = rw.datasets.make_teacher(40, [2, 3, 1], noise=0.5)
    return rw.walk(rw.LayerLoss(rw.ReLUNetwork.random([2, 3, 2, 1], seed=1), data.X, data.y))


@cache
def cut():
    return rw.slice(valleys(), [0.0, 0.0], [1.0, 0.0], [0.0, 1.0], extent=8.0)


@cache
def many():
    return rw.ensemble(curve().problem, walks=12, step="long", measures="decay")


@cache
def path():
    return rw.descend(several().problem, "adam", 30)


@cache
def measured():
    walk = curve()
    return [rw.density.breakpoint_density(walk.problem, walk.theta, 0.5, segments=5)]


@cache
def process():
    engel = rw.datasets.load_engel()
    return rw.quantile_process(engel.X[::4], engel.y[::4])


@cache
def regret():
    problem = several().problem
    return rw.taylor.regret(problem.network, problem.X, problem.y, horizons=[16, 32])


AX = {  # name: what is drawn; functions of one axes
    "plot_activations": several,
    "plot_barrier": lambda: rw.barrier(valleys(), [3.0, -6.0], [-2.0, 2.0]),
    "plot_basins": lambda: rw.merge_tree(cut()),
    "plot_descending": curve,
    "plot_descent": lambda: {"one": path(), "two": path()},
    "plot_escape": lambda: [
        rw.chains.escape(3, "adam", 10),
        rw.chains.escape(16, "gd", 20, gradients=150),
    ],
    "plot_exploration": lambda: rw.activations.exploration(path()),
    "plot_fit": several,
    "plot_gap": curve,
    "plot_glass": lambda: rw.glass.exact(several().problem, several().problem.theta, 0.3),
    "plot_graph": lambda: rw.merge(rw.walk(valleys(), seed=seed) for seed in range(6)),
    "plot_loss": curve,
    "plot_merge_tree": lambda: rw.merge_tree(valleys()),
    "plot_minima": many,
    "plot_penalty_path": lambda: rw.penalty_path(valleys(), n=3),
    "plot_persistence": lambda: rw.merge_tree(valleys()),
    "plot_plane": several,
    "plot_regret": regret,
    "plot_residuals": several,
    "plot_shatteredness": lambda: rw.taylor.shatteredness([2, 4], samples=30, networks=3),
    "plot_shattering": lambda: [rw.taylor.shattering([1, 2], 16, networks=10)],
    "plot_slice": cut,
    "plot_training": lambda: rw.train(rw.ReLUNetwork.random([1, 2, 1]), X, Y, rounds=4),
    "plot_vanishing": lambda: rw.chains.vanishing([2, 4], [2, 4], networks=10),
}
FEW_AXES = {"plot_fits": (curve, 2), "plot_partial": (several, 2), "plot_process": (process, 2)}
FIGURES = {"overview": several, "plot_ensemble": many}
OTHER = {"animate", "plot_density"}  # of figures that move; of two arguments


def test_every_picture_is_tested():
    named = {*AX, *FEW_AXES, *FIGURES, *OTHER}
    assert named == {*plotting.__all__}


def drawn(name, title):
    """A figure with the picture `name`, and what was drawn on as given and as returned."""
    function = getattr(plotting, name)
    figure = Figure(dpi=50)
    FigureCanvasAgg(figure)
    if name in AX or name == "plot_density":
        ax = figure.subplots()
        extra = (measured(), [3]) if name == "plot_density" else (made(name),)
        returned = function(*extra, ax=ax, title=title)
        assert returned is ax
        assert ax.get_title() == title
    elif name in FEW_AXES:
        what, count = FEW_AXES[name]
        axes = list(figure.subplots(1, count))
        options = {"entries": [0, 3]} if name == "plot_fits" else {}
        returned = function(what(), axes=axes, title=title, **options)
        assert [*returned] == axes
        assert figure.get_suptitle() == title
    elif name == "animate":
        film = function(several(), figure=figure, title=title)
        figure.canvas.draw()  # else the film warns that it was never shown
        assert film is not None
        assert figure.get_suptitle() == title
    else:
        assert function(FIGURES[name](), figure=figure, title=title) is figure
        assert figure.get_suptitle() == title
    assert plt.get_fignums() == []
    return figure


@cache
def made(name):
    return AX[name]()


@pytest.mark.parametrize("style", ["default", "dark_background"])
@pytest.mark.parametrize("name", plotting.__all__)
def test_nothing_vanishes_on_its_paper(name, style):
    with plt.style.context(style):
        figure = drawn(name, "a title")
        figure.canvas.draw()
        paper = plt.rcParams["axes.facecolor"]
        lost = [each for each in visible(figure) if max(apart(c, paper) for c in each) < 0.2]
    assert lost == []


def visible(figure):
    """Colours of what is drawn, of face and edge; not of what lies on a coloured surface."""
    for text in figure.findobj(Text):
        if text.get_text() and text.get_visible() and not on_surface(text.axes):
            yield [text.get_color()]
    for ax in figure.axes:
        if not on_surface(ax):
            for line in ax.lines:
                if line.get_linestyle() != "None":
                    yield [line.get_color()]
                if line.get_marker() != "None":
                    faces = line.get_markerfacecolor(), line.get_markeredgecolor()
                    yield [face for face in faces if face != "none"]
            for collection in ax.collections:
                colours = [*collection.get_edgecolor(), *collection.get_facecolor()]
                if colours:
                    yield colours
            for patch in ax.patches:
                yield [patch.get_facecolor()]


def on_surface(ax):
    """Whether level lines or an image fill the axes."""
    from matplotlib.collections import QuadMesh

    if ax is None:
        return False
    filled = (ContourSet, QuadMesh)
    return any(isinstance(each, filled) for each in ax.collections)


def apart(a, b):
    return np.abs(np.array(to_rgb(a)) - np.array(to_rgb(b))).max()


# ---------------------------------------------------------------- readers without green cones

_TO_LMS = np.array(
    [[17.8824, 43.5161, 4.11935], [3.45565, 27.1554, 3.86714], [0.0299566, 0.184309, 1.46709]]
)
_DEUTERANOPIA = np.array([[1.0, 0.0, 0.0], [0.494207, 0.0, 1.24827], [0.0, 0.0, 1.0]])


def as_seen(colour):
    """A colour as deuteranopes see it (Viénot, Brettel and Mollon 1999), in linear RGB."""
    rgb = np.array(to_rgb(colour))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.linalg.solve(_TO_LMS, _DEUTERANOPIA @ _TO_LMS @ linear)
    return np.clip(seen, 0.0, 1.0)


def test_the_matrices_leave_greys_and_merge_red_with_green():
    assert apart(as_seen("0.5"), np.full(3, 0.214)) < 0.03
    red, green = as_seen("#B06000"), as_seen("#808000")
    assert apart(red, green) < apart("#B06000", "#808000") / 2.0


@pytest.mark.parametrize(
    "together",
    [
        _axes.COLOURS,
        (_axes.BLUE, _axes.VERMILION, _axes.GREY),
        (_axes.BLUE, _axes.VERMILION, _axes.GREEN, _axes.SKY_BLUE, _axes.GREY),
        tuple(look.colour for look in (minima.PROVED, minima.FACE, minima.OPEN)),
        tuple(colour for colour, *_ in shattering._DESIGNS.values()),
        tuple(colour for colour, _ in training._STARTS.values()),
    ],
)
def test_colours_used_together_differ_for_deuteranopes(together):
    pairs = itertools.combinations(together, 2)
    assert min(apart(as_seen(a), as_seen(b)) for a, b in pairs) > 0.1


def test_lines_marks_and_bars_differ_without_colour():
    styles = [(str(_axes.line_style(k)["ls"]), _axes.line_style(k)["color"]) for k in range(42)]
    assert len({*styles}) == 42
    assert len({ls for ls, _ in styles[:7]}) == 7
    assert len({look.hatch for look in (minima.PROVED, minima.FACE, minima.OPEN)}) == 3
    assert len({mark for _, mark, _ in shattering._DESIGNS.values()}) == 4
    assert len({mark for _, mark in training._STARTS.values()}) == 4
    assert ensemble.OPEN.hatch != ensemble.PROVED.hatch


def test_colours_show_on_light_and_dark_paper():
    for colour, paper in itertools.product(_axes.COLOURS, ("white", "black")):
        assert apart(colour, paper) > 0.3


# ---------------------------------------------------------------- the gallery


def test_the_gallery_shows_every_picture_with_its_code():
    text = PAGE.read_text(encoding="utf-8")
    shown = re.findall(r"```python\n(.*?)```\n\n!\[.*?\]\(pictures/(\S+?)\.", text, re.DOTALL)
    called = {re.findall(r"plotting\.(\w+)\(", code)[-1] for code, _ in shown}
    assert called == {*plotting.__all__}
    for code, picture in shown:
        assert picture.startswith(re.findall(r"plotting\.(\w+)\(", code)[-1])
