"""Density of breakpoints around a point, and of vertices along a walk.

The first layer is homogeneous: around a parameter twice as long its breakpoints lie twice as far
apart, and a count per unit length is halved.  So every figure comes with its *norm-matched
control*, the same figure for random parameters whose rows are as long.

The claim these figures test: P. Hinz, arXiv 2105.02831, finds the density of vertices to rise
strongly near local minima.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._limits import Limits
from .._logs import logged
from .._shown import repr_html
from .._validate import instance, integer, positive, real_array
from ..ended import Ended, ended_of
from ..problem.loss import Floats, LayerLoss
from ..regions.line import crossings
from ..simplex.progress import Progress
from ..simplex.trajectory import Trajectory
from ..simplex.walk import walk

Ints = NDArray[np.int64]


class BreakpointDensity(NamedTuple):
    """What :func:`breakpoint_density` returns; S segments around the point, S around controls.

    Attributes
    ----------
    radius : float
    lengths, crossed : ndarray (S,)
        Length of each segment, and how many breakpoints it crosses.
    crossed_active : ndarray (S,)
        How many of these vanish at the point itself.  At a vertex D breakpoints do by definition,
        so that small segments around it cross some of them wherever it lies.
    control_lengths, control_crossed : ndarray (S,)
        The same for segments around norm-matched controls, each around a new one.
    ended : Ended
        FINISHED, or TIME_LIMIT or INTERRUPTED with fewer segments than were asked for.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data = rw.datasets.load_motorcycle()
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 8, 1], seed=0), data.X, data.y)
    >>> vertex = rw.walk(loss, max_pivots=60).theta
    >>> found = rw.density.breakpoint_density(loss, vertex, radius=0.1, segments=20)
    >>> found.lengths.shape, bool(found.lengths.max() <= 2 * found.radius)
    ((20,), True)
    >>> 0 < found.inactive < found.value, found.control > 0  # breakpoints per unit length
    (True, True)
    """

    radius: float
    lengths: Floats
    crossed: Ints
    crossed_active: Ints
    control_lengths: Floats
    control_crossed: Ints
    ended: Ended = Ended.FINISHED

    def _repr_html_(self) -> str:
        return repr_html(self)

    @property
    def value(self) -> float:
        """Crossings per unit length."""
        return float(self.crossed.sum() / self.lengths.sum())

    @property
    def inactive(self) -> float:
        """Crossings per unit length of breakpoints that do not vanish at the point."""
        return float((self.crossed - self.crossed_active).sum() / self.lengths.sum())

    @property
    def control(self) -> float:
        """Crossings per unit length around the controls."""
        return float(self.control_crossed.sum() / self.control_lengths.sum())


class VertexDensity(NamedTuple):
    """What :func:`vertex_density` returns; C control walks.

    Attributes
    ----------
    radii : ndarray (R,)
    at_end, at_first : ndarray (R,)
        Vertices visited within each radius of the end, and of the first vertex.
    control : ndarray (C, R)
        Vertices each control walk visits within each radius of its first vertex.
    lengths : ndarray (S,)
        Length of each edge from the first vertex to the end.
    control_lengths : list of C ndarrays
        Length of each edge of the control walks.
    ended : Ended
        FINISHED, or TIME_LIMIT or INTERRUPTED: fewer controls than were asked for, or the last one
        before its end.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data = rw.datasets.load_motorcycle()
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 8, 1], seed=0), data.X, data.y)
    >>> traj = rw.walk(loss, max_pivots=60)
    >>> found = rw.density.vertex_density(traj, [0.01, 0.1, 1.0], controls=2)
    >>> found.at_end.shape, found.control.shape, len(found.control_lengths)
    ((3,), (2, 3), 2)
    """

    radii: Floats
    at_end: Ints
    at_first: Ints
    control: Ints
    lengths: Floats
    control_lengths: list[Floats]
    ended: Ended = Ended.FINISHED

    def _repr_html_(self) -> str:
        return repr_html(self)


def norm_matched(theta: ArrayLike, seed: int | np.random.Generator = 0) -> Floats:
    """A random parameter whose rows are as long as those of `theta`, uniform in direction.

    Parameters
    ----------
    theta : array_like (h, q)
    seed : int or numpy.random.Generator, default 0

    Returns
    -------
    ndarray (h, q)

    Raises
    ------
    ValueError, TypeError
        If `theta` is no array (h, q) of finite numbers.

    Examples
    --------
    >>> import numpy as np
    >>> from reluplex_walk import density
    >>> control = density.norm_matched([[3.0, 4.0], [0.0, 0.0]], seed=1)
    >>> print(np.linalg.norm(control, axis=1))
    [5. 0.]
    """
    theta = real_array("theta", theta, 2, "of shape (h, q)")
    directions = np.random.default_rng(seed).normal(size=theta.shape)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    return directions * np.linalg.norm(theta, axis=1, keepdims=True)


@logged("density.breakpoint_density")
def breakpoint_density(
    loss: LayerLoss,
    theta: ArrayLike,
    radius: float,
    segments: int = 50,
    seed: int = 0,
    *,
    time_limit: float | None = None,
    callback: Callable[[int], Any] | None = None,
) -> BreakpointDensity:
    """Breakpoints crossed per unit length along random segments around `theta`.

    Each segment joins two independent, uniform points of the sphere of `radius` around `theta`;
    none passes through `theta` itself, where all active breakpoints meet.  Crossings are counted
    exactly, see :func:`reluplex_walk.crossings`.

    Parameters
    ----------
    loss : LayerLoss
    theta : array_like (h, q) or (D,)
    radius : float
        In parameter space, > 0.
    segments : int, default 50
        Around `theta`, and as many around controls.
    seed : int, default 0
    time_limit : float, optional
        Seconds.
    callback : callable, optional
        Called before each segment with the number of those made; StopIteration or KeyboardInterrupt
        raised in it ends the study as Ctrl-C does.

    Returns
    -------
    BreakpointDensity
        At the time limit or after Ctrl-C of the segments made until then, one at least.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> from reluplex_walk import density
    >>> data = rw.datasets.load_motorcycle()
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 8, 1], seed=0), data.X, data.y)
    >>> found = density.breakpoint_density(loss, loss.theta, radius=0.1)
    >>> found.lengths.shape, found.value == found.inactive  # not a vertex: nothing is active
    ((50,), True)
    """
    instance("loss", loss, LayerLoss)
    theta = loss.parameters(theta)
    positive("radius", radius)
    segments = integer("segments", segments, 1)
    rng = np.random.default_rng(integer("seed", seed, 0))
    vanishing = {
        (layer, row, neuron)
        for layer, signs in enumerate(loss.pattern(theta))
        for row, neuron in np.argwhere(signs == 0).tolist()
    }
    lengths, control_lengths = np.zeros((2, segments))
    crossed, crossed_active, control_crossed = np.zeros((3, segments), np.int64)
    made, ended = 0, None
    with Limits.asked(time_limit, callback) as limits:
        for s in range(segments):
            ended = limits.look(0, s)
            if ended is not None and made:
                break
            lengths[s], found = _random_segment(loss, theta, radius, rng)
            crossed[s] = len(found)
            crossed_active[s] = sum(tuple(place) in vanishing for place in found.tolist())
            control_lengths[s], found = _random_segment(loss, norm_matched(theta, rng), radius, rng)
            control_crossed[s] = len(found)
            made = s + 1
    return BreakpointDensity(
        radius,
        lengths[:made],
        crossed[:made],
        crossed_active[:made],
        control_lengths[:made],
        control_crossed[:made],
        ended_of(made == segments, ended),
    )


def _random_segment(
    loss: LayerLoss, centre: Floats, radius: float, rng: np.random.Generator
) -> tuple[float, Ints]:
    """Length of a random chord, and (layer, sample, neuron) of what it crosses."""
    directions = rng.normal(size=(2, *loss.shape))
    directions /= np.linalg.norm(directions, axis=(1, 2), keepdims=True)
    start, end = centre + radius * directions
    if (start == end).all():
        raise ValueError(
            f"radius: {radius:g} is lost in the rounding of parameters of size "
            f"{np.abs(centre).max():.3g}"
        )
    return float(np.linalg.norm(end - start)), loss.locate(crossings(loss, start, end).ids)


@logged("density.vertex_density")
def vertex_density(
    traj: Trajectory,
    radii: ArrayLike,
    controls: int = 3,
    seed: int = 0,
    *,
    time_limit: float | None = None,
    callback: Callable[[Progress], Any] | None = None,
) -> VertexDensity:
    """Vertices visited near the end of a walk, and the lengths of its edges.

    Compared with the first vertex of the same walk, and with the first vertices of control walks,
    which start at norm-matched controls of the end and make at most as many pivots, with the same
    options but without proofs.  Pivots of length 0 visit no new vertex.

    Parameters
    ----------
    traj : Trajectory
    radii : array_like (R,)
        Distances in parameter space, > 0.
    controls : int, default 3
        Control walks.
    seed : int, default 0
    time_limit : float, optional
        Seconds.
    callback : callable, optional
        That of the control walks, as ``walk`` takes it.

    Returns
    -------
    VertexDensity
        At the time limit or after Ctrl-C with the control walks made until then, one at least.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> from reluplex_walk import density
    >>> data = rw.datasets.load_motorcycle()
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 8, 1], seed=0), data.X, data.y)
    >>> traj = rw.walk(loss, max_pivots=60)
    >>> found = density.vertex_density(traj, [0.1, 1e9], controls=2)
    >>> int(found.at_end[1] - len(found.lengths))  # everything is within 1e9
    1
    """
    instance("traj", traj, Trajectory)
    radii = real_array("radii", radii, 1, "of shape (R,)")
    for k, radius in enumerate(radii):
        positive(f"radii[{k}]", radius)
    controls = integer("controls", controls, 1)
    rng = np.random.default_rng(integer("seed", seed, 0))
    walks: list[Trajectory] = []
    with Limits.asked(time_limit, callback) as limits:
        while len(walks) < controls and not (walks and limits.over):
            control = walk(
                traj.problem,
                norm_matched(traj.theta, rng),
                max_pivots=traj.n_pivots,
                time_limit=limits.remaining,
                callback=limits.pass_to,
                **{**vars(traj.options), "proof": "off"},
            )
            walks.append(control)
    cut = len(walks) < controls or walks[-1].ended in (Ended.TIME_LIMIT, Ended.INTERRUPTED)
    return VertexDensity(
        radii=radii,
        at_end=_visits(traj, -1, radii),
        at_first=_visits(traj, traj.phase1, radii),
        control=np.array([_visits(each, each.phase1, radii) for each in walks]),
        lengths=_edge_lengths(traj),
        control_lengths=[_edge_lengths(each) for each in walks],
        ended=(limits.over or Ended.INTERRUPTED) if cut else Ended.FINISHED,
    )


def _visits(traj: Trajectory, centre: int, radii: Floats) -> Ints:
    """Vertices of the walk within each of `radii` around entry `centre`, (R,)."""
    reached = np.flatnonzero(traj.steps.length[traj.phase1 :] > 0.0) + traj.phase1 + 1
    visited = traj.vertices[np.append(traj.phase1, reached)]
    distances = np.linalg.norm(visited - traj.vertices[centre], axis=(1, 2))
    return (distances <= radii[:, None]).sum(axis=1)


def _edge_lengths(traj: Trajectory) -> Floats:
    lengths = traj.steps.length[traj.phase1 :]
    return lengths[lengths > 0.0]


__all__ = [
    "BreakpointDensity",
    "VertexDensity",
    "breakpoint_density",
    "norm_matched",
    "vertex_density",
]
