"""The shipped data sets are the published ones; bad CSV files are named with their fault."""

from pathlib import Path

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk import datasets


@pytest.mark.parametrize(
    ("load", "shape", "features", "target", "first", "last"),
    [
        (datasets.load_motorcycle, (133, 1), ("times",), "accel", (2.4, 0.0), (57.6, 10.7)),
        (
            datasets.load_engel,
            (235, 1),
            ("income",),
            "foodexp",
            (420.157650843928, 255.839424594576),
            (1057.67671146451, 750.320163419201),
        ),
        (
            datasets.load_stackloss,
            (21, 3),
            ("Air.Flow", "Water.Temp", "Acid.Conc."),
            "stack.loss",
            (80.0, 27.0, 89.0, 42.0),
            (70.0, 20.0, 91.0, 15.0),
        ),
    ],
)
def test_shipped(load, shape, features, target, first, last):
    data = load()
    assert data.X.shape == shape
    assert data.y.shape == shape[:1]
    assert (data.feature_names, data.target_name) == (features, target)
    assert (*data.X[0], data.y[0]) == first
    assert (*data.X[-1], data.y[-1]) == last
    assert data.X.dtype == data.y.dtype == np.float64
    assert set(data.units) <= {*features, target}
    assert data.source
    assert data.name


def test_data_are_read_only():
    data = datasets.load_stackloss()
    with pytest.raises(ValueError, match="read-only"):
        data.X[0, 0] = 1.0
    with pytest.raises(ValueError, match="read-only"):
        data.y[0] = 1.0
    with pytest.raises(AttributeError):
        data.name = "other"


def test_label():
    data = datasets.load_stackloss()
    assert data.label("Water.Temp") == "Water.Temp (degrees C)"
    assert data.label("Air.Flow") == "Air.Flow"


def write(folder: Path, content: str | bytes) -> Path:
    path = folder / "table.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


@pytest.mark.parametrize(
    "content",
    [
        "a,y,b\n1,2,3\n4,5,6\n",
        "\ufeffa,y,b\n1,2,3\n4,5,6\n",
        'a, y ,"b"\r\n\r\n1, 2 ,3\r\n4,5,6e0',
    ],
    ids=["plain", "byte order mark", "blanks, quotes and CRLF"],
)
def test_read_csv(tmp_path, content):
    path = write(tmp_path, content)
    for given in (path, str(path)):
        data = datasets.read_csv(given, "y")
        assert data.X.tolist() == [[1.0, 3.0], [4.0, 6.0]]
        assert data.y.tolist() == [2.0, 5.0]
        assert data.feature_names == ("a", "b")
        assert data.target_name == "y"
        assert data.name == "table"
        assert data.source == str(path)
        assert not data.X.flags.writeable
        assert not data.y.flags.writeable


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", ["header", "table.csv"]),
        ("\n\n", ["header", "table.csv"]),
        ("a,y\n", ["rows of data", "table.csv"]),
        ("a,b\n1,2\n", ["'y'", "a, b"]),
        ("y\n1\n", ["besides 'y'"]),
        ("a,a,y\n1,2,3\n", ["'a' twice"]),
        ("a,y\n1,2\n3,four\n", ["line 3", "'y'", "'four'"]),
        ("a,y\n,2\n", ["line 2", "'a'", "''"]),
        ("a,y\n1,2,3\n", ["line 2", "2 cells", "3"]),
        ("a,y\n1,2\n3\n", ["line 3", "2 cells", "1"]),
        ("a,y\nnan,2\n", ["line 2", "'a'", "'nan'"]),
        ("a,y\n1,-inf\n", ["line 2", "'y'", "'-inf'"]),
        ("a;y\n1;2\n", ["'y'", "a;y"]),
        (b"a,y\n1,\xff\n", ["UTF-8", "table.csv"]),
    ],
)
def test_bad_csv(tmp_path, content, words):
    with pytest.raises(ValueError, match=r"\S") as caught:
        datasets.read_csv(write(tmp_path, content), "y")
    message = str(caught.value)
    assert "\n" not in message
    assert all(word in message for word in words), message


