"""Signals and gradients of random networks, layer by layer, for comparison with the law."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from .._limits import Limits
from .._logs import logged
from .._memory import require_memory
from .._shown import repr_html
from .._validate import choice, integer
from ..ended import Ended, ended_of
from .chain_law import LAWS
from .growing import Growing, output_weights, random_weights

_NUMBERS = 2_000_000  # of a block of networks


@dataclass(frozen=True, eq=False)
class ChainSample:
    """What :func:`sample` returns; n networks, L layers.

    Attributes
    ----------
    width : int
    log_norm : masked array (n, L)
        ``log |x_l|^2`` after each layer, masked where the network is dead from there on.
    log_gradient : masked array (n, L)
        The logarithm of the size of the gradient in the first layer's weights, of the network that
        ends after each layer with output weights of its own; masked in the same places.
    ended : Ended
        FINISHED, or TIME_LIMIT or INTERRUPTED with fewer networks than were asked for.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> found, law = rw.chains.sample(8, 6, 4000), rw.chains.law(8, 6)
    >>> alive = found.log_norm[:, -1].compressed()
    >>> error = alive.std() / len(alive) ** 0.5
    >>> bool(abs(alive.mean() - law.mean_log) < 4 * error)
    True
    >>> found.p_dead.shape, round(found.gradient_slope, 1)
    ((6,), -0.2)
    """

    width: int
    log_norm: np.ma.MaskedArray
    log_gradient: np.ma.MaskedArray
    ended: Ended = Ended.FINISHED

    _repr_html_ = repr_html

    @property
    def p_dead(self) -> np.ndarray:
        """The share of networks that are dead after each layer, (L,)."""
        return np.asarray(np.ma.getmaskarray(self.log_norm).mean(axis=0))

    @property
    def gradient_slope(self) -> float:
        """What a layer adds to `log_gradient` on average: least squares over the layers.

        Over the networks that are alive after the last layer, the same ones at each depth.
        ValueError if there are fewer than two layers, or all are dead.
        """
        alive = ~np.ma.getmaskarray(self.log_gradient)[:, -1]
        layers = np.arange(1, self.log_gradient.shape[1] + 1)
        if len(layers) < 2 or not alive.any():
            raise ValueError(
                f"gradient_slope: expected two layers and a network that is alive, found "
                f"{len(layers)} layers and {int(alive.sum())} alive"
            )
        means = np.asarray(self.log_gradient.data[alive].mean(axis=0))
        return float(np.polyfit(layers, means, 1)[0])


@logged("chains.sample")
def sample(
    width: int,
    depth: int,
    networks: int = 1000,
    init: str = "he",
    seed: int = 0,
    *,
    time_limit: float | None = None,
    callback: Callable[[int], Any] | None = None,
) -> ChainSample:
    """Random ReLU networks of one input and no biases: signal and gradient after each layer.

    Parameters
    ----------
    width : int
        Units of each layer and of the input, which has length 1.
    depth : int
        Layers.
    networks : int, default 1000
    init : {"he", "xavier", "orthogonal", "uniform"}, default "he"
        As for :func:`law`; uniform for every width.
    seed : int, default 0
    time_limit : float, optional
        Seconds.
    callback : callable, optional
        Called before each block of networks with the number of those made; StopIteration or
        KeyboardInterrupt raised in it ends the work as Ctrl-C does.

    Returns
    -------
    ChainSample

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit.

    Examples
    --------
    Networks of two units die quickly:

    >>> import reluplex_walk as rw
    >>> found = rw.chains.sample(2, 8, 2000)
    >>> bool(abs(found.p_dead[-1] - rw.chains.law(2, 8).p_dead) < 0.02)
    True
    """
    width, depth = integer("width", width, 1), integer("depth", depth, 1)
    networks = integer("networks", networks, 1)
    choice("init", init, LAWS)
    size = 32.0 * width**2  # weights, the form before and after them, and what is between
    require_memory("width: a layer of one network", size, "give a smaller width")
    rng = np.random.default_rng(integer("seed", seed, 0))
    block = max(1, min(networks, _NUMBERS // width**2))
    norms: list[np.ma.MaskedArray] = []
    gradients: list[np.ma.MaskedArray] = []
    made, ended = 0, None
    with Limits.asked(time_limit, callback) as limits:
        while made < networks:
            ended = limits.look(0, made)
            if ended is not None and made:
                break
            count = min(block, networks - made)
            norm, gradient = _grown(rng, count, width, depth, init)
            norms.append(norm)
            gradients.append(gradient)
            made += count
    stopped = ended_of(made == networks, ended)
    return ChainSample(width, np.ma.concatenate(norms), np.ma.concatenate(gradients), stopped)


def _grown(
    rng: np.random.Generator, count: int, width: int, depth: int, init: str
) -> tuple[np.ma.MaskedArray, np.ma.MaskedArray]:
    """Logarithms of |x_l|^2 and of |g_1| after each layer, (count, depth)."""
    growing = Growing.begun(rng, count, width, with_hessian=False)
    norms, gradients = np.ma.masked_all((2, depth, count))
    for layer in range(depth):
        growing.add(random_weights(rng, count, width, init))
        norms[layer] = 2.0 * growing.log_norm()
        gradients[layer] = growing.log_gradient(output_weights(rng, count, width))
    return norms.T, gradients.T


__all__ = ["ChainSample", "sample"]
