"""What a fit knows of the table it was made from: names of columns and rows, what was left out."""

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from ..._conversions import pandas
from ..._frames import Labels

Floats = NDArray[np.float64]

INTERCEPT = "Intercept"


class Encoding(Protocol):
    """How features are made of a table."""

    @property
    def names(self) -> Labels:
        """Of the features."""

    @property
    def unused(self) -> list[tuple[Any, tuple[Any, ...]]]:
        """Columns with categories that are in no row, and these."""

    def reads(self, X: Any) -> bool:
        """Whether `X` is a table that has columns with names."""

    def read(self, X: Any) -> Floats:
        """Features (m, p) of another table; ValueError, TypeError if it does not fit."""


@dataclass(frozen=True, eq=False)
class Names:
    """Names of the columns and rows of a fit, as far as there are any."""

    encoding: Encoding | None = None  # how features are made of a table
    response: Any = None  # name of y
    index: Any = None  # the labels of the rows that were kept, an index of pandas
    kept: NDArray[np.bool_] | None = None  # which of the rows given; None: all of them

    @property
    def features(self) -> Labels | None:
        """Names of the features, None if they have none."""
        return None if self.encoding is None else self.encoding.names

    @property
    def n_dropped(self) -> int:
        """How many rows were left out."""
        return 0 if self.kept is None else int((~self.kept).sum())

    def by_parameter(self, values: Floats, columns: Any = ("lower", "upper")) -> Any:
        """`values` (p + 1,) as a Series by name, (p + 1, k) as a DataFrame.

        Its `columns` are those of an interval; None: the names again, as for a covariance.  As
        they are if the features have no names, or without pandas.
        """
        library = None if self.features is None else _pandas()
        if library is None:
            return values
        index = library.Index([INTERCEPT, *(self.features or ())], tupleize_cols=False)
        if np.ndim(values) == 1:
            return library.Series(values, index)
        return library.DataFrame(values, index, index if columns is None else list(columns))

    def of_parameters(self, p: int) -> list[Any]:
        """Names of p + 1 coefficients, "Intercept" first; without names x1, x2, ..."""
        return [INTERCEPT, *(self.features or (f"x{k + 1}" for k in range(p)))]

    def by_rows(self, values: Floats, index: Any, name: str) -> Any:
        """`values` (m, p + 1) as a DataFrame by the names of the coefficients; ImportError without
        pandas.
        """
        library = pandas()
        columns = library.Index(self.of_parameters(values.shape[1] - 1), tupleize_cols=False)
        return library.DataFrame(values, library.Index(index, name=name), columns)

    def by_row(self, values: Floats) -> Any:
        """`values` (n,) as a Series with the labels of the rows, if they have some."""
        return self.labelled(values, self.index)

    def labelled(self, values: Floats, index: Any) -> Any:
        """`values` of the response as a Series with these labels; as they are without."""
        library = None if index is None else _pandas()
        return values if library is None else library.Series(values, index, name=self.response)


NO_NAMES = Names()


def _pandas() -> Any:
    try:
        return pandas()
    except ImportError:
        return None


__all__ = ["INTERCEPT", "NO_NAMES", "Names"]
