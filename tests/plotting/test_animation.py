"""Films show each entry chosen, whoever writes them, and leave nothing half-written."""

import sys
from itertools import pairwise

import numpy as np
import pytest

import reluplex_walk as rw

matplotlib = pytest.importorskip("matplotlib")
matplotlib.use("Agg")

import matplotlib.pyplot as plt  # noqa: E402
from matplotlib.figure import Figure  # noqa: E402
from PIL import Image  # noqa: E402

from reluplex_walk import plotting  # noqa: E402
from reluplex_walk.plotting import animation  # noqa: E402


@pytest.fixture(scope="module")
def walk():
    rng = np.random.default_rng(1)
    net = rw.ReLUNetwork.random([1, 4, 1], seed=2)
    return rw.walk(rw.LayerLoss(net, rng.normal(size=(25, 1)), rng.normal(size=25)))


@pytest.fixture
def no_ffmpeg():
    with matplotlib.rc_context({"animation.ffmpeg_path": "no-such-program"}):
        yield


@pytest.fixture
def recorder(tmp_path):
    """A program in place of ffmpeg that keeps the frames it is sent."""
    program = tmp_path / "ffmpeg"
    code = "import shutil, sys; shutil.copyfileobj(sys.stdin.buffer, open(sys.argv[-1], 'wb'))"
    program.write_text(f"#!{sys.executable}\n{code}\n")
    program.chmod(0o755)
    with matplotlib.rc_context({"animation.ffmpeg_path": str(program)}):
        yield


def frames(path):
    with Image.open(path) as film:
        for k in range(film.n_frames):
            film.seek(k)
            yield np.asarray(film.convert("RGB")), film.info["duration"]


def test_a_film_has_a_frame_for_each_entry(walk, tmp_path):
    before = plt.get_fignums()
    path = plotting.animate(walk, tmp_path / "walk.gif", dpi=40, fps=10)
    pictures, durations = zip(*frames(path), strict=True)
    assert path == tmp_path / "walk.gif"
    assert len(pictures) == walk.n_pivots + 1
    assert {*durations[:-1]} == {100}
    assert durations[-1] == 100 * 16  # the end stays
    assert pictures[0].shape == (192, 384, 3)
    assert all((a != b).any() for a, b in pairwise(pictures))
    assert plt.get_fignums() == before
    assert [each.name for each in tmp_path.iterdir()] == ["walk.gif"]


def test_of_long_walks_some_entries_are_shown(walk, tmp_path):
    told = []
    path = plotting.animate(walk, tmp_path / "walk.gif", frames=4, dpi=30, callback=told.append)
    assert len([*frames(path)]) == 4
    assert told == [*range(1, len(told) + 1)]


def test_what_moves_is_what_the_walk_has_there(walk):
    figure, entries = Figure(), np.arange(walk.n_pivots + 1)
    moves, (fit, past, here, text, way, mark) = animation._draw(walk, figure, entries, 0)
    for k in (0, walk.phase1, walk.n_pivots):
        for move in moves:
            move(k)
        network = walk.problem.network.with_layer(0, walk.vertices[k])
        x, y = fit.get_xydata().T
        np.testing.assert_array_equal(network(x[:, None])[:, 0], y)
        np.testing.assert_array_equal(past.get_ydata(), walk.losses[: k + 1])
        assert here.get_ydata() == [walk.losses[k]]
        assert f"pivot {k} of {walk.n_pivots}" in text.get_text()
        assert len(way.get_xdata()) == max(0, k - walk.phase1 + 1)
        assert len(mark.get_xdata()) == (k >= walk.phase1)


def test_an_animation_of_matplotlib_moves_by_blitting(walk):
    film = plotting.animate(walk, figure=plt.figure())
    moving = film._func(walk.n_pivots)
    assert {artist.get_animated() for artist in moving} == {True}
    film._fig.canvas.draw()  # else it warns that it was never shown


def test_several_inputs_and_walks_on_a_line(tmp_path):
    data, _ = rw.datasets.make_teacher(20, [2, 2, 1], noise=0.5)
    loss = rw.LayerLoss(rw.ReLUNetwork.random([2, 2, 1], seed=1), data.X, data.y)
    short = rw.walk(loss, max_pivots=1)
    figure = Figure(figsize=(4.0, 2.0))
    canvas = figure.canvas
    path = plotting.animate(short, tmp_path / "walk.gif", figure, dpi=30, title="short")
    assert len([*frames(path)]) == 2
    assert [ax.get_xlabel() for ax in figure.axes] == ["observed", "pivot"]
    assert figure.get_suptitle() == "short"
    assert figure.canvas is canvas  # it can be drawn on as before
    figure.savefig(tmp_path / "after.png")


def test_mp4_gets_every_frame(walk, recorder, tmp_path):
    path = plotting.animate(walk, tmp_path / "walk", dpi=41, fps=4)
    assert path.name == "walk.mp4"
    sent = np.fromfile(path, np.uint8).reshape(walk.n_pivots + 1 + 6, -1)  # 1.5 s of the end
    assert (sent[:-1] != sent[1:]).any(axis=1).sum() == walk.n_pivots
    height, width = 196, 392  # 4.8 and 9.6 inches, even
    assert sent.shape[1] == width * height * 4


def test_without_ffmpeg(walk, no_ffmpeg, tmp_path):
    with pytest.raises(RuntimeError, match="needs the program ffmpeg, which was not found"):
        plotting.animate(walk, tmp_path / "walk.mp4")
    path = plotting.animate(walk, str(tmp_path / "walk"), frames=2, dpi=30)
    assert path == tmp_path / "walk.gif"


def test_the_folder_is_looked_for_first(walk, tmp_path):
    with pytest.raises(FileNotFoundError, match=r"path: no folder .*missing to write walk.gif to"):
        plotting.animate(walk, tmp_path / "missing" / "walk.gif")
    with pytest.raises(TypeError, match="path: expected a path, found 3"):
        plotting.animate(walk, 3)


def test_a_callback_ends_the_film(walk, tmp_path):
    def stop(done):
        if done == 3:
            raise StopIteration

    path = plotting.animate(walk, tmp_path / "walk.gif", dpi=30, callback=stop)
    assert len([*frames(path)]) == 3


def test_an_error_leaves_the_old_file(walk, tmp_path):
    path = tmp_path / "walk.gif"
    path.write_bytes(b"old")

    def fail(done):
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        plotting.animate(walk, path, dpi=30, callback=fail)
    assert path.read_bytes() == b"old"
    assert [each.name for each in tmp_path.iterdir()] == ["walk.gif"]


def test_what_does_not_fit_is_refused(walk, tmp_path):
    for options, match in [
        ({"path": "walk.avi"}, r"path: expected a name that ends in \.mp4 or \.gif"),
        ({"frames": 1}, "frames"),
        ({"fps": 0.0}, "fps"),
        ({"dpi": -1.0}, "dpi"),
        ({"output": 1}, "output: expected an integer in 0"),
    ]:
        with pytest.raises(ValueError, match=match):
            plotting.animate(walk, **options)
