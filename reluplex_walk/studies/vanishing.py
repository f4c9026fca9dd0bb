"""How gradient and curvature of random networks vanish with depth, and how width prevents it."""

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
from .._validate import choice, integer
from ..ended import Ended, ended_of
from ._depths import depths_of
from .chain_law import LAWS
from .growing import Growing, output_weights, random_weights

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]

WIDTHS = (4, 8, 12, 16, 24, 32, 48, 64)
DEPTHS = (2, 4, 8, 12, 16, 24, 32, 64)

_NUMBERS = 4_000_000  # in the forms of a block of networks


@dataclass(frozen=True, eq=False)
class Vanishing:
    """A map of gradient and curvature over widths and depths; what :func:`vanishing` returns.

    Attributes
    ----------
    widths : ndarray (W,)
    depths : ndarray (D,)
    log_gradient : masked array (W, D)
        The median of the logarithm of the size of the gradient in the first layer's weights, over
        networks that are alive; masked where none is.
    log_hessian : masked array (W, D)
        The same of the Frobenius norm of the Hessian in all weights.
    dead : ndarray (W, D)
        The share of networks that are dead.
    networks : int
        Of each width; fewer than asked for if the first width was cut short.
    init : str
    ended : Ended
        FINISHED, or TIME_LIMIT or INTERRUPTED with fewer widths than were asked for.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> found = rw.chains.vanishing([4, 16], [2, 8, 32], networks=100)
    >>> found.log_gradient.shape, found.dead.shape
    ((2, 3), (2, 3))
    >>> bool((found.log_gradient[:, -1] < found.log_gradient[:, 0]).all())  # they vanish
    True
    >>> bool(found.log_hessian[1, 1] > found.log_hessian[1, 0])  # curvature later than gradients
    True
    >>> round(found.c, 2)
    1.25
    """

    widths: NDArray[np.int64]
    depths: NDArray[np.int64]
    log_gradient: np.ma.MaskedArray
    log_hessian: np.ma.MaskedArray
    dead: Floats
    networks: int
    init: str
    ended: Ended = Ended.FINISHED

    _repr_html_ = repr_html

    def to_frame(self) -> Any:
        """A table of pandas, a row for each width and depth; NaN for what is masked.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> rw.chains.vanishing([4, 8], [2, 4, 8], networks=20).to_frame().shape
        (6, 5)
        """
        width, depth = np.meshgrid(self.widths, self.depths, indexing="ij")
        parts = {"width": width, "depth": depth, "log_gradient": self.log_gradient}
        parts |= {"log_hessian": self.log_hessian, "dead": self.dead}
        return frame({name: values.ravel() for name, values in parts.items()})

    @property
    def c(self) -> float | None:
        """Along ``width = c depth`` gradients shrink to 1/e, by the law of large widths.

        5/4 for he and 3/4 for orthogonal, as mu(d) is -5 / (2 d) and -3 / (2 d); None for the
        others, whose gradients vanish at every width.
        """
        return {"he": 1.25, "orthogonal": 0.75}.get(self.init)

    def plot(
        self, ax: Axes | None = None, what: str = "gradient", title: str | None = None
    ) -> Axes:
        """The map of `what`, "gradient" or "hessian", on the axes `ax` or new ones, with a `title`.

        See :func:`reluplex_walk.plotting.plot_vanishing` (extra ``plot``).

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> from matplotlib.figure import Figure
        >>> found = rw.chains.vanishing([4, 8], [2, 4], networks=20)
        >>> found.plot(Figure().subplots()).get_ylabel()
        'width'
        """
        from ..plotting import plot_vanishing

        return plot_vanishing(self, ax, what, title)


