"""`enumerate_regions`: all affine regions, in a box or in all of parameter space."""

from collections.abc import Callable, Generator
from contextlib import closing, nullcontext
from functools import partial
from math import comb, log10
from threading import Event
from typing import Any, NamedTuple

import numpy as np

from .._executors import Workers, kind_of
from .._limits import Limits
from .._logs import logged
from .._memory import require_memory
from .._threads import polled
from .._validate import instance, integer
from ..ended import Ended
from ..native import region_arrays as native
from ..native.region_arrays import Stack
from ..native.subdivide import probe
from ..problem.loss import LayerLoss
from ..problem.penalty import refuse
from .assembly import assemble
from .essential import Coordinates, coordinates
from .regions import Regions
from .search import new_search
from .signs import ExactSigns
from .subdivision import Chunk, Root, place_root, resume, take
from .threads import divide, explore, halt
from .workers import explore_on, explore_some, spread

_LARGEST_DIM = 12  # a box has 2^D corners, a region about as many vertices on average
_HOPELESS = 30_000_000  # regions: some GB and an hour or more
_PROBES = 64


class RegionsProgress(NamedTuple):
    """What the callback of :func:`enumerate_regions` is told from time to time.

    Attributes
    ----------
    n_regions : int
        Regions found so far.
    estimate : float
        Of the number of all regions, from random paths down the search tree (Knuth 1975).
    elapsed : float
        Seconds.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork.random([1, 1])
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
    >>> told = []
    >>> regions = rw.enumerate_regions(loss, callback=told.append)
    >>> told[-1].n_regions == told[-1].n_cells == len(regions), told[-1].estimate
    (True, 7.0)
    """

    n_regions: int
    estimate: float
    elapsed: float

    @property
    def n_cells(self) -> int:
        """The older name of `n_regions`."""
        return self.n_regions


@logged("enumerate_regions")
def enumerate_regions(
    loss: LayerLoss,
    box: Any = None,
    max_regions: int | None = None,
    time_limit: float | None = None,
    callback: Callable[[RegionsProgress], Any] | None = None,
    threads: int = 1,
    executor: Any = None,
) -> Regions:
    """All affine regions of `loss`, in a box or in all of parameter space.

    Depth-first subdivision into exact polyhedra (double description method: Motzkin et al. 1953,
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
    callback : callable, optional
        Called with a :class:`RegionsProgress` from time to time; StopIteration or
        KeyboardInterrupt raised in it ends the search as Ctrl-C does.
    threads : int, default 1
        Threads, each on a core of its own.  They do not change the result, nor its order; only
        a time limit or Ctrl-C comes when it comes.
    executor : int, concurrent.futures.Executor or dask.distributed.Client, optional
        In place of threads: so many processes (extra ``ensemble``), or the workers of an executor,
        on one machine or several.  They do not change the result either.  Processes need seconds
        to start, and send what they find: on one machine threads are usually quicker.

    Returns
    -------
    Regions
        Also at a limit or after Ctrl-C, with the regions found so far and ``complete=False``.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit, or there are too many regions (or dimensions) for a complete
        enumeration and no limit is given.
    ImportError
        If `executor` needs a package that is not installed; the message says which.
    RuntimeError
        If a process of a given executor dies.

    Examples
    --------
    Ten points on a line, a weight and a bias: ten lines in the plane.

    >>> import numpy as np, reluplex_walk as rw
    >>> x = np.linspace(-1.0, 1.0, 10)
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 1]), x[:, None], np.sin(7 * x))
    >>> regions = rw.enumerate_regions(loss)
    >>> len(regions), int(regions.bounded.sum()), regions.complete
    (56, 36, True)
    >>> rw.enumerate_regions(loss, box=1.0, max_regions=10).complete  # cut short
    False
    """
    instance("loss", loss, LayerLoss)
    refuse(loss.penalty, "regions")
    if max_regions is not None:
        max_regions = integer("max_regions", max_regions, 1)
    require_few(loss)
    if integer("threads", threads, 1) > 1 and executor is not None:
        raise ValueError(f"threads: expected 1 where executor is given, found {threads}")
    kind_of(executor)  # raises if it is none
    # One region more than is kept tells whether there are more.
    most = None if max_regions is None else max_regions + 1
    with Limits.asked(time_limit, callback, most) as limits:
        space = coordinates(loss, box)
        with (
            nullcontext()
            if executor is None
            else Workers(executor, explore_some, (loss, space)) as workers
        ):
            estimate, roots = _prepared(loss, space, limits, workers)
            if estimate > _HOPELESS and max_regions is None and time_limit is None:
                raise ValueError(
                    f"loss: about {estimate:.0e} regions expected, too many to enumerate; "
                    "give max_regions or time_limit for a part of them, or a smaller box"
                )
            if time_limit is None:
                _require_room(loss, estimate if most is None else min(estimate, most))
            stop = Event()
            if workers is None:
                search = partial(new_search, loss, space)
                arriving = explore(loss.kernel, search, roots, threads, stop, limits)
            else:
                arriving = explore_on(workers, roots, stop, limits)
            found, ended = _find(loss, space, arriving, len(roots), estimate, stop, limits)
    keep = found.total if max_regions is None else min(found.total, max_regions)
    if found.all_done and keep == found.total:
        ended = Ended.FINISHED
    return assemble(loss, space, found.take(), keep, ended, limits.elapsed)


