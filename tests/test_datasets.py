"""The shipped data sets are the published ones; bad CSV files are named with their fault."""

from pathlib import Path

import numpy as np
import pytest

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
