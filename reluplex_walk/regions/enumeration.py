"""`enumerate_regions`: all affine regions, in a box or in all of parameter space."""

import time
from collections.abc import Callable
from contextlib import closing
from math import comb, log10
from typing import Any, NamedTuple

import numpy as np

from .._interrupt import interrupts
from .._validate import integer, real
from ..exact.rationals import Rationals
from ..native import cell_arrays as native
from ..native.cell_arrays import Cells
from ..native.cells import probe
from ..problem.loss import LayerLoss
from . import subdivision
from .assembly import assemble
from .essential import Coordinates, coordinates
from .regions import Regions
from .signs import ExactSigns
from .subdivision import Chunk
from .threads import divide, explore

_LARGEST_DIM = 12  # a box has 2^D corners, a cell about as many vertices on average
_HOPELESS = 30_000_000  # regions: some GB and an hour or more
_PROBES = 64


class RegionsProgress(NamedTuple):
    """What the callback of :func:`enumerate_regions` is told from time to time."""

    n_cells: int
    estimate: float  # of all cells, from random probes
    elapsed: float


def enumerate_regions(
    loss: LayerLoss,
    box: Any = None,
    max_regions: int | None = None,
    time_limit: float | None = None,
    progress: Callable[[RegionsProgress], Any] | None = None,
    threads: int = 1,
) -> Regions:
    """All affine regions of `loss`, in a box or in all of parameter space.

    Depth-first subdivision into exact polyhedra (double description method, Motzkin et al. 1953,
    Fukuda and Prodon 1996).  Degenerate arrangements are not perturbed: breakpoints vanish at a
    vertex if their value there is below 1e-13 of the sum of its terms, and where it is below 1e-9,
    rational arithmetic decides.

    Parameters
    ----------
    loss : LayerLoss
    box : float or pair, optional
        A number b > 0 for ``|theta| < b``, or (lower, upper), each a number or an array (h, q) or
        (D,).  Default: all of parameter space.
    max_regions : int, optional
        Stop after so many regions.
    time_limit : float, optional
        Seconds.
    progress : callable, optional
        Called with a :class:`RegionsProgress` from time to time; StopIteration or
        KeyboardInterrupt raised in it ends the search as Ctrl-C does.
    threads : int, default 1
        Threads, each on a core of its own.  They do not change the result, nor its order; only
        a time limit or Ctrl-C comes when it comes.

    Returns
    -------
    Regions
        Also at a limit or after Ctrl-C, with the regions found so far and ``complete=False``.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit, or there are too many regions (or dimensions) for a complete
        enumeration and no limit is given.

    Examples
    --------
    Ten points on a line, a weight and a bias: ten lines in the plane.

    >>> import numpy as np, reluplex_walk as rw
    >>> x = np.linspace(-1.0, 1.0, 10)
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 1]), x[:, None], np.sin(7 * x))
    >>> regions = rw.enumerate_regions(loss)
    >>> regions.n_cells, int(regions.bounded.sum()), regions.complete
    (56, 36, True)
    """
    if not isinstance(loss, LayerLoss):
        raise TypeError(f"loss: expected a LayerLoss, found {type(loss).__name__}")
    if max_regions is not None:
        max_regions = integer("max_regions", max_regions, 1)
    if time_limit is not None and real("time_limit", time_limit) <= 0:
        raise ValueError(f"time_limit: expected a number > 0, found {time_limit}")
    if progress is not None and not callable(progress):
        raise TypeError(f"progress: expected a callable, found {type(progress).__name__}")
    if loss.dim > _LARGEST_DIM:
        raise ValueError(
            f"loss: expected at most {_LARGEST_DIM} parameters, found {loss.dim}: about "
            f"10^{_trained_layer(loss):.0f} regions in all of parameter space by the trained "
            f"layer alone, of about 2^{loss.dim} vertices each"
        )
    integer("threads", threads, 1)
    began = time.perf_counter()
    space = coordinates(loss, box)
    estimate = _estimate(loss, space)
    if estimate > _HOPELESS and max_regions is None and time_limit is None:
        raise ValueError(
            f"loss: about {estimate:.0e} regions expected, too many to enumerate; "
            "give max_regions or time_limit for a part of them, or a smaller box"
        )
    roots = divide(loss.problem, *_search(loss, space), space.roots)
    chunks: list[list[Chunk]] = [[] for _ in roots]
    sizes, done = np.zeros(len(roots), int), np.zeros(len(roots), bool)
    message = "interrupted"
    with (
        interrupts() as stop,
        closing(
            explore(loss.problem, lambda: _search(loss, space), roots, threads, stop)
        ) as arriving,
    ):
        for number, chunk in arriving:
            if chunk is None:
                done[number] = True
            else:
                chunks[number].append(chunk)
                sizes[number] += len(chunk.point)
            if stop.is_set():  # the last chunk of each thread
                continue
            elapsed = time.perf_counter() - began
            if progress is not None and chunk is not None:
                found = int(sizes.sum())
                try:
                    progress(RegionsProgress(found, max(estimate, found), elapsed))
                except (KeyboardInterrupt, StopIteration):
                    stop.set()
            # The first regions, whichever thread is ahead: roots up to the first unfinished one.
            reached = np.logical_and.accumulate(np.append(True, done[:-1]))
            if max_regions is not None and sizes[reached].sum() > max_regions:
                message = "stopped at max_regions"
                stop.set()
            elif time_limit is not None and elapsed > time_limit:
                message = "stopped at time_limit"
                stop.set()
    total = int(sizes.sum())
    keep = total if max_regions is None else min(total, max_regions)
    complete = bool(done.all()) and keep == total
    ordered = [chunk for part in chunks for chunk in part]
    del chunks  # `ordered` is to be the only one that holds them
    return assemble(
        loss,
        space,
        ordered,
        keep,
        complete=complete,
        message="all regions found" if complete else message,
        elapsed=time.perf_counter() - began,
    )


