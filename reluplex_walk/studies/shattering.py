"""Shattered gradients: how soon the gradients of two inputs have nothing to do with each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._conversions import frame
from .._limits import Limits
from .._logs import logged
from .._memory import require_memory
from .._shown import repr_html
from .._validate import choice, integer, real
from ..ended import Ended, ended_of
from ._depths import depths_of
from .arc_cosine import plain_law, residual_law
from .growing import output_weights
from .random_stack import RandomStack
from .unheld import gradients, pair_of_inputs

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]

DESIGNS = ("plain", "residual", "layernorm", "batchnorm")

_HELD = ("layernorm", "batchnorm")  # designs whose weights are kept
_NUMBERS = 4_000_000  # in the arrays of a block of networks
_BATCH = 16  # inputs that batchnorm sees: the two and others


@dataclass(frozen=True, eq=False)
class Shattering:
    """Correlations of gradients against depth; what :func:`shattering` returns.

    Attributes
    ----------
    depths : ndarray (k,)
        ReLU layers.
    width : int
    design : str
    cosine : float
        Of the two inputs.
    correlations : list of k ndarrays
        The cosine of the two gradients in each network that is alive at both inputs.
    law : ndarray (k,) or None
        The mean for large widths; None where none is known.
    ended : Ended
        FINISHED, or TIME_LIMIT or INTERRUPTED with fewer depths than were asked for.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> found = rw.taylor.shattering([1, 4, 16])
    >>> found.law.round(3), found.mean.shape
    (array([0.667, 0.267, 0.035]), (3,))
    >>> bool((abs(found.mean - found.law) < 4 * found.error + 0.05).all())
    True
    """

    depths: NDArray[np.int64]
    width: int
    design: str
    cosine: float
    correlations: list[Floats]
    law: Floats | None
    ended: Ended = Ended.FINISHED

    _repr_html_ = repr_html

    @property
    def mean(self) -> Floats:
        """The mean over networks at each depth, (k,)."""
        return np.array([each.mean() for each in self.correlations])

    @property
    def error(self) -> np.ma.MaskedArray:
        """The standard error of `mean`, (k,), masked where it is that of one network."""
        known = [len(each) > 1 for each in self.correlations]
        errors = [
            each.std(ddof=1) / len(each) ** 0.5 if more else 0.0
            for each, more in zip(self.correlations, known, strict=True)
        ]
        return np.ma.MaskedArray(errors, np.logical_not(known))

    def to_frame(self) -> Any:
        """A table of pandas, a row for each depth; NaN where there is no law or error.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> list(rw.taylor.shattering([1, 2], 16, networks=20).to_frame().columns)
        ['depth', 'networks', 'mean', 'error', 'law']
        """
        alive = [len(values) for values in self.correlations]
        law = np.full(len(alive), np.nan) if self.law is None else self.law
        parts = {"depth": self.depths, "networks": alive, "mean": self.mean}
        return frame({**parts, "error": self.error, "law": law})

    def plot(self, ax: Axes | None = None, title: str | None = None) -> Axes:
        """Correlation against depth with the law beside it, on the axes `ax` or new ones.

        With a `title`; see :func:`reluplex_walk.plotting.plot_shattering` (extra ``plot``).

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> from matplotlib.figure import Figure
        >>> rw.taylor.shattering([1, 2], 16, networks=20).plot(Figure().subplots()).get_xlabel()
        'ReLU layers'
        """
        from ..plotting import plot_shattering

        return plot_shattering([self], ax, title)


@logged("taylor.shattering")
def shattering(
    depths: Sequence[int] = (1, 2, 4, 8, 16),
    width: int = 128,
    design: str = "plain",
    cosine: float = 0.5,
    networks: int = 200,
    seed: int = 0,
    *,
    time_limit: float | None = None,
    callback: Callable[[int], Any] | None = None,
) -> Shattering:
    """The correlation of gradients, with respect to the input, of two inputs, against depth.

    Parameters
    ----------
    depths : sequence of int, default (1, 2, 4, 8, 16)
        ReLU layers, in ascending order.
    width : int, default 128
        Units of each layer and of the inputs.
    design : {"plain", "residual", "layernorm", "batchnorm"}, default "plain"
        Layers ``relu(W x)``, ``x + W relu(x) / sqrt(L)`` or ``relu(N(W x))``, with weights
        normal of variance 2 / d.  The residual layers of :func:`reluplex_walk.chains.cures` are
        others, ``x + relu(W x)``, and its scaled ones ``x + relu(W x) / sqrt(L)``.
    cosine : float, default 0.5
        Of the two inputs, in (-1, 1).
    networks : int, default 200
        Of each depth; one network of width 128 scatters by 0.1.
    seed : int, default 0
    time_limit : float, optional
        Seconds.
    callback : callable, optional
        Called before each depth with the number of those done; StopIteration or KeyboardInterrupt
        raised in it ends the study as Ctrl-C does.

    Returns
    -------
    Shattering
        At the time limit or after Ctrl-C of the depths done until then, one at least, but of that
        one not all networks if it was being worked on.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit, or no network is alive at both inputs.

    Notes
    -----
    The law is that of wide networks: with the arc-cosine kernels kappa_0 and kappa_1 of the cosine,
    ``prod kappa_0(c_l)`` with ``c_{l+1} = kappa_1(c_l)`` for plain networks,
    ``prod (1 + kappa_0(c_l) / L) / (1 + 1 / L)`` for residual ones, whatever the scale of the
    weights.  Deep networks are above it, at cosine 0.5 by some 0.24 depth / width.  With batchnorm
    a batch is the two inputs and 14 others, and the gradients are those of each input's own output.

    References
    ----------
    Balduzzi et al., The shattered gradients problem, arXiv 1702.08591; Balduzzi et al., Neural
    Taylor approximations, arXiv 1611.02345.  Cho and Saul, Kernel methods for deep learning, 2009.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> plain, residual = (rw.taylor.shattering([16], design=d) for d in ("plain", "residual"))
    >>> bool(plain.mean[0] < 0.1), bool(0.7 < residual.mean[0] < 0.8)
    (True, True)
    """
    wanted, width = depths_of(depths), integer("width", width, 2)
    choice("design", design, DESIGNS)
    cosine = real("cosine", cosine)
    if not -1.0 < cosine < 1.0:
        raise ValueError(f"cosine: expected a number in (-1, 1), found {cosine:g}")
    networks, seed = integer("networks", networks, 1), integer("seed", seed, 0)
    size = 8.0 * _per_network(int(wanted[-1]), width, design)
    require_memory(
        f"width: a network of depth {wanted[-1]}", size, "give less of width or of depths"
    )
    found: list[Floats] = []
    ended, whole = None, True
    with Limits.asked(time_limit, callback) as limits:
        for depth in wanted.tolist():
            ended = limits.look(0, len(found))
            if ended is not None and found:
                break
            values, whole = _correlations(depth, width, design, cosine, networks, seed, limits)
            if not whole:
                ended = limits.over
                if found:
                    break
            if not len(values):
                raise ValueError(f"width: expected networks alive at both inputs, found {width}")
            found.append(values)
    done = wanted[: len(found)]
    finished = whole and len(done) == len(wanted)
    stopped = ended_of(finished, ended)
    return Shattering(done, width, design, cosine, found, _law(design, cosine, done), stopped)


def _law(design: str, cosine: float, depths: NDArray[np.int64]) -> Floats | None:
    law = {"plain": plain_law, "residual": residual_law}.get(design)
    return None if law is None else np.array([law(cosine, depth) for depth in depths.tolist()])


def _correlations(
    depth: int,
    width: int,
    design: str,
    cosine: float,
    networks: int,
    seed: int,
    limits: Limits,
) -> tuple[Floats, bool]:
    """The cosine of the two gradients in each network that is alive, and whether all were made."""
    rng = np.random.default_rng([seed, depth, DESIGNS.index(design)])
    held = design in _HELD
    block = max(1, min(networks, _NUMBERS // _per_network(depth, width, design)))
    found: list[Floats] = []
    for first in range(0, networks, block):
        if found and limits.over:
            return np.concatenate(found), False
        x = pair_of_inputs(rng, min(block, networks - first), width, cosine)
        if held:
            g = _normalised(rng, x, depth, design)
        else:
            g = gradients(rng, x, depth, design == "residual")
        sizes = np.linalg.norm(g, axis=2)
        alive = (sizes > 0.0).all(axis=1)
        found.append((g[alive, 0] * g[alive, 1]).sum(axis=1) / sizes[alive].prod(axis=1))
    return np.concatenate(found), True


def _per_network(depth: int, width: int, design: str) -> int:
    """Numbers that a network takes: weights, or what is known of those that are not held."""
    return depth * width * (width if design in _HELD else 8)


def _normalised(rng: np.random.Generator, x: Floats, depth: int, design: str) -> Floats:
    """The gradients (n, 2, d) of the outputs of the first two inputs, each at its own input."""
    networks, _, width = x.shape
    if design == "batchnorm":
        others = rng.standard_normal((networks, _BATCH - 2, width))
        x = np.concatenate([x, others / np.linalg.norm(others, axis=2, keepdims=True)], axis=1)
    stack = RandomStack(design, depth, x, rng)
    v, found = output_weights(rng, networks, width), []
    for row in range(2):
        top = np.zeros_like(stack.top)
        top[:, row] = v
        found.append(stack.back(top)[1][:, row])
    return np.stack(found, axis=1)


__all__ = ["DESIGNS", "Shattering", "shattering"]
