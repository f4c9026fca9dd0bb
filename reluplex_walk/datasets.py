"""Small real data sets shipped with the package, CSV files read alike, and toy data."""

import csv
import math
from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import IO

import numpy as np
from numpy.typing import NDArray

from ._dataset import Dataset, read_only
from ._toys import make_moons, make_spirals, make_teacher, make_xor

Floats = NDArray[np.float64]


def load_motorcycle() -> Dataset:
    """Head acceleration (g) against time (ms) after a simulated motorcycle impact, 133 rows.

    The classic test of curve fitting: strongly curved, with a spread that varies along the curve
    and repeated measurements.

    Returns
    -------
    Dataset
        ``X`` (133, 1): ``times`` in ms after the impact, ascending.  ``y`` (133,): ``accel`` in g.

    References
    ----------
    Silverman, Some aspects of the spline smoothing approach to non-parametric regression curve
    fitting, J. R. Statist. Soc. B 47, 1985.

    Examples
    --------
    >>> from reluplex_walk.datasets import load_motorcycle
    >>> data = load_motorcycle()
    >>> data.X.shape, data.feature_names, data.target_name
    ((133, 1), ('times',), 'accel')
    >>> len(set(data.X[:, 0]))  # times, some with several measurements
    94
    """
    return _shipped(
        "mcycle.csv",
        name="motorcycle",
        target="accel",
        units={"times": "ms", "accel": "g"},
        source="Silverman, B. W. (1985). Some aspects of the spline smoothing approach to "
        "non-parametric regression curve fitting. J. R. Statist. Soc. B 47, 1-52.",
    )


def load_engel() -> Dataset:
    """Food expenditure against household income (Belgian francs), 235 working-class households.

    The standard example of quantile regression: expenditure rises with income, and so does its
    spread.

    Returns
    -------
    Dataset
        ``X`` (235, 1): ``income``.  ``y`` (235,): ``foodexp``.  Both in Belgian francs a year.

    References
    ----------
    Koenker and Bassett, Robust tests for heteroscedasticity based on regression quantiles,
    Econometrica 50, 1982; the data are those of Engel (1857).

    Examples
    --------
    >>> from reluplex_walk.datasets import load_engel
    >>> data = load_engel()
    >>> data.X.shape, bool((data.y < data.X[:, 0]).all())  # nobody spends more than the income
    ((235, 1), True)
    """
    return _shipped(
        "engel.csv",
        name="engel",
        target="foodexp",
        units={"income": "Belgian francs", "foodexp": "Belgian francs"},
        source="Engel (1857), in Koenker, R. and Bassett, G. (1982). Robust tests for "
        "heteroscedasticity based on regression quantiles. Econometrica 50, 43-61.",
    )


def load_stackloss() -> Dataset:
    """Ammonia lost by a plant oxidising it to nitric acid, 21 days, three operating conditions.

    Small and integer-valued, with repeated values: degenerate vertices.

    Returns
    -------
    Dataset
        ``X`` (21, 3): flow of cooling air, temperature of cooling water (degrees C) and
        concentration of acid (per 1000, minus 500).  ``y`` (21,): ammonia lost (per 1000).

    References
    ----------
    Brownlee, Statistical Theory and Methodology in Science and Engineering, 2nd ed., Wiley 1965.

    Examples
    --------
    >>> from reluplex_walk.datasets import load_stackloss
    >>> data = load_stackloss()
    >>> data.X.shape, data.feature_names
    ((21, 3), ('Air.Flow', 'Water.Temp', 'Acid.Conc.'))
    >>> len(set(map(tuple, data.X.tolist())))  # distinct conditions
    20
    """
    return _shipped(
        "stackloss.csv",
        name="stackloss",
        target="stack.loss",
        units={
            "Water.Temp": "degrees C",
            "Acid.Conc.": "per 1000, minus 500",
            "stack.loss": "per 1000 of the ammonia",
        },
        source="Brownlee, K. A. (1965). Statistical Theory and Methodology in Science and "
        "Engineering, 2nd ed. Wiley, New York, p. 454.",
    )


def read_csv(path: str | Path, target: str) -> Dataset:
    r"""Read a CSV file of numbers with one header row.

    Parameters
    ----------
    path : str or Path
        A comma-separated file in UTF-8, with or without a byte order mark.
    target : str
        The column to predict; every other column is an input.

    Returns
    -------
    Dataset
        Columns in the order of the file, named after the file, without units.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If it cannot be read, holds no data, has no column `target` or no other column, or has a
        ragged row or an entry that is not a finite number; the message says where.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from reluplex_walk.datasets import read_csv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "tiny.csv")
    ...     _ = path.write_text("height,age,weight\n1.7,30,65\n1.8,40,80\n")
    ...     data = read_csv(path, "weight")
    >>> data.feature_names, data.X.shape, data.y
    (('height', 'age'), (2, 2), array([65., 80.]))
    """
    source = Path(path)
    try:
        with source.open(encoding="utf-8-sig", newline="") as stream:
            X, y, names = _parse(stream, str(source), target)
    except FileNotFoundError:
        raise FileNotFoundError(f"path: no file at {source}") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ValueError(f"path: expected a CSV file in UTF-8, found {source} ({error})") from None
    return read_only(X, y, names, target, {}, str(source), source.stem)


def _shipped(file: str, name: str, target: str, units: dict[str, str], source: str) -> Dataset:
    with (resources.files(__package__) / "data" / file).open(encoding="utf-8") as stream:
        X, y, names = _parse(stream, file, target)
    return read_only(X, y, names, target, units, source, name)


def _parse(stream: IO[str], where: str, target: str) -> tuple[Floats, Floats, tuple[str, ...]]:
    """Inputs (n, p), targets (n,) and the names of the inputs; `where` is the file in messages."""
    reader = csv.reader(stream)
    header = [name.strip() for name in next(reader, [])]
    if not any(header):
        raise ValueError(f"path: expected a header row of column names, found none in {where}")
    if len(set(header)) < len(header):
        twice = next(name for name in header if header.count(name) > 1)
        raise ValueError(f"path: expected distinct column names, found {twice!r} twice in {where}")
    if target not in header:
        raise ValueError(
            f"target: expected a column of {where} ({', '.join(header)}), found {target!r}"
        )
    if len(header) == 1:
        raise ValueError(f"path: expected columns besides {target!r}, found none in {where}")
    rows = [
        _numbers(row, header, f"line {reader.line_num} of {where}")
        for row in reader
        if any(cell.strip() for cell in row)
    ]
    if not rows:
        raise ValueError(f"path: expected rows of data below the header, found none in {where}")
    table = np.array(rows)
    column = header.index(target)
    X, y = np.delete(table, column, axis=1), table[:, column].copy()
    return X, y, tuple(name for name in header if name != target)


def _numbers(row: Sequence[str], header: Sequence[str], where: str) -> list[float]:
    """The cells of one row as finite numbers."""
    if len(row) != len(header):
        raise ValueError(f"{where}: expected {len(header)} cells, found {len(row)}")
    numbers = []
    for name, cell in zip(header, row, strict=True):
        try:
            number = float(cell)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise ValueError(f"{where}, column {name!r}: expected a finite number, found {cell!r}")
        numbers.append(number)
    return numbers


__all__ = [
    "Dataset",
    "load_engel",
    "load_motorcycle",
    "load_stackloss",
    "make_moons",
    "make_spirals",
    "make_teacher",
    "make_xor",
    "read_csv",
]