@logged("chains.vanishing")
def vanishing(
    widths: Sequence[int] = WIDTHS,
    depths: Sequence[int] = DEPTHS,
    networks: int = 200,
    init: str = "he",
    seed: int = 0,
    *,
    time_limit: float | None = None,
    callback: Callable[[int], Any] | None = None,
) -> Vanishing:
    """Median gradient of the first layer and norm of the Hessian, for widths and depths.

    Parameters
    ----------
    widths : sequence of int, default (4, 8, 12, 16, 24, 32, 48, 64)
        In ascending order.
    depths : sequence of int, default (2, 4, 8, 12, 16, 24, 32, 64)
        Hidden layers, in ascending order.
    networks : int, default 200
        Of each width; those of several depths share their lower layers.
    init : {"he", "xavier", "orthogonal", "uniform"}, default "he"
        As for :func:`sample`.
    seed : int, default 0
    time_limit : float, optional
        Seconds.
    callback : callable, optional
        Called before each width with the number of those done; StopIteration or KeyboardInterrupt
        raised in it ends the study as Ctrl-C does.

    Returns
    -------
    Vanishing
        At the time limit or after Ctrl-C of the widths done until then, one at least, but of that
        one not all networks if it was being worked on.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit.

    Notes
    -----
    Networks ``v . relu(W_L ... relu(W_1 x))`` of one input of length 1, without biases.  Gradient
    and Hessian are those of the output, and so, but for a sign, of an L1 loss of one sample.  The
    norm of the Hessian is exact, a sum of squares over all pairs of layers.

    References
    ----------
    Orvieto et al., Vanishing curvature in randomly initialized deep ReLU networks,
    arXiv 2106.03763.

    Examples
    --------
    Along L = 0.8 d the gradient is nearly constant, along a fixed width it is not:

    >>> import numpy as np, reluplex_walk as rw
    >>> found = rw.chains.vanishing([10, 20, 40], [8, 16, 32], networks=400)
    >>> bool(np.ptp(np.diag(found.log_gradient)) < 0.5)
    True
    >>> bool(np.ptp(found.log_gradient[0]) > 2.0)
    True
    """
    rows, columns = depths_of(widths, "widths"), depths_of(depths)
    networks = integer("networks", networks, 1)
    choice("init", init, LAWS)
    seed = integer("seed", seed, 0)
    size = 120.0 * float(rows[-1]) ** 2  # three forms, five times: products and what is between
    require_memory(f"widths[{len(rows) - 1}]: one network", size, "give smaller widths")
    done: list[Any] = []
    asked, ended = networks, None
    with Limits.asked(time_limit, callback) as limits:
        for width in rows.tolist():
            ended = limits.look(0, len(done))
            if ended is not None and done:
                break
            gradient, hessian = _of_width(width, columns, networks, init, seed, limits)
            if gradient.shape[1] < networks:
                ended = limits.over
                if done:
                    break
                networks = gradient.shape[1]
            medians = np.ma.median(gradient, axis=1), np.ma.median(hessian, axis=1)
            done.append((*medians, np.ma.getmaskarray(gradient).mean(axis=1)))
    whole = len(done) == len(rows) and networks == asked
    gradients, hessians, dead = zip(*done, strict=True)
    return Vanishing(
        rows[: len(done)],
        columns,
        np.ma.stack(gradients),
        np.ma.stack(hessians),
        np.array(dead),
        networks,
        init,
        ended_of(whole, ended),
    )


def _of_width(
    width: int, depths: NDArray[np.int64], networks: int, init: str, seed: int, limits: Limits
) -> tuple[np.ma.MaskedArray, np.ma.MaskedArray]:
    """Logarithms of gradient and Hessian, each (depths, networks): of fewer if time is over."""
    rng = np.random.default_rng([seed, width])
    block = max(1, min(networks, _NUMBERS // (3 * width**2)))
    blocks: list[np.ma.MaskedArray] = []
    for first in range(0, networks, block):
        if blocks and limits.over:
            break
        blocks.append(_of_block(rng, min(block, networks - first), width, depths, init))
    gradient, hessian = np.ma.concatenate(blocks, axis=2)
    return gradient, hessian


def _of_block(
    rng: np.random.Generator, count: int, width: int, depths: NDArray[np.int64], init: str
) -> np.ma.MaskedArray:
    """The logarithms of a block of networks, (2, depths, count), masked where they are dead."""
    growing = Growing.begun(rng, count, width, with_hessian=True)
    found = np.ma.masked_all((2, len(depths), count))
    for layer in range(1, int(depths[-1]) + 1):
        growing.add(random_weights(rng, count, width, init))
        for at in np.flatnonzero(depths == layer):
            v = output_weights(rng, count, width)
            found[0, at], found[1, at] = growing.log_gradient(v), growing.log_hessian(v)
    return found


__all__ = ["DEPTHS", "WIDTHS", "Vanishing", "vanishing"]