def _require_room(loss: LayerLoss, count: float) -> None:
    """ValueError if so many regions do not fit in memory: signs, six arrays (D,), some 2 D facets.

    Twice, while they are put together.
    """
    require_memory(
        f"loss: about {count:.3g} regions",
        2.0 * count * (loss.index.size / 8 + 72.0 * loss.dim),
        "give a smaller max_regions, or a smaller box",
    )


class _Found:
    """What was found of each subtree, as it arrives."""

    def __init__(self, n_roots: int) -> None:
        self.chunks: list[list[Chunk]] = [[] for _ in range(n_roots)]
        self.sizes, self.done = np.zeros(n_roots, int), np.zeros(n_roots, bool)

    def keep(self, number: int, chunk: Chunk | None) -> None:
        if chunk is None:
            self.done[number] = True
        else:
            self.chunks[number].append(chunk)
            self.sizes[number] += len(chunk.point)

    @property
    def total(self) -> int:
        """Regions found."""
        return int(self.sizes.sum())

    @property
    def first(self) -> int:
        """Regions up to the first unfinished subtree: the first ones, whichever thread is ahead."""
        return int(self.sizes[np.logical_and.accumulate(np.append(True, self.done[:-1]))].sum())

    @property
    def all_done(self) -> bool:
        return bool(self.done.all())

    def take(self) -> list[Chunk]:
        """All chunks, in order; the list is the only one that holds them."""
        ordered = [chunk for part in self.chunks for chunk in part]
        self.chunks = []
        return ordered


def _prepared(
    loss: LayerLoss, space: Coordinates, limits: Limits, workers: Workers | None
) -> tuple[float, list[Root]]:
    """An estimate of the number of regions, and the subtrees to search."""
    stack, settle = new_search(loss, space)

    def work() -> tuple[float, list[Root]]:
        estimate = _estimate(loss, space, stack, settle)
        roots = divide(loss.kernel, stack, settle, space.roots)
        if workers is not None:
            roots = spread(loss.kernel, stack, settle, roots, workers.size)
        return estimate, roots

    found = polled(work, limits, lambda: halt([stack.number]))
    assert found is not None  # it is waited for
    return found


def _find(
    loss: LayerLoss,
    space: Coordinates,
    arriving: Generator[tuple[int, Chunk | None], None, None],
    n_roots: int,
    estimate: float,
    stop: Event,
    limits: Limits,
) -> tuple[_Found, Ended]:
    """The regions, and why no more of them were looked for."""
    found, ended = _Found(n_roots), None
    found.keep(0, take(new_search(loss, space)[0]))  # without any, the arrays have their shapes
    with closing(arriving):
        for number, chunk in arriving:
            found.keep(number, chunk)
            if ended is not None:  # the last chunk of each thread
                continue
            now = RegionsProgress(found.total, max(estimate, found.total), limits.elapsed)
            ended = limits.look(found.first, None if chunk is None else now)
            if ended is not None:
                stop.set()
    return found, ended or limits.over or Ended.FINISHED


def require_few(loss: LayerLoss) -> None:
    """ValueError if regions of so many parameters have too many vertices."""
    if loss.dim > _LARGEST_DIM:
        raise ValueError(
            f"loss: expected at most {_LARGEST_DIM} parameters, found {loss.dim}: about "
            f"10^{_trained_layer(loss):.0f} regions in all of parameter space by the trained "
            f"layer alone, of about 2^{loss.dim} vertices each"
        )


def expected_regions(loss: LayerLoss, box: Any, limits: Limits) -> float:
    """Estimate of the number of regions that :func:`enumerate_regions` would find.

    Infinite where `limits` are over before it is made.
    """
    if loss.dim > _LARGEST_DIM:
        return np.inf
    space = coordinates(loss, box)
    stack, settle = new_search(loss, space)
    found = polled(
        lambda: _estimate(loss, space, stack, settle), limits, lambda: halt([stack.number])
    )
    return np.inf if found is None else found


def _trained_layer(loss: LayerLoss) -> float:
    """log10 of the number of regions by the trained layer's breakpoints in general position.

    Hyperplanes through 0 for each neuron (Cover 1965), or, without a hidden layer, residuals.
    """
    (h, q), n = loss.shape, len(loss.inputs)
    if loss.n_hidden:
        return h * log10(2 * sum(comb(n - 1, i) for i in range(q)))
    return h * log10(sum(comb(n, i) for i in range(q + 1)))


def _estimate(loss: LayerLoss, space: Coordinates, stack: Stack, settle: ExactSigns) -> float:
    """Number of regions, estimated from random paths down the search tree (Knuth 1975)."""
    roots = space.roots
    rng = np.random.default_rng(0)
    total = 0.0
    for k in rng.integers(len(roots), size=_PROBES):
        stack = place_root(stack, loss.kernel, roots[k])
        status, stack = resume(lambda current: int(probe(loss.kernel, current)), stack, settle)
        if status == native.STOPPED:
            return np.inf
        total += 2.0 ** int(stack.number[native.N_SPLITS])
    return len(roots) * total / _PROBES


__all__ = ["RegionsProgress", "enumerate_regions", "expected_regions", "require_few"]
