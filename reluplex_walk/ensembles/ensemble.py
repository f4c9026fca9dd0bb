"""`ensemble`: many walks on one loss, in this process, on all cores, or on a cluster."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from .._executors import Workers, kind_of
from .._limits import Limits
from .._logs import logged
from .._numbers import short
from .._validate import choice, flag, function, instance, integer, sequence, share
from ..problem.loss import LayerLoss
from ..simplex.walk import checked_options
from .measures import MEASURES
from .progress import EnsembleProgress
from .result import Ensemble
from .rows import Job, Measure, walks as make_walks
from .run import Run, Stop
from .store import Memory, opened

KEEPS = ("ends", "trajectories")
PROOFS = ("distinct", "all", "off")

_LARGEST = 2**63 - 1


@logged("ensemble")
def ensemble(
    loss: LayerLoss,
    walks: int = 1000,
    seeds: ArrayLike | None = None,
    executor: Any = None,
    out: str | Path | None = None,
    keep: str = "ends",
    stop: Stop | None = None,
    resume: bool = True,
    proof: str = "distinct",
    callback: Callable[[EnsembleProgress], Any] | None = None,
    *,
    time_limit: float | None = None,
    measures: str | Measure | Iterable[str | Measure] = (),
    step: str = "adjacent",
    rule: str = "steepest",
    max_pivots: int | None = None,
    proof_budget: float = 5.0,
    plateau: str = "stop",
) -> Ensemble:
    """Many walks on `loss`, each from a start of its own, and what they say together.

    The walk of a seed is ``walk(loss, seed=seed, ...)``: the result depends neither on the executor
    nor on the number of workers, bit for bit but for the seconds (on processors of one kind).

    Parameters
    ----------
    loss : LayerLoss
        It is sent to each worker once.
    walks : int, default 1000
        Their number; the seeds are 0, ..., walks - 1.
    seeds : array_like (W,) of int, optional
        Other seeds, each of them once; `walks` is not looked at.
    executor : int, concurrent.futures.Executor or dask.distributed.Client, optional
        An int: so many processes (loky).  Default: this process.  Processes that die are replaced,
        unless the executor given cannot do that.
    out : path, optional
        Folder to which rows are streamed as Parquet files (extra ``ensemble``); memory then does
        not grow with the number of walks but for less than 1 kB each.  Default: all in memory.
    keep : {"ends", "trajectories"}, default "ends"
        Whether the trajectories are kept beside the rows, as files that ``Trajectory.load`` reads.
        They are those of the walks as they were made: with ``proof="distinct"`` most have no proof
        of their own.
    stop : float or callable, optional
        A share in (0, 1): stop when the probability that a further walk ends somewhere new is
        estimated (Good-Turing) to be no larger.  A callable is told an :class:`EnsembleProgress`
        and says whether to stop.  Looked at after every 100 walks in the order of the seeds.
    resume : bool, default True
        Go on with the walks in `out`, if there are any, of the same loss and options.  No walk is
        lost or made twice, whatever stopped the earlier run; more walks may be asked for.
    proof : {"distinct", "all", "off"}, default "distinct"
        ``distinct``: walks are made without proofs, then the first one to each active set is made
        again with them; what is proved of a vertex holds for all walks that end there.  Where
        nothing is proved, the walk goes on further down, or the end is a face, all of them are made
        again.  ``all``: every walk is proved on its own; dearer where many ends are the same,
        cheaper where all differ.  ``off``: nothing is proved.
    callback : callable, optional
        Called with an :class:`EnsembleProgress` from time to time; StopIteration or
        KeyboardInterrupt raised in it ends the ensemble as Ctrl-C does.
    time_limit : float, optional
        Seconds.  Walks that are not at their end by then are left out; ``resume`` makes them.
    measures : str, callable or several of them, optional
        Figures of each walk, as columns of its row, computed where the walk is made: "density",
        "decay", "level" (see ``rw.measures``), or functions of a
        :class:`Trajectory` that return a dict of numbers.  With ``proof="distinct"`` they are told
        the walk without proofs, unless it goes on further down.
    step, rule : str, optional
    max_pivots : int, optional
    proof_budget : float, default 5.0
    plateau : str, default "stop"
        Options of the walks, as :func:`walk` takes them.

    Returns
    -------
    Ensemble
        Also at a limit or after Ctrl-C, with all walks made so far; ``ended`` says which.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit, or `out` holds an ensemble of another loss or other options.
    FileExistsError
        If `out` holds other files, or an ensemble and `resume` is False.
    ImportError
        If what the executor or `out` needs is not installed.
    RuntimeError
        If workers die that cannot be replaced, or another process writes to `out`; all walks made
        until then are in `out`.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data = rw.datasets.load_motorcycle()
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 3, 1], seed=0), data.X, data.y)
    >>> found = rw.ensemble(loss, walks=20, step="long")
    >>> len(found), found.ended.name, len(found.minima()) < 20
    (20, 'FINISHED', True)
    >>> found.loss == min(rw.walk(loss, seed=seed, step="long").loss for seed in range(20))
    True

    Stopped, and taken up again where it was:

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     some = rw.ensemble(loss, 10, out=folder, step="long", proof="off")
    ...     more = rw.ensemble(loss, 20, out=folder, step="long", proof="off")
    ...     len(some), len(more), more.loss == found.loss
    (10, 20, True)
    """
    instance("loss", loss, LayerLoss)
    chosen = _seeds(walks, seeds)
    kind_of(executor)
    keep, proof = choice("keep", keep, KEEPS), choice("proof", proof, PROOFS)
    resume, stop = flag("resume", resume), _stop(stop)
    if max_pivots is not None:
        max_pivots = integer("max_pivots", max_pivots, 0)
    checked = checked_options(step, rule, 0, "off", proof_budget, plateau)
    options = {
        "step": checked.step,
        "rule": checked.rule,
        "max_pivots": max_pivots,
        "proof_budget": checked.proof_budget,
        "plateau": checked.plateau,
    }
    named = _measures(measures)
    asked = {
        "options": options,
        "proof": proof,
        "keep": keep,
        "measures": [name for name, _ in named],
    }
    job = Job(loss, options, named, keep == "trajectories")
    limits = Limits.asked(time_limit, callback)
    with ExitStack() as stack:
        store = Memory() if out is None else stack.enter_context(opened(out, loss, asked, resume))
        stack.enter_context(limits)
        workers = stack.enter_context(Workers(executor, make_walks, job))
        stack.callback(store.flush)  # whatever happens
        seeds_made, ended = Run(chosen, loss.n_free, proof, stop, store, workers).go(limits)
        store.end(ended, len(seeds_made))
    return Ensemble(
        problem=loss,
        wanted=tuple(seeds_made),
        options=options,
        proof=proof,
        ended=ended,
        elapsed=limits.elapsed,
        out=None if out is None else Path(out).resolve(),
        _store=store,
    )


def _seeds(walks: int, seeds: ArrayLike | None) -> list[int]:
    if seeds is None:
        return list(range(integer("walks", walks, 1)))
    chosen = [
        integer(f"seeds[{k}]", s, 0, _LARGEST) for k, s in enumerate(sequence("seeds", seeds))
    ]
    if not chosen:
        raise ValueError("seeds: expected at least one, found none")
    if len(set(chosen)) < len(chosen):
        raise ValueError("seeds: expected each seed once, found some twice; np.unique gives each")
    return chosen


def _stop(stop: Any) -> Stop | None:
    if stop is None or callable(stop):
        return stop
    try:
        return share("stop", stop)
    except TypeError:
        raise TypeError(
            f"stop: expected a number in (0, 1) or a callable, found {short(stop)}"
        ) from None


def _measures(measures: Any) -> tuple[tuple[str, Measure], ...]:
    """The measures by name."""
    several: Sequence[Any] = (
        [measures]
        if isinstance(measures, str) or callable(measures)
        else sequence("measures", measures)
    )
    named: list[tuple[str, Measure]] = []
    for k, measure in enumerate(several):
        if isinstance(measure, str):
            name = choice(f"measures[{k}]", measure, MEASURES)
            named.append((name, MEASURES[name]))
        else:
            function(f"measures[{k}]", measure)
            named.append((_name(measure), measure))
    return tuple(named)


def _name(measure: Any) -> str:
    """What a measure is called in messages, and by which a folder knows it again."""
    if isinstance(measure, partial):
        given = [*map(repr, measure.args), *(f"{k}={v!r}" for k, v in measure.keywords.items())]
        return f"{_name(measure.func)}({', '.join(given)})"
    return str(getattr(measure, "__name__", type(measure).__name__))


__all__ = ["KEEPS", "PROOFS", "ensemble"]
