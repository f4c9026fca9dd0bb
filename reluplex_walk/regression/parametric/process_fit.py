"""`QuantileProcess`: the coefficients of a quantile regression as functions of the quantile."""

from dataclasses import dataclass, fields
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..._frames import index_of
from ..._shown import repr_html
from ..._validate import inputs, real_array
from ...ended import Ended
from ...simplex.records import WalkStatus
from ..tables.names import NO_NAMES, Names
from . import process_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class QuantileProcess:
    """Quantile regressions of y on X for all quantiles, as :func:`quantile_process` finds them.

    Attributes
    ----------
    taus : ndarray (m,)
        Where each solution begins, from 0 to 1, both included; less, where it ended early.  A
        solution is a basis, p + 1 samples on the fit, as in ``rq(tau = -1)$sol`` of R's quantreg.
    coefficients : ndarray (m, p + 1)
        Intercept first: ``coefficients[k]`` are a minimum for every tau from ``taus[k]`` to
        ``taus[k + 1]``; the last row repeats the one before.  The nearest floats.  A row equal to
        the one before is another basis of the same vertex, on which more samples lie than a basis
        has; how many of these there are depends on the way through it.  `changes` leaves them out.
    status : WalkStatus
        GLOBAL_MINIMUM: all is proved.
    ended : Ended
        Why it stopped.
    n_pivots : int
        Pivots made.
    X, y, sample_weight : ndarray
        The data.
    aliased : ndarray (k,)
        Columns of `X` that the constant and earlier columns determine: their coefficients are 0.
    fit_intercept : bool
        Whether there is an intercept; if not, it is 0.
    names : Names
        What is known of the table it was made from.

    Examples
    --------
    The quantiles of five numbers.

    >>> import reluplex_walk as rw
    >>> process = rw.quantile_process([[0.0]] * 5, [1.0, 2.0, 2.0, 5.0, 9.0])
    >>> process.taus, process.coefficients[:, 0]
    (array([0. , 0.2, 0.4, 0.6, 0.8, 1. ]), array([1., 2., 2., 5., 9., 9.]))
    """

    taus: Floats
    coefficients: Floats
    status: WalkStatus
    ended: Ended
    n_pivots: int
    X: Floats
    y: Floats
    sample_weight: Floats
    aliased: NDArray[np.int64]
    fit_intercept: bool
    names: Names = NO_NAMES

    @cached_property
    def changes(self) -> NDArray[np.int64]:
        """The rows (c,) of `coefficients` that differ from the one before.

        They change at ``taus[changes]``, and nowhere else.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> process = rw.quantile_process([[0.0]] * 5, [1.0, 2.0, 2.0, 5.0, 9.0])
        >>> process.taus[process.changes]
        array([0.2, 0.6, 0.8])
        """
        differ = self.coefficients[1:] != self.coefficients[:-1]
        return np.flatnonzero(differ.any(axis=1)) + 1

    def at(self, tau: ArrayLike) -> Any:
        """The coefficients for the quantile `tau`, in [0, 1]: (p + 1,), for an array (..., p + 1).

        Where they change, those above.  For one tau a Series by name, if it was made from a table.
        Raises ValueError where `tau` is not within the `taus`.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_engel()
        >>> process = rw.quantile_process(data.X, data.y)
        >>> process.at(0.5).round(4), process.at([0.1, 0.9]).shape
        (array([81.4822,  0.5602]), (2, 2))
        """
        found = self.coefficients[self._places(tau)]
        return self.names.by_parameter(found) if found.ndim == 1 else found

    def predict(self, X: Any, tau: ArrayLike = 0.5) -> Any:
        """The fitted quantile `tau` (m,) at `X` (m, p); for an array of taus (m, ...).

        Columns of tables go by name, as for :meth:`QuantileFit.predict`.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_engel()
        >>> rw.quantile_process(data.X, data.y).predict([[1000.0]], [0.1, 0.5, 0.9]).round(2)
        array([[511.91, 641.66, 753.65]])
        """
        new, index = self._inputs(X)
        return self._by_row(_values(new, self.coefficients[self._places(tau)]), index)

    def rearranged(self, X: Any, tau: ArrayLike = 0.5) -> Any:
        """Predictions that do not cross: at each row, the quantile function with values sorted.

        They rise with tau, and are nowhere further from the true quantiles, on the whole
        (Chernozhukov, Fernandez-Val and Galichon, Econometrica 78, 2010).  `X` and `tau` are as for
        :meth:`predict`.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_engel()
        >>> process = rw.quantile_process(data.X, data.y)
        >>> process.predict([[400.0]], [0.2, 0.5]).round(2)
        array([[281.07, 305.55]])
        >>> process.rearranged([[400.0]], [0.2, 0.5]).round(2)
        array([[281.45, 306.19]])
        """
        (new, index), asked = self._inputs(X), self._checked(tau)
        lengths = np.diff(self.taus)
        found = np.empty((len(new), asked.size))
        for row, x in zip(found, new, strict=True):
            values = _values(x[None], self.coefficients[:-1])[0]
            order = np.argsort(values, kind="stable")
            starts = self.taus[0] + np.append(0.0, np.cumsum(lengths[order])[:-1])
            places = np.searchsorted(starts, asked.ravel(), side="right") - 1
            row[:] = values[order][np.maximum(places, 0)]
        return self._by_row(found.reshape(len(new), *asked.shape), index)

    def crossings(self, X: Any = None) -> Floats:
        """The share (m,) of quantiles at which the fitted quantile falls, at each row of `X`.

        The lengths of the intervals of tau after which it is lower than before, by more than
        rounding: 0 where quantiles do not cross.  `X` (m, p): default the data.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_engel()
        >>> process = rw.quantile_process(data.X, data.y)
        >>> bool(process.crossings([data.X.mean(axis=0)])[0] < process.crossings([[4000.0]])[0])
        True
        """
        new = self.X if X is None else self._inputs(X)[0]
        found = np.zeros(len(new))
        for k, x in enumerate(new):
            values = _values(x[None], self.coefficients[:-1])[0]
            sizes = np.abs(self.coefficients[:-1]) @ np.abs(np.append(1.0, x))
            highest = np.maximum.accumulate(values)
            below = values < highest - _ROUNDING * np.maximum.accumulate(sizes)
            found[k] = np.diff(self.taus)[below].sum()
        return found

    def plot(
        self,
        level: float = 0.9,
        kind: str = "nid",
        figure: "Figure | None" = None,
        title: str | None = None,
    ) -> Any:
        """Coefficients over tau, with bands of intervals of a `level` and `kind`, on a `figure`.

        With a `title`; see :func:`reluplex_walk.plotting.plot_process` (extra ``plot``).

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> from matplotlib.figure import Figure
        >>> data = rw.datasets.load_engel()
        >>> process = rw.quantile_process(data.X, data.y)
        >>> [ax.get_title() for ax in process.plot(figure=Figure())]
        ['Intercept', 'x1']
        """
        from ...plotting import plot_process

        return plot_process(self, level, kind, figure, title=title)

    def to_frame(self) -> Any:
        """A table of pandas: the coefficients (columns, by name) from each tau (the index) on.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> rw.quantile_process([[0.0]] * 3, [1.0, 2.0, 5.0]).to_frame()["Intercept"].round(9)
        tau
        0.000000    1.0
        0.333333    2.0
        0.666667    5.0
        1.000000    5.0
        Name: Intercept, dtype: float64
        """
        return self.names.by_rows(self.coefficients, self.taus, "tau")

    def save(self, path: str | Path, force: bool = False) -> None:
        """Write it to `path` (npz).

        FileExistsError if `path` exists, unless `force`; ValueError, TypeError if names are neither
        text nor numbers.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> import reluplex_walk as rw
        >>> process = rw.quantile_process([[0.0]] * 3, [1.0, 2.0, 5.0])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "process.npz")
        ...     process.save(path)
        ...     rw.QuantileProcess.load(path)
        QuantileProcess(4 taus from 0 to 1, GLOBAL_MINIMUM)
        """
        parts = {each.name: getattr(self, each.name) for each in fields(self)}
        process_file.write(parts, path, force)

    @classmethod
    def load(cls, path: str | Path) -> "QuantileProcess":
        """What :meth:`save` wrote to `path`; nothing in the file is run.

        Raises FileNotFoundError if there is no file, ValueError if it is another one or damaged.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> import reluplex_walk as rw
        >>> process = rw.quantile_process([[0.0]] * 3, [1.0, 2.0, 5.0])
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "process.npz")
        ...     process.save(path)
        ...     rw.QuantileProcess.load(path).at(0.5)
        array([2., 0.])
        """
        return cls(**process_file.read(path))

    def _checked(self, tau: ArrayLike) -> Floats:
        asked = real_array("tau", tau, np.ndim(tau))
        low, high = (self.taus[0], self.taus[-1]) if len(self.taus) else (np.inf, -np.inf)
        if asked.size and not (low <= asked.min() and asked.max() <= high):
            has = f"in [{low:g}, {high:g}]" if len(self.taus) else "of which it has none"
            raise ValueError(
                f"tau: expected quantiles {has}, found {asked.min():g}..{asked.max():g}"
            )
        return asked

    def _places(self, tau: ArrayLike) -> Any:
        """Rows of the coefficients for `tau`."""
        return np.searchsorted(self.taus, self._checked(tau), side="right") - 1

    def _inputs(self, X: Any) -> tuple[Floats, Any]:
        """Features (m, p) and labels of rows."""
        encoding = self.names.encoding
        if encoding is None or not encoding.reads(X):
            return inputs("X", X, self.X.shape[1]), None
        return encoding.read(X), index_of(X)

    def _by_row(self, values: Floats, index: Any) -> Any:
        if index is None or values.ndim > 1:
            return values
        return self.names.labelled(values, index)

    _repr_html_ = repr_html

    def __repr__(self) -> str:
        taus = f"{self.taus[0]:g} to {self.taus[-1]:g}" if len(self.taus) else "none"
        return f"QuantileProcess({len(self.taus)} taus from {taus}, {self.status.name})"


_ROUNDING = 1e-12  # of its terms, by which a fitted quantile may be lower than one before


def _values(X: Floats, coefficients: Floats) -> Floats:
    """Fitted quantiles (m, ...) for coefficients (..., p + 1)."""
    return np.tensordot(X, coefficients[..., 1:], (1, -1)) + coefficients[..., 0]


__all__ = ["QuantileProcess"]
