"""Aliased columns: inputs that the constant and earlier inputs determine up to rounding.

A length in feet beside the same in metres, a full set of dummies beside the constant: in floats
such columns are never quite dependent, and a search that takes them for independent ends at
coefficients of 1e15.  What is aliased is decided once, here, for every room.
"""

import warnings
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._memory import require_memory
from ..tolerances import PROBLEM

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_CLEAR = 1e-4  # remainders this large are told from 0 by squares, in one product of matrices


class RankWarning(UserWarning):
    """Columns of X are combinations of others, up to rounding: searches leave their weights alone.

    Said of a :class:`LayerLoss` or a regression once, where it is made, and only of columns that
    vary, in data of more samples than parameters per neuron: a constant column is one more bias,
    and of few samples many columns are combinations.

    Examples
    --------
    >>> import warnings
    >>> import reluplex_walk as rw
    >>> feet = [4.4, 1.6, 8.61, 7.88]
    >>> X = [[length, 0.3048 * length] for length in feet]
    >>> with warnings.catch_warnings(record=True) as caught:
    ...     warnings.simplefilter("always")
    ...     loss = rw.LayerLoss(rw.ReLUNetwork.random([2, 1]), X, [1.0, 2.0, 4.0, 3.0])
    >>> caught[0].category is rw.RankWarning, loss.aliased
    (True, array([1]))
    """


class Aliased(NamedTuple):
    """The aliased columns of inputs (n, p), and what they are up to rounding.

    ``inputs[:, columns[k]]`` is ``combination[k, :-1]`` of the columns that are kept (those before
    it; the entries of all others are 0) plus ``combination[k, -1]``.
    """

    columns: Ints  # (k,) ascending
    combination: Floats  # (k, p + 1), the constant last, as in theta


def find(inputs: Floats, intercept: bool = True) -> Aliased:
    """The aliased columns of `inputs` (n, p), the constant (if `intercept`) kept before all others.

    In their order, a column is aliased if what the columns kept before it leave of it is at most
    ``PROBLEM.aliased`` of its norm; the others are kept.  Constant columns are aliased (without
    `intercept` the first is not), and so is 0.

    Examples
    --------
    >>> import numpy as np
    >>> from reluplex_walk.problem.aliased import find
    >>> feet = np.array([4.4, 1.6, 8.61, 7.88])
    >>> columns, combination = find(np.column_stack([feet, np.full(4, 7.0), 1.0 + 0.3048 * feet]))
    >>> columns, combination.round(12)
    (array([1, 2]), array([[0.    , 0.    , 0.    , 7.    ],
           [0.3048, 0.    , 0.    , 1.    ]]))
    """
    n, p = inputs.shape
    if p + 1 > n:
        require_memory(
            f"X: what makes {p + 1 - n} of {p} columns of {n} distinct samples of the others",
            16.0 * (p + 1 - n) * p,
            "leave columns out",
        )
    unit, size = _unit_columns(inputs)
    order = np.roll(np.arange(p + 1), 1) if intercept else np.arange(p)  # the constant first
    if _clear(unit, order):
        return Aliased(np.zeros(0, np.int64), np.zeros((0, p + 1)))
    basis = np.empty((min(unit.shape[1], order.size), unit.shape[1]))  # orthonormal rows
    triangle = np.zeros((len(basis), len(basis)))  # the columns kept, as combinations of them
    kept: list[int] = []
    columns, combination = [], []
    for k in order.tolist():
        rank = len(kept)
        parts, rest = _project(basis[:rank], unit[k])
        norm = np.linalg.norm(rest)
        if rank < len(basis) and norm > PROBLEM.aliased:
            basis[rank] = rest / norm
            triangle[:rank, rank], triangle[rank, rank] = parts, norm
            kept.append(k)
        elif k < p:
            row = np.zeros(p + 1)
            row[kept] = np.linalg.solve(triangle[:rank, :rank], parts) * (size[k] / size[kept])
            columns.append(k)
            combination.append(row)
    return Aliased(np.array(columns, np.int64), np.array(combination).reshape(-1, p + 1))


def warn_of_aliased(inputs: Floats, aliased: NDArray[np.int64]) -> None:
    """The :class:`RankWarning` of the distinct `inputs` (n, p), if there is cause for one.

    For the caller of the function that calls this one.
    """
    n, p = inputs.shape
    varying = [int(k) for k in aliased if np.ptp(inputs[:, k]) > 0.0]
    if varying and n > p + 1:
        warnings.warn(
            f"X: the constant and earlier columns determine {_listed(varying)} up to rounding; "
            "searches leave the weights there alone (see `aliased`)",
            RankWarning,
            stacklevel=3,
        )


def _listed(columns: list[int]) -> str:
    return f"column{'s' * (len(columns) > 1)} {', '.join(map(str, columns))}"


def _unit_columns(inputs: Floats) -> tuple[Floats, Floats]:
    """The columns of `inputs` and the constant as rows of length 1 (0 stays 0), their lengths."""
    columns = np.ones((inputs.shape[1] + 1, len(inputs)))
    columns[:-1] = inputs.T
    largest = np.maximum(columns.max(axis=1), -columns.min(axis=1))
    largest[largest == 0.0] = 1.0
    columns /= largest[:, None]  # no square overflows or is lost
    size = np.sqrt(np.einsum("ki,ki->k", columns, columns))
    size[size == 0.0] = 1.0
    columns /= size[:, None]
    return columns, largest * size


def _clear(unit: Floats, order: Ints) -> bool:
    """Whether all columns are kept, by far: an ordinary case, told at little cost."""
    if len(order) > unit.shape[1]:
        return False
    products = (unit @ unit.T)[np.ix_(order, order)]
    try:
        return bool((np.diag(np.linalg.cholesky(products)) > _CLEAR).all())
    except np.linalg.LinAlgError:
        return False


def _project(basis: Floats, column: Floats) -> tuple[Floats, Floats]:
    """Coefficients of `column` (n,) on the orthonormal `basis` (k, n), and what they leave of it.

    Twice, as the first remainder keeps rounding of the size of what was taken away.
    """
    parts = basis @ column
    rest = column - parts @ basis
    again = basis @ rest
    return parts + again, rest - again @ basis


__all__ = ["Aliased", "RankWarning", "find", "warn_of_aliased"]
