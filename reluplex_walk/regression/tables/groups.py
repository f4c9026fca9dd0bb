"""Labels of groups (clusters) at the border: those of the rows of a fit, as numbers."""

from collections.abc import Hashable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._frames import index_of, is_table, plain
from ..._numbers import short
from .names import Names
from .raw_columns import gaps_of

Ints = NDArray[np.int64]


def numbers_of_groups(name: str, labels: Any, names: Names, weight: NDArray[np.float64]) -> Ints:
    """The groups of the samples of `weight` (n,) > 0 as numbers from 0, in order of appearance.

    `labels` are those of the rows of a fit, or of all rows that it was given, of which it may have
    left out some (of `names`).  TypeError, ValueError if they are not.
    """
    given, used = _of_rows(name, labels, names, len(weight)), weight > 0.0
    gaps = gaps_of(given) & used
    if gaps.any():
        raise ValueError(
            f"{name}: expected a group for each sample, found {short(given[gaps.argmax()])} at "
            f"{int(gaps.argmax())}; give such rows a group, or leave them out and fit again"
        )
    numbers: dict[Hashable, int] = {}
    found = [numbers.setdefault(label, len(numbers)) for label in given[used].tolist()]
    if len(numbers) < 2:
        raise ValueError(f"{name}: expected two groups at least, found {len(numbers)}")
    return np.array(found, np.int64)


def _of_rows(name: str, labels: Any, names: Names, n: int) -> NDArray[Any]:
    """The labels of the rows of the fit, in their order."""
    if isinstance(labels, str):
        raise TypeError(
            f"{name}: expected labels of samples, found text ({short(labels)}); for a column of a "
            f"table give table[{labels!r}]"
        )
    if is_table(labels) and np.shape(labels)[1:] == (1,):
        labels = labels.iloc[:, 0] if hasattr(labels, "iloc") else np.asarray(labels)[:, 0]
    given, index = plain(name, labels), index_of(labels)
    kept = names.kept
    of_all = kept is not None and given.shape == kept.shape != (n,)
    if given.shape != (n,) and not of_all:
        also = "" if kept is None else f", or of all {len(kept)} that it was given"
        raise ValueError(
            f"{name}: expected the group of each of the {n} samples of the fit{also}, found shape "
            f"{given.shape}"
        )
    if of_all:
        given, index = given[kept], None if index is None else index[kept]
    if index is not None and names.index is not None and not names.index.equals(index):
        raise ValueError(
            f"{name}: expected the row labels (index) of the fit, found others, or in another "
            f"order; {name}.loc[fit.rows] puts them in its order, np.asarray({name}) goes by "
            f"position"
        )
    return given


__all__ = ["numbers_of_groups"]
