"""An index of shatteredness: how much of a layer's slope its hidden glass replaces, along depth.

Along a direction v of the first layer's parameters gradient and curvature of an L1 loss vanish with
depth, and so do the slopes d_v f_i of the outputs.  Glass of hidden neurons, the jumps of these
slopes, hardly does.  So the index, the density of hidden glass over the sum of the squares of the
slopes, grows: it is one over the length on which the slopes are replaced by others.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._conversions import frame
from .._limits import Limits
from .._logs import logged
from .._shown import repr_html
from .._validate import integer, positive
from ..ended import Ended, ended_of
from ..landscape.exact_glass import ExactGlass
from ..landscape.exactly import exact
from ..landscape.lines import GlassWarning
from ..problem.loss import LayerLoss
from ..problem.network import ReLUNetwork
from ._depths import depths_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Shatteredness:
    """Gradient, curvature and glass along depth; what :func:`shatteredness` returns.

    All are means of logarithms over the networks in which there is something to take the logarithm
    of, masked where there are none.

    Attributes
    ----------
    depths : ndarray (k,)
        Hidden layers.
    log_gradient : masked array (k,)
        Of the size of the gradient in the first layer's parameters.
    log_curvature : masked array (k,)
        Of the mean slope of the gradient along v that residuals make.
    log_hidden : masked array (k,)
        Of the density of the glass that hidden neurons make, along v.
    log_slopes : masked array (k,)
        Of the sum over samples of the squares of ``d_v f_i``.
    log_index : masked array (k,)
        Of hidden glass over squared slopes, per unit length.
    networks : ndarray (k,)
        How many the index is a mean of: those that are alive and cross hidden breakpoints.
    ended : Ended
        FINISHED, or TIME_LIMIT or INTERRUPTED with fewer depths than were asked for.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> found = rw.taylor.shatteredness([2, 8], networks=6)
    >>> bool(found.log_gradient[1] < found.log_gradient[0])  # gradients vanish
    True
    >>> bool(found.log_index[1] > found.log_index[0])  # and shatter
    True
    """

    depths: NDArray[np.int64]
    log_gradient: np.ma.MaskedArray
    log_curvature: np.ma.MaskedArray
    log_hidden: np.ma.MaskedArray
    log_slopes: np.ma.MaskedArray
    log_index: np.ma.MaskedArray
    networks: NDArray[np.int64]
    ended: Ended = Ended.FINISHED

    _repr_html_ = repr_html

    def to_frame(self) -> Any:
        """A table of pandas, a row for each depth; NaN for what is masked.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> rw.taylor.shatteredness([2, 4], 4, 20, 3).to_frame().columns.tolist()[:3]
        ['depth', 'log_gradient', 'log_curvature']
        """
        parts = ("gradient", "curvature", "hidden", "slopes", "index")
        logs = {f"log_{name}": getattr(self, f"log_{name}") for name in parts}
        return frame({"depth": self.depths, **logs, "networks": self.networks})

    def plot(self, ax: Axes | None = None, title: str | None = None) -> Axes:
        """The means against depth, each from 0 on, on the axes `ax` or new ones.

        With a `title`; see :func:`reluplex_walk.plotting.plot_shatteredness` (extra ``plot``).

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> from matplotlib.figure import Figure
        >>> found = rw.taylor.shatteredness([2, 4], samples=40, networks=4)
        >>> found.plot(Figure().subplots()).get_xlabel()
        'hidden layers'
        """
        from ..plotting import plot_shatteredness

        return plot_shatteredness(self, ax, title)


@logged("taylor.shatteredness")
def shatteredness(
    depths: Sequence[int] = (2, 4, 8, 16),
    width: int = 8,
    samples: int = 100,
    networks: int = 20,
    length: float = 1.0,
    directions: int = 8,
    seed: int = 0,
    *,
    time_limit: float | None = None,
    callback: Callable[[int], Any] | None = None,
) -> Shatteredness:
    """Gradient, curvature, exact hidden glass and their index, of random networks along depth.

    Parameters
    ----------
    depths : sequence of int, default (2, 4, 8, 16)
        Hidden layers, in ascending order.
    width : int, default 8
        Units of each layer and of the inputs; weights by He, biases 0.
    samples : int, default 100
        Normal inputs and targets of an L1 loss.
    networks : int, default 20
        Of each depth.
    length : float, default 1.0
        Of the segments on which glass is counted, from the network's first layer on.
    directions : int, default 8
        Segments of each network.
    seed : int, default 0
    time_limit : float, optional
        Seconds.
    callback : callable, optional
        Called before each network with the number of those done, of all depths; StopIteration or
        KeyboardInterrupt raised in it ends the study as Ctrl-C does.

    Returns
    -------
    Shatteredness
        At the time limit or after Ctrl-C of the depths done until then, one at least.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit.

    Notes
    -----
    The index depends on width, samples and length: compare depths at equal settings.  Glass is that
    of :func:`reluplex_walk.glass.exact`.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> found = rw.taylor.shatteredness([2, 4], samples=40, networks=4)
    >>> found.log_index.shape, found.networks.tolist()
    ((2,), [4, 4])
    """
    wanted, width = depths_of(depths), integer("width", width, 1)
    samples, networks = integer("samples", samples, 1), integer("networks", networks, 1)
    length, directions = positive("length", length), integer("directions", directions, 1)
    seed = integer("seed", seed, 0)
    rows: list[list[Floats]] = []
    ended = None
    with Limits.asked(time_limit, callback) as limits:
        for depth in wanted.tolist():
            row: list[Floats] = []
            for number in range(networks):
                ended = limits.look(0, len(rows) * networks + number)
                if ended is not None and rows:
                    break
                seeds = seed, depth, number
                row.append(_measured(seeds, width, samples, length, directions))
            if len(row) < networks:
                break
            rows.append(row)
    values = np.array(rows)  # (k, networks, 4)
    known = values > 0.0
    logs = np.ma.MaskedArray(np.log(np.where(known, values, 1.0)), ~known)
    index = logs[:, :, 2] - logs[:, :, 3]
    gradient, curvature, hidden, squares = np.ma.MaskedArray(logs.mean(axis=1)).T
    return Shatteredness(
        wanted[: len(rows)],
        gradient,
        curvature,
        hidden,
        squares,
        np.ma.MaskedArray(index.mean(axis=1)),
        np.ma.count(index, axis=1),
        ended_of(len(rows) == len(wanted), ended),
    )


def _measured(
    seeds: tuple[int, int, int], width: int, samples: int, length: float, directions: int
) -> Floats:
    """Gradient, curvature, hidden glass and squared slopes of a network, 0 if there is none."""
    rng = np.random.default_rng(seeds)
    depth = seeds[1]
    network = ReLUNetwork.random([width] * (depth + 1) + [1], rng, "he")
    loss = LayerLoss(network, rng.standard_normal((samples, width)), rng.standard_normal(samples))
    if not network.features(loss.X, depth).any():  # dead: no unit of the last layer is active
        return np.zeros(4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", GlassWarning)  # few crossings: sums are all we ask for
        found = exact(loss, loss.theta, length, directions, int(rng.integers(2**31)))
    hidden = [(each.of_kind("hidden").along ** 2).sum() for each in found.segments]
    curvature = [each.of_kind("residual").along.sum() for each in found.segments]
    squares = (slopes(loss, found) ** 2).sum(axis=0)
    return np.array(
        [
            np.linalg.norm(loss.gradient(loss.theta)),
            np.mean(curvature) / length,
            np.mean(hidden) / length,
            squares.mean(),
        ]
    )


def slopes(loss: LayerLoss, found: ExactGlass) -> Floats:
    """d_v f_i at the start of each segment, (n, k): a pass forwards of signal and direction."""
    network, moves = loss.network, found.directions.reshape(-1, *loss.shape)
    X = np.column_stack([loss.X, np.ones(len(loss.X))])
    z = X @ found.theta.T
    along = np.einsum("kij,nj->nki", moves, X)
    for w, b in zip(network.weights[1:], network.biases[1:], strict=True):
        active = z > 0.0
        x, along = active * z, active[:, None, :] * along
        z, along = x @ w.T + b, along @ w.T
    return np.asarray(along[:, :, 0])


__all__ = ["Shatteredness", "shatteredness"]
