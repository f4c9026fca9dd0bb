"""`ReLURegressor`: averaged networks beside a linear fit, never far behind it."""

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, RegressorMixin
from sklearn.utils.validation import check_is_fitted

from .._limits import Limits
from .._shown import repr_html
from .._validate import choice
from ..problem.aliased import RankWarning
from ..regression.fit import QuantileFit
from ..regression.quantile import lad, quantile
from ._checks import inputs, levels, shares_explained, training_data
from ._members import Loss, Rows, centre_and_scale, held_out, merged, start, train_member
from ._options import FEWEST, OUTPUT_SHARE, Options
from ._stacked import Part, in_units, stacked

Floats = NDArray[np.float64]

_SHARES = np.linspace(0.0, 1.0, 6)  # of the networks that are added to the linear fit
_GAIN = 0.01  # of the held-out loss, below which the linear fit stays alone


class Averaged(NamedTuple):
    """The fit of one quantile.

    Attributes
    ----------
    linear : QuantileFit
        The linear fit of all rows, in the units of the data.
    outputs : tuple of QuantileFit
        The output layer of each network: exact, under its penalty, in standardised units.
    share : float
        Of the networks in what is predicted; 0: the linear fit alone.
    n_iter : int
        Steps made.
    """

    linear: QuantileFit
    outputs: tuple[QuantileFit, ...]
    share: float
    n_iter: int

    def _repr_html_(self) -> str:
        return repr_html(self)


