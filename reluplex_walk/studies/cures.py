"""What residual connections and normalisation do about gradients that vanish with depth."""

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
from .._validate import choice, integer, sequence
from ..ended import Ended, ended_of
from ._depths import depths_of
from ._scale import LOG2
from .growing import log_alive, output_weights
from .random_stack import RandomStack, unit_inputs

DESIGNS = ("plain", "residual", "scaled", "layernorm", "batchnorm")

_NUMBERS = 30_000_000  # in the layers of a block of networks


@dataclass(frozen=True, eq=False)
class Cures:
    """Gradients of the first layer against depth, by design; what :func:`cures` returns.

    Attributes
    ----------
    designs : tuple of k str
    depths : ndarray (D,)
    log_gradient : masked array (k, D)
        The mean of the logarithm of the size of the gradient in the first layer's weights, over
        networks that are alive; masked where none is.
    dead : ndarray (k, D)
        The share of networks that are dead.
    ended : Ended
        FINISHED, or TIME_LIMIT or INTERRUPTED with fewer designs than were asked for.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> found = rw.chains.cures(designs=["plain", "residual"], networks=100)
    >>> slopes = found.slopes
    >>> bool(slopes["plain"] < 0.0 < slopes["residual"])  # vanishes, explodes
    True
    >>> found.log_gradient.shape, found.dead.shape
    ((2, 4), (2, 4))
    """

    designs: tuple[str, ...]
    depths: NDArray[np.int64]
    log_gradient: np.ma.MaskedArray
    dead: NDArray[np.float64]
    ended: Ended = Ended.FINISHED

    _repr_html_ = repr_html

    def to_frame(self) -> Any:
        """A table of pandas, a row for each design and depth; NaN for what is masked.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> table = rw.chains.cures((2, 4), designs=["plain", "residual"], networks=20).to_frame()
        >>> table.design.tolist(), table.depth.tolist()
        (['plain', 'plain', 'residual', 'residual'], [2, 4, 2, 4])
        """
        return frame(
            {
                "design": np.repeat(self.designs, len(self.depths)),
                "depth": np.tile(self.depths, len(self.designs)),
                "log_gradient": self.log_gradient.ravel(),
                "dead": self.dead.ravel(),
            }
        )

    @property
    def slopes(self) -> dict[str, float]:
        """What a layer adds to `log_gradient` in each design: least squares over the depths.

        ValueError if there are fewer than two depths at which a network is alive.
        """
        found = {}
        for design, row in zip(self.designs, self.log_gradient, strict=True):
            known = ~np.ma.getmaskarray(row)
            if known.sum() < 2:
                raise ValueError(
                    f"slopes: expected networks that are alive at two depths, found {known.sum()}"
                )
            found[design] = float(np.polyfit(self.depths[known], row.data[known], 1)[0])
        return found


@logged("chains.cures")
def cures(
    depths: Sequence[int] = (2, 4, 8, 16),
    width: int = 8,
    designs: Sequence[str] = DESIGNS,
    networks: int = 400,
    batch: int = 32,
    seed: int = 0,
    *,
    time_limit: float | None = None,
    callback: Callable[[int], Any] | None = None,
) -> Cures:
    """The gradient of the first layer against depth, with and without what should keep it.

    Parameters
    ----------
    depths : sequence of int, default (2, 4, 8, 16)
        L, in ascending order.
    width : int, default 8
        d; weights are normal of variance 2 / d.
    designs : sequence of str, default all five
        plain ``relu(W x)``, residual ``x + relu(W x)``, scaled ``x + relu(W x) / sqrt(L)``,
        layernorm and batchnorm ``relu(N(W x))``.  The residual layers of
        :func:`reluplex_walk.taylor.shattering` are others, ``x + W relu(x) / sqrt(L)``.
    networks : int, default 400
        Of each design and depth.
    batch : int, default 32
        Inputs of length 1; batchnorm needs two at least.
    seed : int, default 0
    time_limit : float, optional
        Seconds.
    callback : callable, optional
        Called before each design with the number of those done; StopIteration or KeyboardInterrupt
        raised in it ends the study as Ctrl-C does.

    Returns
    -------
    Cures

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit.

    Notes
    -----
    The gradient is that of an L1 loss whose residuals have random signs: of the sum of the outputs
    with signs.  Slopes depend on width, batch and loss; sign and order are what to look at.

    References
    ----------
    Orvieto et al., arXiv 2106.03763.  That normalising batches makes gradients explode: Yang et
    al., arXiv 1902.08129.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> slopes = rw.chains.cures(networks=100).slopes
    >>> sorted(slopes, key=slopes.get)
    ['plain', 'layernorm', 'scaled', 'batchnorm', 'residual']
    """
    wanted, width = depths_of(depths), integer("width", width, 1)
    names = [
        choice(f"designs[{k}]", v, DESIGNS) for k, v in enumerate(sequence("designs", designs))
    ]
    if not names:
        raise ValueError("designs: expected one at least, found none")
    networks = integer("networks", networks, 1)
    batch = integer("batch", batch, 2 if "batchnorm" in names else 1)
    seed = integer("seed", seed, 0)
    size = 8.0 * _per_network(int(wanted[-1]), width, batch)
    require_memory(
        f"depths[{len(wanted) - 1}]: the layers of a network of this width and batch",
        size,
        "give less of one of them",
    )
    rows: list[np.ma.MaskedArray] = []
    dead: list[list[float]] = []
    ended = None
    with Limits.asked(time_limit, callback) as limits:
        for name in names:
            ended = limits.look(0, len(rows))
            if ended is not None and rows:
                break
            row, shares = np.ma.masked_all(len(wanted)), []
            for at, depth in enumerate(wanted.tolist()):
                logs = _gradients(name, depth, width, networks, batch, seed)
                row[at] = logs.mean() if logs.count() else np.ma.masked
                shares.append(1.0 - logs.count() / networks)
            rows.append(row)
            dead.append(shares)
    stopped = ended_of(len(rows) == len(names), ended)
    return Cures(tuple(names[: len(rows)]), wanted, np.ma.stack(rows), np.array(dead), stopped)


def _gradients(
    design: str, depth: int, width: int, networks: int, batch: int, seed: int
) -> np.ma.MaskedArray:
    """The logarithm of the size of each network's gradient, masked where it is 0."""
    rng = np.random.default_rng([seed, DESIGNS.index(design), depth])
    block = max(1, _NUMBERS // _per_network(depth, width, batch))
    found = []
    for first in range(0, networks, block):
        count = min(block, networks - first)
        stack = RandomStack(design, depth, unit_inputs(rng, count, batch, width), rng)
        v = output_weights(rng, count, width)
        signs = rng.choice([-1.0, 1.0], (count, batch))
        at_first, _, exponents = stack.back(signs[:, :, None] * v[:, None, :])
        squares = (at_first**2).sum(axis=(1, 2))
        found.append(log_alive(squares, squares > 0.0) + LOG2 * exponents)
    return np.ma.concatenate(found)


def _per_network(depth: int, width: int, batch: int) -> int:
    """Numbers that the layers of a network hold."""
    return depth * width * (width + 3 * batch)


__all__ = ["Cures", "cures"]
