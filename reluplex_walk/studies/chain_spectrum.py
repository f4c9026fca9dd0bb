"""How the spectrum of the Hessian of random linear chains shrinks with their depth.

With u_i = 1 / w_i the Hessian is p M, M = (2 p - y) u u' - (p - y) diag(u^2): but for p, whose
logarithm is a sum, nothing of it becomes too small for double precision, however long the chain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._conversions import frame
from .._limits import Limits
from .._logs import logged
from .._memory import require_memory
from .._shown import repr_html
from .._validate import integer, positive, real
from ..ended import Ended, ended_of
from ._depths import depths_of

Floats = NDArray[np.float64]

_NUMBERS = 8_000_000  # in the matrices of a block of chains


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

    _repr_html_ = repr_html

    def to_frame(self) -> Any:
        """A table of pandas, a row for each depth.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> list(rw.chains.spectrum([2, 4], chains=20).to_frame().columns)
        ['depth', 'log_product', 'log_lambda', 'log_trace', 'saddles']
        """
        names = ("log_product", "log_lambda", "log_trace", "saddles")
        return frame({"depth": self.depths, **{name: getattr(self, name) for name in names}})

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


@logged("chains.spectrum")
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
    size = 32.0 * float(wanted[-1]) ** 2  # a Hessian, and what its eigenvalues need
    require_memory(f"depths[{len(wanted) - 1}]: the Hessian", size, "give smaller depths")
    rows: list[list[float]] = []
    ended = None
    with Limits.asked(time_limit, callback) as limits:
        for depth in wanted:
            ended = limits.look(0, len(rows))
            if ended is not None and rows:
                break
            rows.append(_measured(rng.uniform(-1.0, 1.0, (chains, depth)), tau, y))
    done = len(rows)
    stopped = ended_of(done == len(wanted), ended)
    product, largest, trace, saddles = np.array(rows).T
    return ChainSpectrum(wanted[:done], product, largest, trace, saddles, stopped)


def _measured(w: Floats, tau: float, y: float) -> list[float]:
    """Logarithms of the medians of |p|, lambda and trace, and saddles, of chains of tau `w`."""
    block = max(1, _NUMBERS // w.shape[1] ** 2)
    parts = [_of_block(w[k : k + block], np.log(tau), y) for k in range(0, len(w), block)]
    logs, saddles = (np.concatenate(each, axis=-1) for each in zip(*parts, strict=True))
    return [*(_log_median(row) for row in logs), float(saddles.mean())]


def _of_block(w: Floats, log_tau: float, y: float) -> tuple[Floats, NDArray[np.bool_]]:
    """Logarithms of |p|, the largest eigenvalue and the trace, (3, n), and saddles, (n,)."""
    depth, u = w.shape[1], 1.0 / w
    log_p = np.log(np.abs(w)).sum(axis=1) + depth * log_tau
    log_size = np.maximum(log_p, np.log(abs(y)) if y else -np.inf)
    p = np.sign(w).prod(axis=1) * np.exp(log_p - log_size)  # and y: of the larger one of both
    target = np.sign(y) * np.exp((np.log(abs(y)) if y else -np.inf) - log_size)
    matrices = (2.0 * p - target)[:, None, None] * u[:, :, None] * u[:, None, :]
    np.einsum("nii->ni", matrices)[:] = p[:, None] * u**2
    values = np.linalg.eigvalsh(np.sign(p)[:, None, None] * matrices)
    trace = np.log((u**2).sum(axis=1)) + 2.0 * log_p
    largest = np.log(values[:, -1]) + log_p + log_size
    return np.stack([log_p, largest - 2.0 * log_tau, trace - 2.0 * log_tau]), _indefinite(values)


def _log_median(logs: Floats) -> float:
    """The logarithm of the median of numbers of these `logs` (n,)."""
    middle = np.sort(logs)[[(len(logs) - 1) // 2, len(logs) // 2]]
    return float(np.logaddexp(*middle) - np.log(2.0))


def _indefinite(values: NDArray[np.floating]) -> NDArray[np.bool_]:
    """Which rows of eigenvalues have both signs, beyond what rounding makes of a 0."""
    zero = 1e-12 * np.abs(values).max(axis=1)
    return np.asarray((values[:, 0] < -zero) & (values[:, -1] > zero))


__all__ = ["ChainSpectrum", "spectrum"]
