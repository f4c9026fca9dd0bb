"""How the spectrum of the Hessian of random linear chains shrinks with their depth."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._limits import Limits
from .._validate import integer, positive, real
from ..ended import Ended
from ._depths import depths_of
from .chain_hessian import hessian

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class ChainSpectrum:
    """Medians over random chains, for some depths; what :func:`spectrum` returns.

    Attributes
    ----------
    depths : ndarray (k,)
    log_product, log_lambda, log_trace : ndarray (k,)
        The logarithms of the medians of ``|p|``, of the largest eigenvalue and of the trace.
    saddles : ndarray (k,)
        The share of chains whose Hessian has eigenvalues of both signs.
    ended : Ended
        FINISHED, or TIME_LIMIT or INTERRUPTED with fewer depths than were asked for.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> found = rw.chains.spectrum([8, 16, 32], chains=300)
    >>> found.slopes.round(1)  # of |p|, the largest eigenvalue and the trace, per layer
    array([-1. , -0.9, -1.9])
    >>> float(found.saddles[-1])
    1.0
    """

    depths: NDArray[np.int64]
    log_product: Floats
    log_lambda: Floats
    log_trace: Floats
    saddles: Floats
    ended: Ended = Ended.FINISHED

    @property
    def slopes(self) -> Floats:
        """What a layer adds to the three logarithms, (3,): least squares over the depths.

        They depend on the range of depths; the limits are -1, -1 and -2, plus log tau, log tau and
        2 log tau.  ValueError if there is one depth only.
        """
        if len(self.depths) < 2:
            raise ValueError("slopes: expected two depths at least, found one")
        rows = (self.log_product, self.log_lambda, self.log_trace)
        return np.array([np.polyfit(self.depths, row, 1)[0] for row in rows])


def spectrum(
    depths: Sequence[int] = (8, 16, 32, 64),
    chains: int = 1500,
    tau: float = 1.0,
    y: float = 1.0,
    seed: int = 0,
    *,
    time_limit: float | None = None,
    callback: Callable[[int], Any] | None = None,
) -> ChainSpectrum:
    """Product, largest eigenvalue and trace of the Hessian of random linear chains.

    Parameters
    ----------
    depths : sequence of int, default (8, 16, 32, 64)
    chains : int, default 1500
        Of each depth, weights uniform on (-tau, tau).
    tau : float, default 1.0
    y : float, default 1.0
        The target of the loss ``0.5 (w_1 ... w_L - y)^2``.
    seed : int, default 0
    time_limit : float, optional
        Seconds.
    callback : callable, optional
        Called before each depth with the number of those done; StopIteration or KeyboardInterrupt
        raised in it ends the study as Ctrl-C does.

    Returns
    -------
    ChainSpectrum

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit.

    References
    ----------
    Orvieto et al., arXiv 2106.03763.

    Examples
    --------
    Chains of two weights have an indefinite Hessian where p is below y / 3 or above y:

    >>> import reluplex_walk as rw
    >>> bool(abs(rw.chains.spectrum([2], 20_000).saddles[0] - 0.85) < 0.01)
    True
    """
    wanted = depths_of(depths)
    chains, tau, y = integer("chains", chains, 1), positive("tau", tau), real("y", y)
    rng = np.random.default_rng(integer("seed", seed, 0))
    rows: list[list[float]] = []
    ended = None
    with Limits.asked(time_limit, callback) as limits:
        for depth in wanted:
            ended = limits.look(0, len(rows))
            if ended is not None and rows:
                break
            w = rng.uniform(-tau, tau, (chains, depth))
            matrices = hessian(w, y)
            values = np.linalg.eigvalsh(matrices)
            trace = np.trace(matrices, axis1=1, axis2=2)
            medians = [np.median(np.abs(w.prod(axis=1))), np.median(values[:, -1])]
            medians.append(np.median(trace))
            rows.append([*np.log(medians).tolist(), _indefinite(values)])
    done = len(rows)
    stopped = Ended.FINISHED if done == len(wanted) else ended or Ended.FINISHED
    product, largest, trace, saddles = np.array(rows).T
    return ChainSpectrum(wanted[:done], product, largest, trace, saddles, stopped)


def _indefinite(values: NDArray[np.floating]) -> float:
    """The share of rows of eigenvalues with both signs, beyond what rounding makes of a 0."""
    zero = 1e-12 * np.abs(values).max(axis=1)
    return float(((values[:, 0] < -zero) & (values[:, -1] > zero)).mean())


__all__ = ["ChainSpectrum", "spectrum"]
