"""`walk`: from a start to a local minimum of a `LayerLoss`, vertex by vertex."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from numpy.typing import ArrayLike

from .._limits import Limits
from .._logs import logged
from .._validate import choice, function, instance, integer, positive, share
from ..ended import Ended
from ..problem.loss import LayerLoss
from ..tolerances import TOLERANCES, Tolerances
from .held_out import HeldOut, Watch
from .progress import Progress
from .records import WalkOptions
from .trajectory import Trajectory
from .walker import PLATEAUS, PROOFS, RULES, STEPS, Walker


@logged("walk")
def walk(
    loss: LayerLoss,
    start: ArrayLike | None = None,
    step: str = "adjacent",
    rule: str = "steepest",
    max_pivots: int | None = None,
    seed: int = 0,
    *,
    time_limit: float | None = None,
    callback: Callable[[Progress], Any] | None = None,
    resume: Trajectory | None = None,
    proof: str = "on",
    proof_budget: float = 5.0,
    plateau: str = "stop",
    stop_at_level_gap: float | None = None,
    stop_when: HeldOut | Callable[[Progress], bool] | None = None,
    tolerances: Tolerances = TOLERANCES,
) -> Trajectory:
    """Walk from vertex to vertex down to a local minimum of `loss`.

    Phase 1 follows the projected negative gradient from breakpoint to breakpoint to a first
    vertex; phase 2 pivots along descending half-edges until none is left (Hinz and van de Geer,
    arXiv 2011.14895; Barrodale and Roberts 1973 where no hidden layer is above the trained one).

    Parameters
    ----------
    loss : LayerLoss
        What to descend on.
    start : array_like (h, q) or (D,), optional
        Default: ``loss.random_start(seed)``, uniform on (-1, 1) for data of ordinary size; for any
        other, such as years and prices, neurons that bend among the data and do no worse than the
        best linear function (see :meth:`LayerLoss.random_start`).  ``loss.theta`` starts from the
        network as it stands.
    step : {"adjacent", "long"}, default "adjacent"
        ``adjacent``: consecutive vertices are joined by one edge of the arrangement.  ``long``:
        cross breakpoints while the loss falls along the line; far fewer pivots.
    rule : {"steepest", "dantzig", "greatest", "sequential", "random"}, default "steepest"
        Which descending half-edge to take: least slope per unit length; least slope per unit of
        the breakpoint left (raw); largest decrease of the loss on that step; within the region
        while it descends there, then the first that leaves it; any, drawn with `seed`.
    max_pivots : int, optional
        Limit on the pivots, counted from the start also when resuming.
    seed : int, default 0
        For the start, the rule "random" and the treatment of degenerate vertices.  The same seed
        gives the same walk.
    time_limit : float, optional
        Seconds; looked at between chunks of pivots and within proofs.
    callback : callable, optional
        Called between chunks with a :class:`Progress`; StopIteration or KeyboardInterrupt raised
        in it ends the walk as Ctrl-C does.
    resume : Trajectory, optional
        A walk on the same loss to continue from where it stopped, with its own step, rule, seed
        and tolerances.  The result is the uninterrupted walk's, bit for bit.
    proof : {"on", "off"}, default "on"
        ``off``: stop where floats see no half-edge that descends, and prove nothing (bulk runs).
    proof_budget : float, default 5.0
        About how many seconds of computing the proof of optimality at one vertex may take in
        rational arithmetic.  They are converted to work, a count of operations, so that the result
        does not depend on how busy the machine is; when it is done, the status is NOT_PROVED.
    plateau : {"stop", "cross"}, default "stop"
        At a weak minimum: report it, or follow its flat half-edges (in rational arithmetic, for up
        to `proof_budget` seconds) to a vertex from which the loss descends, if there is one.
    stop_at_level_gap : float, optional
        Stop once the estimated remaining decrease (see :meth:`Trajectory.level`) is below this
        share of the loss, with the status LEVEL_GAP, which claims no proof; looked at between
        chunks of pivots.  The estimate can be wrong, and a resumed walk goes on.
    stop_when : HeldOut or callable, optional
        Early stopping, with the status STOPPED, which claims no proof.  :class:`HeldOut` data: the
        walk stops where the loss on them was lowest `patience` vertices ago, whatever the chunks;
        ``held_out`` of the result has these losses and the best network, while ``theta`` stays
        that of the lowest loss walked on.  A callable is told a :class:`Progress` between chunks
        of pivots and says whether to stop.  A resumed walk goes on without, unless it is given
        again: then for `patience` more vertices at least.
    tolerances : Tolerances, optional
        When numbers count as equal.

    Returns
    -------
    Trajectory
        Also after Ctrl-C or at a limit, with all vertices found so far; ``ended`` says which.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit, or a walk on so many parameters not in memory; the message
        names it.

    Notes
    -----
    A pivot costs O(n D) for the ratio test and O(D^2) for the edges, two passes over a (D, D)
    matrix.  Once in D / 4 pivots the matrix is recomputed in O(D^3); only there an interrupted walk
    can be taken up, and resuming repeats the pivots since.  At D = 5,000 that matrix is 200 MB, and
    computing it takes up to four times as much for a moment; the trajectory grows by 16 D bytes
    per pivot (vertex and active set).  `python -m benchmarks scaling` measures all this.

    A time limit and Ctrl-C wait for what is done at once: at most some tenths of a second, but for
    refactorising the basis of thousands of parameters, and solving for an exact vertex (half a
    second at 300 parameters, 2 s at 500).  The latter is not begun if a time limit does not allow
    it.

    Every proof is one in rational arithmetic, at the exact vertex, for up to some 500 parameters;
    of the end of a larger walk nothing is claimed (raise `proof_budget` for more).

    Examples
    --------
    The median of 1, 2, 10 as a walk:

    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork([[[0.0]]], [[0.0]])
    >>> loss = rw.LayerLoss(net, [[0.0], [0.0], [0.0]], [1.0, 2.0, 10.0])
    >>> traj = rw.walk(loss, start=[[0.0, 0.0]])
    >>> traj.status.name, traj.loss, float(traj.theta[0, 1])
    ('GLOBAL_MINIMUM', 9.0, 2.0)

    A walk that was cut short goes on to the same end:

    >>> data = rw.datasets.load_motorcycle()
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 8, 1], seed=0), data.X, data.y)
    >>> short = rw.walk(loss, max_pivots=20)
    >>> long = rw.walk(loss, max_pivots=60, resume=short)
    >>> short.status.name, long.loss == rw.walk(loss, max_pivots=60).loss
    ('PIVOT_LIMIT', True)
    """
    instance("loss", loss, LayerLoss)
    if max_pivots is not None:
        max_pivots = integer("max_pivots", max_pivots, 0)
    if time_limit is not None:
        positive("time_limit", time_limit)
    if stop_at_level_gap is not None:
        share("stop_at_level_gap", stop_at_level_gap)
    function("callback", callback)
    options = checked_options(step, rule, seed, proof, proof_budget, plateau, tolerances)
    watch, told = None, None
    if isinstance(stop_when, HeldOut):
        watch = Watch(stop_when, loss)
    else:
        function("stop_when", stop_when)
        told = stop_when
    limits = Limits(max_pivots, time_limit, callback)
    if resume is not None:
        instance("resume", resume, Trajectory)
        if start is not None:
            raise ValueError("start: expected None together with resume")
        if resume.problem.fingerprint != loss.fingerprint:
            raise ValueError(
                "resume: this trajectory belongs to another loss (data, network, kind)"
            )
        if not resume.ended.early or (max_pivots is not None and max_pivots <= resume.n_pivots):
            return resume
        if watch is not None:
            watch.go_on(resume.vertices)
        walker = Walker(loss, resume.options, stop_when=told, watch=watch)
        walker.restore(resume)
        result = _cut(walker.walk(limits, stop_at_level_gap), watch, limits)
        if result.n_pivots < resume.n_pivots:
            return resume  # nothing is lost
        return result if watch is not None else replace(result, held_out=resume.held_out)
    point = loss.random_start(options.seed) if start is None else loss.parameters(start, "start")
    walker = Walker(loss, options, stop_when=told, watch=watch)
    walker.begin(point)
    return _cut(walker.walk(limits, stop_at_level_gap), watch, limits)


def checked_options(
    step: Any,
    rule: Any,
    seed: Any,
    proof: Any,
    proof_budget: Any,
    plateau: Any,
    tolerances: Tolerances = TOLERANCES,
) -> WalkOptions:
    """The options of a walk; ValueError or TypeError if one does not fit."""
    _check_tolerances(tolerances)
    return WalkOptions(
        choice("step", step, STEPS),
        choice("rule", rule, RULES),
        integer("seed", seed, 0, 2**63 - 1),
        choice("proof", proof, PROOFS),
        positive("proof_budget", proof_budget),
        choice("plateau", plateau, PLATEAUS),
        tolerances,
    )


def _cut(walked: Trajectory, watch: Watch | None, limits: Limits) -> Trajectory:
    """The walk up to the vertex at which held-out data stopped it, as if it were all."""
    if watch is None or not walked.ended.early:
        return walked
    if watch.stop is None and not watch.see(walked.n_pivots, walked.vertices[-1:].reshape(1, -1)):
        return walked
    if watch.stop == walked.n_pivots:
        return replace(walked, ended=Ended.STOPPED)
    walker = Walker(walked.problem, walked.options)
    walker.restore(walked)
    short = walker.walk(Limits(watch.stop, limits.remaining))
    ended = Ended.STOPPED if short.n_pivots == watch.stop else short.ended
    return replace(short, ended=ended, held_out=watch.record(short.vertices))


def _check_tolerances(tolerances: Tolerances) -> None:
    if not isinstance(tolerances, Tolerances):
        raise TypeError(f"tolerances: expected Tolerances, found {type(tolerances).__name__}")
    for name, value in tolerances._asdict().items():
        share(f"tolerances.{name}", value)


__all__ = ["checked_options", "walk"]