def test_no_such_csv(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no file at .*missing\.csv"):
        datasets.read_csv(tmp_path / "missing.csv", "y")
    with pytest.raises(ValueError, match="expected a CSV file"):
        datasets.read_csv(tmp_path, "y")


# ---------------------------------------------------------------- toy data

MADE = {
    "xor": datasets.make_xor,
    "moons": datasets.make_moons,
    "spirals": datasets.make_spirals,
    "teacher": lambda *args, **options: datasets.make_teacher(*args, **options)[0],
}


@pytest.mark.parametrize("name", MADE)
def test_toy_data(name):
    make = MADE[name]
    data = make(31, noise=0.1, seed=3)
    assert data.name == name
    assert data.X.shape == (31, 2)
    assert data.y.shape == (31,)
    assert data.X.dtype == data.y.dtype == np.float64
    assert not data.X.flags.writeable
    assert not data.y.flags.writeable
    assert len(data.feature_names) == 2
    assert data.target_name
    assert data.source
    same, other, clean = make(31, noise=0.1, seed=3), make(31, noise=0.1, seed=4), make(31, seed=3)
    np.testing.assert_array_equal(data.X, same.X)
    np.testing.assert_array_equal(data.y, same.y)
    assert (data.X != other.X).any()
    moved = (data.y - clean.y if name == "teacher" else data.X - clean.X).ravel()
    assert 0.05 < moved.std() < 0.15
    if name != "teacher":
        np.testing.assert_array_equal(data.y, clean.y)
        assert set(data.y) == {-1.0, 1.0}


@pytest.mark.parametrize("name", MADE)
def test_toy_data_refuse_what_does_not_fit(name):
    with pytest.raises(ValueError, match="n: expected an integer >= 2, found 1"):
        MADE[name](1)
    with pytest.raises(TypeError, match="n: expected an integer"):
        MADE[name](10.0)
    with pytest.raises(ValueError, match="noise: expected a number >= 0"):
        MADE[name](10, noise=-1.0)
    with pytest.raises(ValueError, match="seed: expected an integer >= 0"):
        MADE[name](10, seed=-1)


@pytest.mark.parametrize("n", [4, 8, 20])
def test_least_losses_of_xor(n):
    data = datasets.make_xor(n)
    net = rw.ReLUNetwork([[[1, 1], [1, 1]], [[2, -4]]], [[0, -1], [-1]])
    for kind in ("l1", "hinge"):
        affine = rw.walk(rw.LayerLoss(rw.ReLUNetwork.random([2, 1]), data.X, data.y, kind=kind))
        assert affine.status is rw.WalkStatus.GLOBAL_MINIMUM
        assert affine.certificate.loss == n
        loss = rw.LayerLoss(net, data.X, data.y, kind=kind)
        traj = rw.walk(loss, net.layer_parameters(0))
        assert (traj.loss, traj.status) == (0.0, rw.WalkStatus.GLOBAL_MINIMUM)


@pytest.mark.parametrize("n", [2, 3, 10, 101, 1000])
def test_moons_are_separated_by_three_neurons(n):
    data = datasets.make_moons(n)
    net = rw.ReLUNetwork([[[1, 0], [1, 0], [-1, 1]], [[8, -8, 4]]], [[0, -1, 10], [-43]])
    a, b = data.X.T
    line = a + 0.75 - 2 * np.maximum(0, a) + 2 * np.maximum(0, a - 1)
    np.testing.assert_allclose(net(data.X)[:, 0], 4 * (b - line), atol=1e-12)
    assert ((b - line) * data.y >= 0.25 - 1e-12).all()
    loss = rw.LayerLoss(net, data.X, data.y, kind="hinge")
    assert loss(net.layer_parameters(0)) <= 1e-12
    if n > 10:
        affine = rw.LayerLoss(rw.ReLUNetwork.random([2, 1]), data.X, data.y, kind="hinge")
        assert rw.walk(affine).certificate.loss > n / 10  # no line does


def test_moons_are_those_of_scikit_learn():
    learn = pytest.importorskip("sklearn.datasets")
    X, y = learn.make_moons(100, shuffle=False)
    data = datasets.make_moons(100)
    np.testing.assert_allclose(data.X, X, atol=1e-12)
    np.testing.assert_array_equal(data.y, 1 - 2 * y)


def test_spirals_are_opposite():
    data = datasets.make_spirals(80)
    np.testing.assert_array_equal(data.X[40:], -data.X[:40])
    np.testing.assert_array_equal(data.y[40:], -data.y[:40])
    radius = np.linalg.norm(data.X[:40], axis=1)
    np.testing.assert_allclose(radius, np.linspace(0.25, 1.0, 40))
    network = rw.ReLUNetwork.random([2, 3, 1], seed=0)
    (first, inner), (last, bias) = zip(network.weights, network.biases, strict=True)
    mirrored = rw.ReLUNetwork([-first, -last], [inner, -bias])  # -f(-x)
    losses = [
        rw.LayerLoss(net, data.X, data.y, kind="hinge")(net.layer_parameters(0))
        for net in (network, mirrored)
    ]
    assert losses[0] == pytest.approx(losses[1])


@pytest.mark.parametrize("widths", [(1, 1), (2, 3, 1), (3, 5, 4, 3, 1), (1, *[4] * 9, 1)])
def test_a_teacher_has_loss_0(widths):
    for seed in range(5):
        data, teacher = datasets.make_teacher(60, widths, seed=seed)
        assert teacher.widths == widths
        for layer in range(teacher.n_layers):
            loss = rw.LayerLoss(teacher, data.X, data.y, layer=layer)
            assert loss(teacher.layer_parameters(layer)) == 0.0
    traj = rw.walk(rw.LayerLoss(teacher, data.X, data.y), teacher.layer_parameters(0))
    assert (traj.certificate.loss, traj.status) == (0, rw.WalkStatus.GLOBAL_MINIMUM)


def test_a_teacher_with_noise():
    clean, teacher = datasets.make_teacher(60, seed=2)
    data, same = datasets.make_teacher(60, noise=0.3, seed=2)
    assert same == teacher
    loss = rw.LayerLoss(teacher, data.X, data.y)
    assert loss(loss.theta) == pytest.approx(np.abs(data.y - clean.y).sum())
    with pytest.raises(ValueError, match="widths: expected one output, found 2"):
        datasets.make_teacher(10, (2, 3, 2))