class ReLURegressor(RegressorMixin, BaseEstimator):
    """Networks of ReLU neurons for the median, another quantile, or several of them.

    The average of `n_nets` small networks, each added to a linear fit, which is exact.  Each is
    trained on all rows but a fold, stopped where that fold likes it best, and given an exact output
    layer.  Together the folds say how much of the networks is added; where that gains less than 1 %
    of the held-out loss, or less than the standard error of the gain, the linear fit of all rows is
    kept, so that little is ever lost to it.
    Features and targets are standardised within.

    Parameters
    ----------
    hidden : int or sequence of int, default (8,)
        Widths of the hidden layers; wider ones, such as (32,), often predict better.
    loss : {"l1", "pinball"}, default "l1"
        Absolute residuals, or those of a quantile.
    tau : float or sequence of float, optional
        Quantiles of the pinball loss, default 0.5; several in ascending order are trained one by
        one, and sorted where they would cross.
    penalty : float, default 0.2
        How strongly weights are drawn to 0: by so much of the length of each step (an L1 penalty,
        decoupled from the steps).  The exact output layer has a twentieth of it, as the `alpha` of
        :class:`LADRegressor`.
    n_nets : int, default 5
        Networks that are averaged; 10 often predict better.
    validation_fraction : float, optional
        Share of the rows that each network holds out, drawn anew for each; by default the rows are
        dealt to as many folds as there are networks (for one network: a fifth).
    n_steps : int, default 1000
        Steps of each network, the budget.
    time_limit : float, optional
        Seconds; networks that are not begun until then are left out.
    random_state : int, RandomState or None, default 0
        Of starts and folds.

    Attributes
    ----------
    network_ : ReLUNetwork
        What predicts, as one network of the features as given.
    fits_ : tuple of Averaged
        For each quantile the linear fit, the output layers, and the share of the networks.
    certificates_ : tuple
        The proofs of the linear fit and of each output layer, quantile by quantile.  Hidden layers
        are stopped before a minimum, and nothing is claimed of them.
    n_iter_ : int
        Steps made.
    n_features_in_, feature_names_in_ : int, ndarray (p,)
        Of the data of :meth:`fit`; names of data frames alone.

    Examples
    --------
    >>> import numpy as np, reluplex_walk as rw
    >>> from reluplex_walk.estimators import LADRegressor, ReLURegressor
    >>> data = rw.datasets.load_motorcycle()
    >>> model = ReLURegressor(n_nets=3).fit(data.X, data.y)
    >>> linear = LADRegressor().fit(data.X, data.y)
    >>> errors = [np.abs(each.predict(data.X) - data.y).mean() for each in (model, linear)]
    >>> bool(errors[0] < 0.8 * errors[1])
    True
    >>> model.network_.n_layers, len(model.certificates_)
    (2, 4)
    """

    def __init__(
        self,
        hidden: int | Sequence[int] = (8,),
        loss: str = "l1",
        tau: float | Sequence[float] | None = None,
        penalty: float = 0.2,
        n_nets: int = 5,
        validation_fraction: float | None = None,
        n_steps: int = 1000,
        time_limit: float | None = None,
        random_state: Any = 0,
    ) -> None:
        self.hidden = hidden
        self.loss = loss
        self.tau = tau
        self.penalty = penalty
        self.n_nets = n_nets
        self.validation_fraction = validation_fraction
        self.n_steps = n_steps
        self.time_limit = time_limit
        self.random_state = random_state

    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> "ReLURegressor":
        """Fit to `X` (n, p) and `y` (n,), with weights >= 0 `sample_weight` (n,); returns self.

        Raises ValueError or TypeError if an argument does not fit.

        Examples
        --------
        >>> from reluplex_walk.estimators import ReLURegressor
        >>> X = [[k / 10] for k in range(-20, 21)]
        >>> model = ReLURegressor(n_nets=2).fit(X, [abs(x) for x, in X])
        >>> model.score(X, [abs(x) for x, in X]) > 0.9
        True
        """
        options, taus = Options.of(self), self._taus()[0]
        limits = Limits.asked(self.time_limit, None)
        rows = merged(*training_data(self, X, y, sample_weight, sparse=False))
        fits, parts, constants = [], [], np.zeros(len(taus))
        with limits:
            for k, tau in enumerate(taus):
                fit, constants[k], added = _averaged(rows, tau, options, limits)
                fits.append(fit)
                parts += [part._replace(output=k) for part in added]
        limits.pass_on()
        self.fits_ = tuple(fits)
        self.network_ = stacked(parts, rows.X.shape[1], constants)
        self.n_iter_ = sum(fit.n_iter for fit in fits)
        return self

    def predict(self, X: ArrayLike) -> Floats:
        """Predictions (m,) at the rows of `X` (m, p), for several quantiles (m, k).

        Raises ValueError if `X` does not fit, NotFittedError before a fit.

        Examples
        --------
        >>> from reluplex_walk.estimators import ReLURegressor
        >>> X = [[k / 10] for k in range(-20, 21)]
        >>> bands = ReLURegressor(loss="pinball", tau=[0.2, 0.8], n_nets=2)
        >>> bands.fit(X, [x for x, in X]).predict([[1.0]]).round(6)
        array([[1., 1.]])
        """
        check_is_fitted(self)
        found = self.network_(inputs(self, X))
        return np.sort(found, axis=1) if self._taus()[1] else found[:, 0]

    def score(self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None) -> float:
        """R^2 of the predictions at `X` for `y` and `sample_weight`.

        For several quantiles the share of the pinball loss that is explained, their mean.

        Examples
        --------
        >>> from reluplex_walk.estimators import ReLURegressor
        >>> X, y = [[0.0], [1.0], [2.0]], [0.0, 2.0, 4.0]
        >>> ReLURegressor().fit(X, y).score(X, y)
        1.0
        """
        taus, several = self._taus()
        if not several:
            return float(super().score(X, y, sample_weight))
        levels_of = [tau for tau in taus if tau is not None]
        return shares_explained(y, self.predict(X), levels_of, sample_weight)

    @property
    def certificates_(self) -> tuple[Any, ...]:
        """The proofs of linear fits and output layers: global minima of their own losses."""
        check_is_fitted(self)
        return tuple(
            proof
            for fit in self.fits_
            for proof in (fit.linear.certificate, *(each.optimality for each in fit.outputs))
        )

    def _taus(self) -> tuple[list[float | None], bool]:
        """The quantiles, None for the L1 loss, and whether there are several."""
        if choice("loss", self.loss, ("l1", "pinball")) == "l1":
            if self.tau is not None:
                raise ValueError('tau: expected None with loss="l1", found one; take "pinball"')
            return [None], False
        taus, several = levels("tau", 0.5 if self.tau is None else self.tau)
        return [*taus], several


