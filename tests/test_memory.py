"""What will not fit in memory is refused before it is tried, in a sentence with the figure."""

import re

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk import _memory
from reluplex_walk.cli.commands import main


@pytest.fixture
def one_gib(monkeypatch):
    """A machine on which 1 GiB is free."""
    monkeypatch.setattr(_memory, "available", lambda: _memory.GIB)


def refusal(call) -> str:
    with pytest.raises(
        ValueError, match=r"takes [\d.e+]+ GiB of memory, and 1 GiB are free; "
    ) as e:
        call()
    assert "\n" not in str(e.value)
    return str(e.value)


def wide(neurons: int) -> rw.LayerLoss:
    rng = np.random.default_rng(0)
    return rw.LayerLoss(
        rw.ReLUNetwork.random([1, neurons, 1]), rng.normal(size=(20, 1)), rng.normal(size=20)
    )


def test_figures():
    for figure in (_memory._of_machine(), _memory._of_group(), _memory._of_process()):
        assert figure > 0
    assert 0 < _memory.available() <= 1.1 * _memory._of_machine()  # read at two times
    _memory.require_memory("x: it", 1e6, "")
    with pytest.raises(ValueError, match=r"x: it takes 9e\+11 GiB of memory, .* are free; do not"):
        _memory.require_memory("x: it", 9e11 * _memory.GIB, "do not")


@pytest.mark.usefixtures("one_gib")
def test_walks():
    loss = wide(4000)  # 8,000 x 8,000 floats are 0.48 GiB
    for call in (lambda: rw.walk(loss), lambda: rw.minimize(loss, max_walks=1)):
        text = refusal(call)
        assert text.startswith("loss: a walk on 8000 parameters and 20 samples takes 2.39 GiB")
        assert "train a layer of fewer neurons" in text
    assert loss(loss.theta) > 0.0  # the loss itself is small


@pytest.mark.usefixtures("one_gib")
def test_networks(capsys):
    text = refusal(lambda: rw.ReLUNetwork.random([10, 100_000, 100_000, 1]))
    assert text.startswith("widths: a network 10-100000-100000-1 takes 149 GiB")


@pytest.mark.usefixtures("one_gib")
def test_commands(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "d.csv").write_text("a,y\n1,2\n2,3\n3,5\n")
    assert main(["solve", "d.csv", "--target", "y", "--hidden", "6000"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "a walk on 12000 parameters and 3 samples takes 5.3" in line


@pytest.mark.usefixtures("one_gib")
def test_regions():
    rng = np.random.default_rng(0)
    loss = rw.LayerLoss(
        rw.ReLUNetwork.random([2, 2, 1]), rng.normal(size=(20, 2)), rng.normal(size=20)
    )
    text = refusal(lambda: rw.enumerate_regions(loss))
    assert re.match(r"loss: about [\d.e+]+ regions takes", text)
    assert "max_regions" in text
    assert len(rw.enumerate_regions(loss, max_regions=10)) == 10


@pytest.mark.usefixtures("one_gib")
def test_graphs_of_vertices():
    loss = wide(3)
    text = refusal(lambda: rw.vertex_graph(loss, max_vertices=10**9))
    assert text.startswith("max_vertices: a graph of up to ")
    assert not rw.vertex_graph(loss, max_vertices=10).complete
    small = rw.LayerLoss(rw.ReLUNetwork.random([1, 1]), [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
    assert rw.vertex_graph(small, max_vertices=10**12).complete  # three at most


def test_columns_beyond_the_samples(monkeypatch):
    rng = np.random.default_rng(0)
    X, y = rng.normal(size=(4, 3000)), rng.normal(size=4)
    asked = []
    monkeypatch.setattr(_memory, "available", lambda: asked.append(1) or 2.0**27)
    with pytest.raises(ValueError, match=r"X: what makes 2997 of 3000 columns of 4 distinct samp"):
        rw.LayerLoss(rw.ReLUNetwork.random([3000, 1]), X, y).aliased  # noqa: B018
    assert asked
