"""How long gradient methods take to leave the plateau on which a deep linear chain starts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad

from .._limits import Limits
from .._logs import logged
from .._shown import repr_html
from .._validate import choice, integer, positive, real
from ..ended import Ended
from ..optimize.known_methods import Polyak, method_of
from . import chain_hessian

Floats = NDArray[np.float64]

METHODS = ("gd", "sgd", "momentum", "nesterov", "rmsprop", "adam", "alice")

_BEYOND = 10.0  # times y: where a step that is too long throws p, across the valley
_FAR = 1e6  # weights beyond it are lost: their chain has diverged, and stays where it is


@dataclass(frozen=True, eq=False)
class Escape:
    """When chains left the plateau; what :func:`escape` returns, n chains.

    Attributes
    ----------
    depth : int
    method : str or object
        As asked for.
    learning_rate, y : float
    start : ndarray (n, L)
        The weights at first.
    gradients : masked array (n,)
        How many were taken until y / 2 < p < 10 y, 0 where p > y / 2 at the start; masked where
        that did not happen.
    taken : int
        How many gradients each chain was allowed, or had when the last one escaped.
    ended : Ended
        FINISHED if all escaped, else WORK_LIMIT, TIME_LIMIT or INTERRUPTED.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> slow, quick = (rw.chains.escape(8, method, 50) for method in ("gd", "adam"))
    >>> bool(slow.escaped > 0.8), bool(quick.median < slow.median)
    (True, True)
    >>> slow.curvature.shape, bool(0.5 < slow.rate_product < 4.0)
    ((50,), True)
    """

    depth: int
    method: Any
    learning_rate: float
    y: float
    start: Floats
    gradients: np.ma.MaskedArray
    taken: int
    ended: Ended

    _repr_html_ = repr_html

    @property
    def escaped(self) -> float:
        """The share of chains that escaped."""
        return float(self.gradients.count() / len(self.gradients))

    @property
    def median(self) -> float:
        """The median of `gradients` over all chains, inf where half of them did not escape."""
        known = ~np.ma.getmaskarray(self.gradients)
        return float(np.median(np.where(known, self.gradients.data, np.inf)))

    @cached_property
    def curvature(self) -> Floats:
        """The size of the most negative eigenvalue of the Hessian at the start, (n,)."""
        values = np.linalg.eigvalsh(chain_hessian.hessian(self.start, self.y))
        return np.asarray(np.maximum(-values[:, 0], 0.0))

    @property
    def rate_product(self) -> float:
        """Learning rate x median time x median curvature; of order 1 for gradient descent.

        Inf where the median time is, whatever the curvature.
        """
        if np.isinf(self.median):
            return np.inf
        return self.learning_rate * self.median * float(np.median(self.curvature))


@logged("chains.escape")
def escape(
    depth: int,
    method: Any = "gd",
    chains: int = 200,
    *,
    start: str | float = "uniform",
    y: float = 1.0,
    learning_rate: float = 0.01,
    noise: float | None = None,
    gradients: int = 20_000,
    seed: int = 0,
    time_limit: float | None = None,
    callback: Callable[[int], Any] | None = None,
) -> Escape:
    """Minimise ``0.5 (w_1 ... w_L - y)^2`` from its plateau, until the product is above y / 2.

    And below 10 y: a chain that is thrown across the valley, as by steps that are far too long, has
    escaped only once it comes back.

    Parameters
    ----------
    depth : int
        L, at least 2.
    method : str or object, default "gd"
        gd (gradient descent), sgd (the same with `noise`), momentum, nesterov, rmsprop, adam,
        alice, or an object as :func:`reluplex_walk.descend` takes it, of a method that treats every
        coordinate by itself: all chains are one run.  Not polyak, whose steps need one loss.
    chains : int, default 200
    start : "uniform" or float, default "uniform"
        Weights uniform on (-sqrt(3), sqrt(3)), of variance 1; or all of them this number.
    y : float, default 1.0
        The target, > 0.
    learning_rate : float, default 0.01
    noise : float, optional
        The standard deviation of the target, drawn anew for each chain in each step; default 1 for
        sgd, else 0.
    gradients : int, default 20_000
        The most that are taken.
    seed : int, default 0
    time_limit : float, optional
        Seconds.
    callback : callable, optional
        Called before each step with the number of chains that have escaped; StopIteration or
        KeyboardInterrupt raised in it ends the study as Ctrl-C does.

    Returns
    -------
    Escape

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit.

    References
    ----------
    Orvieto et al., arXiv 2106.03763.

    Examples
    --------
    From equal weights gradient descent follows its flow, and Adam does not see the plateau:

    >>> import reluplex_walk as rw
    >>> flow = rw.chains.flow_time(0.5, 10, learning_rate=0.01)
    >>> found = rw.chains.escape(10, "gd", 1, start=0.5)
    >>> bool(1.0 < found.median / flow < 1.03)
    True
    >>> bool(rw.chains.escape(10, "adam", 1, start=0.5).median < found.median / 50)
    True
    """
    depth, chains = integer("depth", depth, 2), integer("chains", chains, 1)
    y, rate = positive("y", y), positive("learning_rate", learning_rate)
    budget = integer("gradients", gradients, 0)
    seed = integer("seed", seed, 0)
    if isinstance(method, str):
        choice("method", method, METHODS)
    spread = real("noise", noise) if noise is not None else float(_named(method) == "sgd")
    if spread < 0.0:
        raise ValueError(f"noise: expected a number >= 0, found {spread:g}")
    chosen = method_of("sgd" if _named(method) == "gd" else method)
    if isinstance(chosen, Polyak):
        raise ValueError(
            "method: expected one that treats every coordinate by itself, found Polyak, whose "
            "step is one for all"
        )
    begun = _begun(start, chains, depth, seed)
    run = _Run(begun, y, spread, np.random.default_rng([seed, 1]))
    with Limits.asked(time_limit, callback, budget) as limits:
        ended = run.descend(chosen.begin(begun.ravel(), rate, seed), limits, budget)
    times = np.ma.MaskedArray(run.times, run.times < 0)
    return Escape(depth, method, rate, y, begun, times, run.taken, ended)


def _named(method: Any) -> str:
    return method if isinstance(method, str) else ""


def _begun(start: str | float, chains: int, depth: int, seed: int) -> Floats:
    """The weights at first, (chains, depth)."""
    if isinstance(start, str):
        if start != "uniform":
            raise ValueError(f"start: expected uniform or a number, found {start!r}")
        bound = np.sqrt(3.0)
        return np.random.default_rng([seed, 0]).uniform(-bound, bound, (chains, depth))
    return np.full((chains, depth), real("start", start))


class _Run:
    """All chains in one run of a method: `times` (n,) of escape, -1 before it."""

    def __init__(self, start: Floats, y: float, noise: float, rng: np.random.Generator) -> None:
        self.shape, self.y, self.noise, self.rng = start.shape, y, noise, rng
        self.times = np.full(len(start), -1, np.int64)
        self.taken = 0
        self._targets: float | Floats = y
        self._look(start)

    def descend(self, run: Any, limits: Limits, budget: int) -> Ended:
        while self.running.any():
            ended = limits.look(self.taken, len(self.times) - int(self.running.sum()))
            if ended is not None:
                return ended
            if self.noise:
                self._targets = self.y + self.noise * self.rng.standard_normal(self.shape[0])
            charged = run.step(self._gradient, budget - self.taken)
            if not charged:
                return Ended.WORK_LIMIT
            self.taken += charged
            self._look(run.theta.reshape(self.shape))
        return Ended.FINISHED

    @property
    def running(self) -> NDArray[np.bool_]:
        return np.asarray(self.times < 0)

    def _look(self, w: Floats) -> None:
        with np.errstate(over="ignore", invalid="ignore"):
            p = w.prod(axis=1)
        most = _BEYOND * self.y if self.taken else np.inf
        escaped = self.running & (p > self.y / 2.0) & (p < most)
        self.times[escaped] = self.taken

    def _gradient(self, theta: Floats) -> Floats:
        """The gradients of the chains that are on their way, and 0 for all others, (n L,)."""
        w = theta.reshape(self.shape)
        found = np.zeros(self.shape)
        moving = self.running & (np.abs(w).max(axis=1) < _FAR)
        targets = self._targets if isinstance(self._targets, float) else self._targets[moving]
        found[moving] = chain_hessian.gradient(w[moving], targets)
        size = np.abs(found).max(axis=1)
        found[~(size <= _FAR)] = 0.0
        return found.ravel()


def flow_time(start: float, depth: int, y: float = 1.0, learning_rate: float = 0.01) -> float:
    """Steps that gradient descent with small steps takes from equal weights to ``p = y / 2``.

    ``(1 / learning_rate)`` times the integral of ``1 / (w^(L-1) (y - w^L))`` from `start` to the
    end, where ``w^L = y / 2``.  Descent itself is always slower, by less than 3 % from 40 steps on.

    Parameters
    ----------
    start : float
        Each of the weights at first, > 0; 0 steps if their product is above y / 2.
    depth : int
        L, at least 2.
    y : float, default 1.0
        The target, > 0.
    learning_rate : float, default 0.01

    Returns
    -------
    float

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit.

    Examples
    --------
    Two weights: ``log(w / sqrt(y - w^2)) / (y learning_rate)`` between start and end.

    >>> import math, reluplex_walk as rw
    >>> rw.chains.flow_time(0.1, 2) / (0.5 * math.log(99) / 0.01)
    1.0...
    """
    start, depth = positive("start", start), integer("depth", depth, 2)
    y, rate = positive("y", y), positive("learning_rate", learning_rate)
    end = (y / 2.0) ** (1.0 / depth)
    if start >= end:
        return 0.0
    # In u = log w: the integrand grows by powers of w towards the start.
    value, _ = quad(
        lambda u: np.exp((2 - depth) * u) / (y - np.exp(depth * u)),
        np.log(start),
        np.log(end),
        epsrel=1e-10,
        limit=200,
    )
    return float(value) / rate


__all__ = ["METHODS", "Escape", "escape", "flow_time"]