def _averaged(
    rows: Rows, tau: float | None, options: Options, limits: Limits
) -> tuple[Averaged, float, list[Part]]:
    """The fit of one quantile; the constant and the parts of the network that predicts."""
    y = rows.y[:, 0]
    whole = _linear(rows, tau)
    alone = float(whole.coefficients[0]), [Part(0, 1.0, whole.coefficients[1:])]
    mean, scale = centre_and_scale(rows.X, rows.w)
    centre, size = _middle_and_size(y, rows.w)
    if len(y) < FEWEST or size == 0.0:
        return Averaged(whole, (), 0.0, 0), *alone
    within = Rows((rows.X - mean) / scale, ((y - centre) / size)[:, None], rows.w)
    rng = np.random.default_rng(options.seed)
    parts, outputs, steps, losses = [], [], 0, []
    for held in held_out(len(y), options.n_nets, options.held, rng):
        if limits.over is not None:
            break
        seen, rest = within.some(~held), within.some(held)
        base = _linear(seen, tau).coefficients
        seen, rest = (
            part._replace(y=part.y - (base[0] + part.X @ base[1:])[:, None])
            for part in (seen, rest)
        )
        network, fit, made = _member(seen, rest, tau, options, rng, limits)
        residuals, added = rest.y[:, 0], network(rest.X)[:, 0]
        losses.append([_pinball(residuals - part * added, rest.w, tau) for part in _SHARES])
        slopes = base[1:] / scale
        parts.append((base[0] - slopes @ mean, slopes, in_units(network, mean, scale)))
        outputs.append(fit)
        steps += made
    best = _best(np.hstack(losses)) if losses else 0
    if best == 0:
        return Averaged(whole, tuple(outputs), 0.0, steps), *alone
    weight, added = size / len(parts), float(_SHARES[best])
    constant = centre + weight * sum(each[0] for each in parts)
    found = [Part(0, weight, slopes) for _, slopes, _ in parts]
    found += [Part(0, weight * added, network) for _, _, network in parts]
    return Averaged(whole, tuple(outputs), added, steps), constant, found


def _member(
    seen: Rows, rest: Rows, tau: float | None, options: Options, rng: Any, limits: Limits
) -> tuple[Any, QuantileFit, int]:
    """A network of the residuals of a linear fit, its exact output layer, and the steps made."""
    widths = [seen.X.shape[1], *options.hidden, 1]
    loss = Loss("l1" if tau is None else "pinball", tau)
    theta = start(widths, seen.X, rng)
    trained = train_member(
        seen, rest, loss, theta, widths, options.penalty, options.n_steps, limits
    )
    last = trained.network.n_layers - 1
    features = Rows(trained.network.features(seen.X, last), seen.y, seen.w)
    fit = _linear(features, tau, OUTPUT_SHARE * options.penalty)
    output = np.roll(fit.coefficients, -1)[None]
    return trained.network.with_layer(last, output), fit, trained.steps


def _linear(rows: Rows, tau: float | None, alpha: float = 0.0) -> QuantileFit:
    """The exact linear fit; what is aliased stands in it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RankWarning)
        if tau is None:
            return lad(rows.X, rows.y[:, 0], sample_weight=rows.w, alpha=alpha)
        # The slopes of the pinball loss are smaller than 1, those of the penalty as much.
        scaled = 2.0 * tau * (1.0 - tau) * alpha
        return quantile(rows.X, rows.y[:, 0], tau, sample_weight=rows.w, alpha=scaled)


def _pinball(r: Floats, w: Floats, tau: float | None) -> Floats:
    """The losses of residuals."""
    below, above = (1.0, 1.0) if tau is None else (1.0 - tau, tau)
    return w * np.where(r > 0.0, above * r, -below * r)


def _best(losses: Floats) -> int:
    """Which of the shares to add, from the losses (shares, m) of held-out rows.

    None, which is the first, unless the gain is beyond its standard error.
    """
    best = int(losses.sum(axis=1).argmin())
    gains = losses[0] - losses[best]
    sure = gains.sum() - np.sqrt(gains.size) * gains.std()
    return best if sure > 0.0 and gains.sum() > _GAIN * losses[0].sum() else 0


def _middle_and_size(y: Floats, w: Floats) -> tuple[float, float]:
    """Weighted median and mean distance from it."""
    order = np.argsort(y, kind="stable")
    total = np.cumsum(w[order])
    middle = float(y[order][np.searchsorted(total, 0.5 * total[-1])])
    return middle, float(w @ np.abs(y - middle) / w.sum())


__all__ = ["Averaged", "ReLURegressor"]
