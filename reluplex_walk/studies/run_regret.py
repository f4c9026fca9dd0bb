"""`Regret`: a run beside the Taylor optimum of each horizon, and what its regret cannot exceed."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._conversions import frame
from .._shown import repr_html
from ..ended import Ended
from ..optimize.methods import Sgd
from ..proof.certificate import Certificate
from .taylor_loss import TaylorLoss, TaylorMinimum

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Regret:
    """The regret of a run against the Taylor optimum of each horizon; :func:`regret` returns it.

    Attributes
    ----------
    taylor : TaylorLoss
        That of all steps made, by the parameters of the block.
    points : ndarray (N, D)
        W_n, where the method rested before each step.
    losses : ndarray (N,)
        l_n, the mean loss of the samples of step n at W_n.
    rates : ndarray (N,)
        eta_n; NaN of polyak, which has none.
    gradients : ndarray (N, D)
        g_n, a subgradient of that loss at W_n by the block.
    horizon : ndarray (h,) of int
        N, ascending.
    minima : tuple of h TaylorMinimum
        The Taylor optima, with their proofs.
    method : object
        With its options.
    ended : Ended
        FINISHED; DIVERGED, TIME_LIMIT or INTERRUPTED with the horizons until then.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data, _ = rw.datasets.make_teacher(200, [2, 4, 1], noise=0.5)
    >>> net = rw.ReLUNetwork.random([2, 4, 1], seed=1)
    >>> found = rw.taylor.regret(net, data.X, data.y, learning_rate=0.05, horizons=[50, 100, 200])
    >>> found
    Regret(Sgd, 200 steps, regret ... at most ...)
    >>> bool((found.regret <= found.bound).all()), bool((found.slack >= 0.0).all())
    (True, True)
    >>> bool(found.proved.all()), found.interpolates.tolist(), bool((found.rank <= 17).all())
    (True, [False, False, False], True)
    >>> bool(abs(float(found.certificates[2].loss) - found.optimum[2]) < 1e-9)
    True
    """

    taylor: TaylorLoss
    points: Floats
    losses: Floats
    rates: Floats
    gradients: Floats
    horizon: NDArray[np.int64]
    minima: tuple[TaylorMinimum, ...]
    method: Any
    ended: Ended

    @cached_property
    def optimum(self) -> Floats:
        """The least sum of the first N Taylor losses, (h,)."""
        return np.array([each.value for each in self.minima])

    @cached_property
    def regret(self) -> Floats:
        """R_N, (h,): the sum of the first N losses of the run, minus `optimum`."""
        return np.cumsum(self.losses)[self.horizon - 1] - self.optimum

    @cached_property
    def comparison(self) -> Floats:
        """The right side of the bound for whatever method, (h,): a theorem only where `bound` is.

        ``max_n |W_n - V*|^2 / (2 eta_N) + (1/2) sum eta_n |g_n|^2``, with n = 1 alone in place of
        the maximum where the rate is constant; NaN of polyak.

        Examples
        --------
        >>> import numpy as np, reluplex_walk as rw
        >>> data, _ = rw.datasets.make_teacher(200, [2, 4, 1], noise=0.5)
        >>> net = rw.ReLUNetwork.random([2, 4, 1], seed=1)
        >>> run = rw.taylor.regret(net, data.X, data.y, "adam", horizons=[50, 100])
        >>> bool(np.isnan(run.bound).all()), bool((run.comparison > 0.0).all())
        (True, True)
        """
        sums = np.cumsum(self.rates * (self.gradients**2).sum(axis=1))
        found = []
        for N, best in zip(self.horizon.tolist(), self.minima, strict=True):
            apart = ((self.points[:N] - best.V) ** 2).sum(axis=1)
            far = apart[0] if self.rates[0] == self.rates[N - 1] else apart.max()
            found.append((far / self.rates[N - 1] + sums[N - 1]) / 2.0)
        return np.array(found)

    @cached_property
    def bound(self) -> Floats:
        """What R_N cannot exceed, (h,); NaN where that is no theorem: all methods but plain SGD."""
        theorem = type(self.method) is Sgd
        return self.comparison if theorem else np.full(len(self.horizon), np.nan)

    @cached_property
    def slack(self) -> Floats:
        """`bound` minus `regret`, (h,)."""
        return self.bound - self.regret

    @cached_property
    def interpolates(self) -> NDArray[np.bool_]:
        """Whether the Taylor optimum fits any targets, (h,): rank N K, an optimum of 0."""
        return np.array([each.interpolates for each in self.minima], np.bool_)

    @cached_property
    def rank(self) -> NDArray[np.int64]:
        """Of the derivatives of the first N steps, (h,).  R_N says something for N K >> rank."""
        return np.array([each.rank for each in self.minima], np.int64)

    @cached_property
    def zero_share(self) -> Floats:
        """The share of residuals that vanish at the Taylor optimum, (h,).

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data, _ = rw.datasets.make_teacher(200, [2, 4, 1], noise=0.5)
        >>> net = rw.ReLUNetwork.random([2, 4, 1], seed=1)
        >>> run = rw.taylor.regret(net, data.X, data.y, horizons=[4, 64])
        >>> run.interpolates.tolist(), bool(run.zero_share[1] < run.zero_share[0] == 1.0)
        ([True, False], True)
        """
        return np.array([each.zeros / each.outputs for each in self.minima])

    @cached_property
    def proved(self) -> NDArray[np.bool_]:
        """Whether each Taylor optimum is proved, (h,); least squares are not."""
        return np.array([each.proved for each in self.minima], np.bool_)

    @cached_property
    def given_dependence(self) -> NDArray[np.bool_]:
        """Whether its proof takes it as given that redundant parameters add nothing, (h,).

        See :attr:`TaylorMinimum.given_dependence`.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data, _ = rw.datasets.make_teacher(200, [2, 4, 1], noise=0.5)
        >>> net = rw.ReLUNetwork.random([2, 4, 1], seed=1)
        >>> rw.taylor.regret(net, data.X, data.y, horizons=[100]).given_dependence.tolist()
        [False]
        """
        return np.array([each.given_dependence for each in self.minima], np.bool_)

    @property
    def certificates(self) -> tuple[Certificate | None, ...]:
        """Of each Taylor optimum, made when asked for; None of least squares."""
        return tuple(each.certificate for each in self.minima)

    def to_frame(self) -> Any:
        """A table of pandas, a row for each horizon.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data, _ = rw.datasets.make_teacher(50, [2, 4, 1], noise=0.5)
        >>> net = rw.ReLUNetwork.random([2, 4, 1], seed=1)
        >>> found = rw.taylor.regret(net, data.X, data.y, learning_rate=0.05, horizons=[25, 50])
        >>> found.to_frame().set_index("horizon").proved.to_dict()
        {25: True, 50: True}
        """
        names = ("horizon", "regret", "bound", "slack", "optimum", "proved", "rank", "interpolates")
        return frame({name: getattr(self, name) for name in names})

    def plot(self, ax: "Axes | None" = None, title: str | None = None) -> "Axes":
        """R_N over N, and its bound, on `ax` or new axes with a `title` (extra ``plot``).

        See :func:`reluplex_walk.plotting.plot_regret`.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> from matplotlib.figure import Figure
        >>> data, _ = rw.datasets.make_teacher(200, [2, 4, 1], noise=0.5)
        >>> net = rw.ReLUNetwork.random([2, 4, 1], seed=1)
        >>> run = rw.taylor.regret(net, data.X, data.y, horizons=[32, 64])
        >>> run.plot(Figure().subplots()).get_xlabel()
        'steps N'
        """
        from ..plotting import plot_regret

        return plot_regret(self, ax, title)

    _repr_html_ = repr_html

    def __repr__(self) -> str:
        name, made = type(self.method).__name__, len(self.losses)
        if not len(self.horizon):
            return f"Regret({name}, {made} steps, no horizon)"
        text = f"regret {self.regret[-1]:.4g}"
        if np.isfinite(self.bound[-1]):
            text += f", at most {self.bound[-1]:.4g}"
        return f"Regret({name}, {made} steps, {text})"


__all__ = ["Regret"]