def _search(loss: LayerLoss, space: Coordinates) -> tuple[Cells, ExactSigns]:
    """An empty stack for the kernel in these coordinates, and exact signs to go with it."""
    h, r = loss.shape[0], space.features.shape[1]
    linear = np.zeros((h, len(space.features), h * r + 1))
    for j in range(h):
        linear[j, :, j * r : (j + 1) * r] = space.features

    def trained(i: int) -> Rationals:
        num = np.zeros((h * r + 1, h), object)
        for j in range(h):
            num[j * r : (j + 1) * r, j] = space.exact.num[i]
        return Rationals(num, space.exact.den)

    cells = subdivision.new_cells(loss.problem, linear, np.abs(linear), 0)
    return cells, ExactSigns(loss, trained, space.window)


def expected_regions(loss: LayerLoss, box: Any = None) -> float:
    """Estimate of the number of regions that :func:`enumerate_regions` would find."""
    return np.inf if loss.dim > _LARGEST_DIM else _estimate(loss, coordinates(loss, box))


def _trained_layer(loss: LayerLoss) -> float:
    """log10 of the number of regions by the trained layer's breakpoints in general position.

    Hyperplanes through 0 for each neuron (Cover 1965), or, without a hidden layer, residuals.
    """
    (h, q), n = loss.shape, len(loss.inputs)
    if loss.n_hidden:
        return h * log10(2 * sum(comb(n - 1, i) for i in range(q)))
    return h * log10(sum(comb(n, i) for i in range(q + 1)))


def _estimate(loss: LayerLoss, space: Coordinates) -> float:
    """Number of regions, estimated from random paths down the search tree (Knuth 1975)."""
    cells, settle = _search(loss, space)
    roots = space.roots
    rng = np.random.default_rng(0)
    total = 0.0
    for k in rng.integers(len(roots), size=_PROBES):
        cells = subdivision.place_root(cells, loss.problem, roots[k])
        _, cells = subdivision.resume(
            lambda current: int(probe(loss.problem, current)), cells, settle
        )
        total += 2.0 ** int(cells.number[native.N_SPLITS])
    return len(roots) * total / _PROBES


__all__ = ["RegionsProgress", "enumerate_regions", "expected_regions"]
