"""The power spectrum of the gradient along a line of inputs: brown noise, or white."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._limits import Limits
from .._logs import logged
from .._memory import require_memory
from .._shown import repr_html
from .._validate import choice, integer
from ..ended import Ended, ended_of
from .arc_cosine import plain_law, residual_law
from .growing import output_weights
from .random_stack import RandomStack

Floats = NDArray[np.float64]

_DESIGNS = {"plain": "plain", "residual": "preactivation", "layernorm": "layernorm"}


@dataclass(frozen=True, eq=False)
class ShatteringSpectrum:
    """The spectrum of gradients along a circle; what :func:`shattering_spectrum` returns.

    Attributes
    ----------
    depth, width : int
    design : str
    power : ndarray (points // 2 + 1,)
        The share of the gradient's power at each number of waves along the circle, from 0 on; the
        mean over networks.
    law : ndarray (points // 2 + 1,) or None
        That of wide networks; None where it is not known.
    networks : int
        How many are alive, of those that were made.
    ended : Ended
        FINISHED, or TIME_LIMIT or INTERRUPTED with fewer networks than were asked for.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> flat, deep = (rw.taylor.shattering_spectrum(depth, networks=10) for depth in (1, 16))
    >>> bool(abs(flat.power.sum() - 1.0) < 1e-9), bool(flat.half < deep.half)
    (True, True)
    """

    depth: int
    width: int
    design: str
    power: Floats
    law: Floats | None
    networks: int
    ended: Ended = Ended.FINISHED

    _repr_html_ = repr_html

    @property
    def half(self) -> int:
        """The number of waves up to which half of the power lies: the larger, the whiter."""
        return int(np.searchsorted(np.cumsum(self.power), 0.5))


@logged("taylor.shattering_spectrum")
def shattering_spectrum(
    depth: int,
    width: int = 64,
    design: str = "plain",
    points: int = 256,
    networks: int = 50,
    seed: int = 0,
    *,
    time_limit: float | None = None,
    callback: Callable[[int], Any] | None = None,
) -> ShatteringSpectrum:
    """The power spectrum of the gradient with respect to the input, along a line of inputs.

    Without biases a gradient depends on the direction of the input alone, so that the line is a
    circle around the origin, through two random directions.

    Parameters
    ----------
    depth : int
        ReLU layers.
    width : int, default 64
        Units of each layer and of the inputs.
    design : {"plain", "residual", "layernorm"}, default "plain"
        Layers ``relu(W x)``, ``x + W relu(x) / sqrt(L)`` or ``relu(N(W x))``, as those of
        :func:`shattering`.
    points : int, default 256
        Inputs on the circle.
    networks : int, default 50
    seed : int, default 0
    time_limit : float, optional
        Seconds.
    callback : callable, optional
        Called before each network with the number of those made; StopIteration or KeyboardInterrupt
        raised in it ends the study as Ctrl-C does.

    Returns
    -------
    ShatteringSpectrum
        At the time limit or after Ctrl-C of the networks made until then, one at least.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit, or no network is alive.

    Notes
    -----
    The spectrum is the Fourier transform of the correlation of gradients against the angle between
    inputs, of which the law is that of :func:`shattering`.

    References
    ----------
    Balduzzi et al., The shattered gradients problem, arXiv 1702.08591.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> found = rw.taylor.shattering_spectrum(4, design="residual", networks=10)
    >>> bool(abs(found.power[:8] - found.law[:8]).max() < 0.1)
    True
    """
    depth, width = integer("depth", depth, 1), integer("width", width, 2)
    choice("design", design, _DESIGNS)
    points, networks = integer("points", points, 4), integer("networks", networks, 1)
    rng = np.random.default_rng(integer("seed", seed, 0))
    size = 8.0 * depth * width * (width + 3 * points)
    require_memory(
        f"depth: a network of width {width} at {points} points", size, "give less of one of them"
    )
    powers: list[Floats] = []
    made, ended = 0, None
    with Limits.asked(time_limit, callback) as limits:
        while made < networks:
            ended = limits.look(0, made)
            if ended is not None and made:
                break
            power = _power(rng, depth, width, design, points)
            total = power.sum()
            made += 1
            if total > 0.0:
                powers.append(power / total)
    if not powers:
        raise ValueError(f"width: expected a network that is alive, found none of width {width}")
    stopped = ended_of(made == networks, ended)
    mean = np.mean(powers, axis=0)
    return ShatteringSpectrum(
        depth, width, design, mean, _law(design, depth, points), len(powers), stopped
    )


def _power(rng: np.random.Generator, depth: int, width: int, design: str, points: int) -> Floats:
    """The power of one network's gradient at each number of waves, all components together."""
    basis, _ = np.linalg.qr(rng.standard_normal((width, 2)))
    angle = 2.0 * np.pi * np.arange(points) / points
    x = np.cos(angle)[:, None] * basis[:, 0] + np.sin(angle)[:, None] * basis[:, 1]
    stack = RandomStack(_DESIGNS[design], depth, x[None], rng)
    top = np.broadcast_to(output_weights(rng, 1, width)[:, None, :], stack.top.shape)
    _, g, _ = stack.back(top)
    return _two_sided((np.abs(np.fft.rfft(g[0], axis=0)) ** 2).sum(axis=1), points)


def _law(design: str, depth: int, points: int) -> Floats | None:
    law = {"plain": plain_law, "residual": residual_law}.get(design)
    if law is None:
        return None
    cosines = np.cos(2.0 * np.pi * np.arange(points) / points)
    correlation = np.array([law(cosine, depth) for cosine in cosines.tolist()])
    power = _two_sided(np.fft.rfft(correlation).real, points)
    return np.asarray(power / power.sum())


def _two_sided(power: Floats, points: int) -> Floats:
    """Waves that go either way, together: all but none, and the shortest of an even number."""
    power = power.copy()
    power[1 : (points + 1) // 2] *= 2.0
    return power


__all__ = ["ShatteringSpectrum", "shattering_spectrum"]
