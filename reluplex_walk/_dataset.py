"""`Dataset`: inputs and targets of a regression problem, with their names."""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


class Dataset(NamedTuple):
    """Inputs and targets of a regression problem.  The arrays are read-only.

    A tuple: ``X, y, *_ = load_engel()`` takes it apart.

    Attributes
    ----------
    X : ndarray (n, p)
    y : ndarray (n,)
    feature_names : tuple of str
        Names of the p columns of `X`.
    target_name : str
    units : mapping of str to str
        Unit of each column that has one, by name.
    source : str
        Where the data come from.
    name : str

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data = rw.datasets.load_engel()
    >>> data.X.shape, data.y.shape, data.name
    ((235, 1), (235,), 'engel')
    >>> data.feature_names, data.target_name, data.units["income"]
    (('income',), 'foodexp', 'Belgian francs')
    """

    X: Floats
    y: Floats
    feature_names: tuple[str, ...]
    target_name: str
    units: Mapping[str, str]
    source: str
    name: str

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickles forget that arrays are read-only."""
        return read_only, tuple(self)

    def label(self, column: str) -> str:
        """The name `column` with the unit of that column, if it has one, for tables and axes.

        Examples
        --------
        >>> from reluplex_walk.datasets import load_motorcycle
        >>> load_motorcycle().label("times")
        'times (ms)'
        """
        return f"{column} ({self.units[column]})" if column in self.units else column


def read_only(X: Floats, y: Floats, *rest: Any) -> Dataset:
    """The data set of these arrays, which cannot be written to from now on."""
    X.flags.writeable = y.flags.writeable = False
    return Dataset(X, y, *rest)


__all__ = ["Dataset", "read_only"]
