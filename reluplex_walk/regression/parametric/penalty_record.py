"""`PenaltyPath`: the coefficients of a quantile regression as functions of its L1 penalty."""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._shown import repr_html
from ..._validate import choice, real
from ...ended import Ended
from ...simplex.records import WalkStatus
from ..tables.names import NO_NAMES, Names

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False, repr=False)
class PenaltyPath:
    """Penalised quantile regressions, as :func:`quantile_penalty_path` finds them.

    Attributes
    ----------
    alphas : ndarray (m,)
        In descending order: from the least at which all slopes are 0, to 0; less, where it ended
        early.
    coefficients : ndarray (m, p + 1)
        Intercept first: ``coefficients[k]`` are a minimum for every alpha from ``alphas[k]`` up to
        ``alphas[k - 1]``, the first ones for all above ``alphas[0]``.  The nearest floats.
    tau : float
        The quantile.
    status : WalkStatus
        GLOBAL_MINIMUM: all is proved.
    ended : Ended
        Why it stopped.
    X, y, sample_weight : ndarray
        The data.
    fit_intercept : bool
        Whether there is an intercept; if not, it is 0.
    names : Names
        What is known of the table it was made from.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> rw.quantile_penalty_path([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]).coefficients
    array([[3., 0.],
           [1., 2.]])
    """

    alphas: Floats
    coefficients: Floats
    tau: float
    status: WalkStatus
    ended: Ended
    X: Floats
    y: Floats
    sample_weight: Floats
    fit_intercept: bool
    names: Names = NO_NAMES

    def at(self, alpha: float) -> Any:
        """The coefficients (p + 1,) for the penalty `alpha` >= 0; by name for a table.

        Where they change, those of the smaller penalties above it.  ValueError below all `alphas`.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> rw.quantile_penalty_path([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]).at(0.01)
        array([1., 2.])
        """
        asked, lowest = real("alpha", alpha), self.alphas.min(initial=np.inf)
        if not asked >= lowest:
            raise ValueError(f"alpha: expected a number >= {lowest:g}, found {alpha}")
        k = int(np.flatnonzero(self.alphas <= asked)[0])
        return self.names.by_parameter(self.coefficients[k])

    def to_frame(self) -> Any:
        """A table of pandas: the coefficients (columns, by name) from each alpha (the index) up.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> rw.quantile_penalty_path([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]).to_frame()
                  Intercept   x1
        alpha
        0.333333        3.0  0.0
        0.000000        1.0  2.0
        """
        return self.names.by_rows(self.coefficients, self.alphas, "alpha")

    @cached_property
    def loss(self) -> Floats:
        """The loss (m,) of the samples, without the penalty.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> rw.quantile_penalty_path([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]).loss
        array([2., 0.])
        """
        found = np.empty(len(self.alphas))
        for k, b in enumerate(self.coefficients):
            r = self.y - (self.X @ b[1:] + b[0])
            found[k] = self.sample_weight @ np.where(r > 0.0, self.tau * r, (self.tau - 1.0) * r)
        return found

    @property
    def n_active(self) -> Ints:
        """How many slopes (m,) are not 0.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> rw.quantile_penalty_path([[0.0], [1.0], [2.0]], [1.0, 3.0, 5.0]).n_active
        array([0, 1])
        """
        return (self.coefficients[:, 1:] != 0.0).sum(axis=1)

    @property
    def aic(self) -> Floats:
        """Akaike's criterion (m,), as ``AIC`` of R's quantreg: the less, the better.

        ``2 k - 2 L`` with k the coefficients that are not 0 and L the log-likelihood
        ``n (log(tau (1 - tau)) - 1 - log(loss / n))`` of Laplace's distribution, n being the
        samples of weight > 0; -inf where the loss is 0.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_stackloss()
        >>> rw.quantile_penalty_path(data.X, data.y).aic[-1].round(4)
        np.float64(108.3054)
        """
        return self._criterion(2.0)

    @property
    def sic(self) -> Floats:
        """Schwarz's criterion (m,): `aic` with ``k log(n)`` for ``2 k``.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_stackloss()
        >>> path = rw.quantile_penalty_path(data.X, data.y)
        >>> int(path.sic.argmin()) == path.best("sic")
        True
        """
        return self._criterion(math.log(max(1, int((self.sample_weight > 0.0).sum()))))

    def _criterion(self, price: float) -> Floats:
        n = int((self.sample_weight > 0.0).sum())
        with np.errstate(divide="ignore"):
            deviance = np.log(self.loss / n) + 1.0 - np.log(self.tau * (1.0 - self.tau))
        return 2.0 * n * deviance + price * (self.n_active + self.fit_intercept)

    def best(self, criterion: str = "sic") -> int:
        """The row of least `criterion`, "sic" or "aic"; the first if there are several.

        Raises ValueError if the criterion is another one, or there are no `alphas`.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_stackloss()
        >>> path = rw.quantile_penalty_path(data.X, data.y)
        >>> path.coefficients[path.best()].shape
        (4,)
        """
        choice("criterion", criterion, ("sic", "aic"))
        if not len(self.alphas):
            raise ValueError("best: expected penalties, found none; allow it more time")
        return int(getattr(self, criterion).argmin())

    _repr_html_ = repr_html

    def __repr__(self) -> str:
        reach = f"{self.alphas[0]:g} to {self.alphas[-1]:g}" if len(self.alphas) else "none"
        return f"PenaltyPath({len(self.alphas)} alphas from {reach}, {self.status.name})"


__all__ = ["PenaltyPath"]
