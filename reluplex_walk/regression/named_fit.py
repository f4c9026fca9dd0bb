"""What a fit says by name: coefficients, fitted values, residuals, predictions for tables."""

from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._frames import Labels, index_of
from .._validate import inputs
from .sparse.data import is_sparse, sparse_features
from .tables.names import Names

Floats = NDArray[np.float64]


class NamedFit:
    """The part of a `QuantileFit` that knows of tables."""

    coefficients: Floats
    X: Floats
    y: Floats
    names: Names

    @property
    def feature_names(self) -> Labels | None:
        """Names of the columns of `X`, if it was made from a table (a data frame), else None.

        Columns of numbers keep their labels, those of categories become ``region[T.north]``, ...

        Examples
        --------
        >>> import pandas as pd, reluplex_walk as rw
        >>> table = pd.DataFrame({"region": ["south", "north", "south"], "y": [1, 2, 1]})
        >>> rw.lad(table[["region"]], table["y"]).feature_names
        ('region[T.south]',)
        """
        return self.names.features

    @property
    def response_name(self) -> Any:
        """Name of `y`, None if it had none."""
        return self.names.response

    @property
    def n_dropped(self) -> int:
        """How many rows with a missing value were left out."""
        return self.names.n_dropped

    @property
    def rows(self) -> Any:
        """Labels (n,) of the rows of the fit, an index of pandas; their numbers without labels.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> fit = rw.lad([[0.0], [1.0], [2.0], [3.0]], [1.0, None, 5.0, 7.0], missing="drop")
        >>> fit.rows, fit.n_dropped
        (array([0, 2, 3]), 1)
        """
        if self.names.index is not None:
            return self.names.index
        kept = self.names.kept
        return np.arange(len(self.y)) if kept is None else np.flatnonzero(kept)

    def named(self, values: Floats) -> Any:
        """`values` (p + 1,) as a Series by the names of the coefficients, (p + 1, 2) as a DataFrame
        "lower", "upper"; as they are, if the fit was not made from a table.

        Examples
        --------
        >>> import numpy as np, pandas as pd, reluplex_walk as rw
        >>> table = pd.DataFrame({"age": [1, 2, 3, 4, 5], "height": [3, 5, 7, 9, 90]})
        >>> rw.lad(table[["age"]], table["height"]).named(np.array([[0.0, 2.0], [1.0, 3.0]]))
                   lower  upper
        Intercept    0.0    2.0
        age          1.0    3.0
        """
        return self.names.by_parameter(values)

    @property
    def params(self) -> Any:
        """The coefficients with their names ("Intercept" first), a Series; for arrays the array.

        Examples
        --------
        >>> import pandas as pd, reluplex_walk as rw
        >>> table = pd.DataFrame({"age": [1, 2, 3, 4, 5], "height": [3, 5, 7, 9, 90]})
        >>> rw.lad(table[["age"]], table["height"]).params.round(9)
        Intercept    1.0
        age          2.0
        dtype: float64
        """
        return self.named(self.coefficients)

    def predict(self, X: Any) -> Any:
        """The fitted quantile (m,) at `X` (m, p); ValueError, TypeError if it does not fit.

        If the fit was made from a table, columns of a table go by name, in any order, are encoded
        as those were, and give a Series with the labels of the rows, if they have some.  Columns
        of arrays go by position: they are those of ``feature_names``.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> fit = rw.lad([[0.0], [1.0], [2.0], [3.0], [4.0]], [1.0, 3.0, 5.0, 7.0, 90.0])
        >>> fit.predict([[10.0]])
        array([21.])
        """
        if is_sparse(X):
            return self._values(sparse_features("X", X, self.X.shape[1]))
        encoding = self.names.encoding
        if encoding is None or not encoding.reads(X):
            return self._values(inputs("X", X, self.X.shape[1]))
        return self.names.labelled(self._values(encoding.read(X)), index_of(X))

    def _values(self, X: Floats) -> Floats:
        return np.asarray(X @ self.coefficients[1:] + self.coefficients[0])

    @cached_property
    def fitted(self) -> Any:
        """The fitted quantile (n,) at the data, a Series if their rows have labels."""
        return self.names.by_row(self._values(self.X))

    @cached_property
    def residuals(self) -> Any:
        """``y - fitted`` (n,), a Series if the rows of the data have labels."""
        return self.names.by_row(self.y - self._values(self.X))


__all__ = ["NamedFit"]
