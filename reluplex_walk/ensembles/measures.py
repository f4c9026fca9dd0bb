"""Figures of one walk, to be gathered over many: density, decay and level.

The claims are those of P. Hinz, arXiv 2105.02831: near local minima vertices are dense (`density`),
and the loss decays exponentially slowly (`decay`), so that its level can be estimated (`level`).
Each measure takes a walk and returns numbers by name.  They depend on the walk alone: random
choices are seeded by its seed.

A figure that is not defined (0 / 0, a part of the walk without a pivot) is None.  All are None for
walks that were stopped before their end: they speak of the end.  :func:`statistics` makes a table
of the figures of many walks, of several problems, too.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._validate import instance, integer, positive
from ..landscape.density import breakpoint_density, vertex_density
from ..simplex.level import ANNOUNCE, METHODS, estimate
from ..simplex.trajectory import Trajectory
from ..tolerances import OPTIMIZE
from .statistics import statistics

Figures = dict[str, float | None]

SHARES = (0.25, 0.5, 0.75, 0.9)
"""Of the pivots of a walk: where its decay and the estimates of its level are looked at."""

PARTS = ((0.02, 0.25), (0.25, 0.5), (0.5, 0.75), (0.75, 0.9), (0.9, 0.97))
"""Of a walk, over which rates of decay are measured."""

FALSE_ALARM = 0.8
"""An end that is announced before that share of the walk is announced wrongly."""

_DENSITY = (
    *("end_first", "scaled", "end_control", "end_control_all", "first_control"),
    *("visits_end_first", "visits_end_control", "edges_last_first", "edges_last_control"),
    "norm_growth",
)


def density(
    traj: Trajectory,
    radius: float = 0.01,
    visits: float = 0.05,
    segments: int = 10,
    controls: int = 1,
) -> Figures:
    """Breakpoints and vertices around the end of a walk, relative to elsewhere.

    Costs the walks from controls, and a millisecond or two for each of 4 `segments` chords.

    Parameters
    ----------
    traj : Trajectory
    radius : float, default 0.01
        Of the spheres whose chords are followed, as a share of the parameter's length.
    visits : float, default 0.05
        The distance within which visited vertices are counted, as such a share.
    segments : int, default 10
        Chords around the end, around the first vertex, and around controls of each.
    controls : int, default 1
        Walks that start at :func:`~reluplex_walk.density.norm_matched` controls of the end.

    Returns
    -------
    dict of str to float or None
        All are ratios, infinite where something is compared with 0.

        * ``density_end_first``: breakpoints per unit length around the end over those around the
          first vertex, without those that vanish at the points themselves; ``density_scaled``: per
          unit of the parameter's length.
        * ``density_end_control``: around the end over around controls;
          ``density_end_control_all``: with those that vanish at the end itself;
          ``density_first_control``: around the first vertex over around controls.
        * ``density_visits_end_first``, ``density_visits_end_control``: vertices that the walk
          visits near its end, over those near its first vertex, and over those that control
          walks visit near theirs.
        * ``density_edges_last_first``, ``density_edges_last_control``: the median edge length in
          the last tenth of the walk over that of the first tenth, its own and that of controls.
        * ``density_norm_growth``: the parameter's length at the end over that at the first vertex.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; a loss with a penalty does not.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data = rw.datasets.load_motorcycle()
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 8, 1], seed=0), data.X, data.y)
    >>> figures = rw.measures.density(rw.walk(loss, proof="off"))
    >>> figures["density_end_control_all"] > figures["density_end_control"] > 0
    True
    """
    instance("traj", traj, Trajectory)
    radius, visits = positive("radius", radius), positive("visits", visits)
    segments, controls = integer("segments", segments, 1), integer("controls", controls, 1)
    first, end = traj.vertices[traj.phase1], traj.theta
    sizes = np.array([np.linalg.norm(theta) for theta in (first, end)])
    found: Figures = {f"density_{name}": None for name in _DENSITY}
    if traj.ended.early or not sizes.all():
        return found
    seed = traj.options.seed
    at_first, at_end = (
        breakpoint_density(traj.problem, theta, radius * size, segments, seed)
        for theta, size in zip((first, end), sizes, strict=True)
    )
    near = vertex_density(traj, visits * sizes, controls, seed)
    growth, tenth = sizes[1] / sizes[0], max(1, len(near.lengths) // 10)
    last = near.lengths[-tenth:]
    others = np.concatenate([lengths[:tenth] for lengths in near.control_lengths])
    values = (
        _ratio(at_end.inactive, at_first.inactive),
        _ratio(growth * at_end.inactive, at_first.inactive),
        _ratio(at_end.inactive, at_end.control),
        _ratio(at_end.value, at_end.control),
        _ratio(at_first.inactive, at_first.control),
        _ratio(near.at_end[1], near.at_first[0]),
        _ratio(near.at_end[1], np.median(near.control[:, 1])),
        _ratio(_median(last), _median(near.lengths[:tenth])),
        _ratio(_median(last), _median(others)),
        growth,
    )
    return {name: _figure(value) for name, value in zip(found, values, strict=True)}


def decay(traj: Trajectory) -> Figures:
    """How the loss falls along a walk, from its start to its end.

    Costs the losses at all vertices (``traj.losses``), one evaluation each.

    Parameters
    ----------
    traj : Trajectory

    Returns
    -------
    dict of str to float or None
        * ``decay_gap_25``, ``_50``, ``_75``, ``_90``: the loss that is still to go after so many
          percent of the pivots, over the loss at the start.
        * ``decay_half``: the share of the pivots after which half of the decrease is made.
        * ``decay_rate_2_25``, ``_25_50``, ``_50_75``, ``_75_90``, ``_90_97``: what the logarithm of
          the loss that is still to go falls by per D pivots between those percentages.

    Raises
    ------
    TypeError
        If `traj` is no walk.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data = rw.datasets.load_motorcycle()
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 8, 1], seed=0), data.X, data.y)
    >>> figures = rw.measures.decay(rw.walk(loss, proof="off"))
    >>> 1 > figures["decay_gap_25"] > figures["decay_gap_50"] > figures["decay_gap_90"] > 0
    True
    """
    instance("traj", traj, Trajectory)
    names = [*(f"decay_gap_{_percent(share)}" for share in SHARES), "decay_half"]
    names += [f"decay_rate_{_percent(start)}_{_percent(stop)}" for start, stop in PARTS]
    if traj.ended.early or not traj.n_pivots:
        return dict.fromkeys(names)
    gap = _gap(traj)
    half = np.argmax(gap <= gap[0] / 2.0) / traj.n_pivots if gap[0] > 0.0 else np.nan
    values = [*(_ratio(gap[k], traj.losses[0]) for k in _entries(traj, SHARES)), half]
    for start, stop in _entries(traj, np.array(PARTS)).tolist():
        fall = np.log(gap[start] / gap[stop]) if gap[start] > 0.0 and gap[stop] > 0.0 else np.nan
        values.append(_ratio(fall * traj.problem.n_free, stop - start))
    return {name: _figure(value) for name, value in zip(names, values, strict=True)}


def level(traj: Trajectory) -> Figures:
    """How well the loss at the end of a walk was estimated on the way.

    Costs 4 look-aheads of up to 2 D long pivots, about 10 milliseconds on small problems.

    Parameters
    ----------
    traj : Trajectory

    Returns
    -------
    dict of str to float or None
        * ``level_error_25``, ``_50``, ``_75``, ``_90``: after so many percent of the pivots, the
          error of ``traj.level(k)`` over the decrease that is still to come; ``level_inside_25``
          and so on: 1 if the loss at the end lies in its 80 % interval, else 0.
        * ``level_record_error_25``, ``level_record_inside_25`` and so on: of
          ``traj.level(k, "record")``.
        * ``level_announced``: 1 if ``traj.proximity()`` comes to 0.7 before the end, else 0;
          ``level_announced_at``: after what share of the pivots it does first.
        * ``level_false_alarm``: 1 if it does in the first 80 % of the walk, else 0.

    Raises
    ------
    TypeError
        If `traj` is no walk.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data = rw.datasets.load_motorcycle()
    >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 8, 1], seed=0), data.X, data.y)
    >>> traj = rw.walk(loss, proof="off")
    >>> half, figures = round(0.5 * traj.n_pivots), rw.measures.level(traj)
    >>> error = abs(traj.level(half).level - traj.loss) / (traj.losses[half] - traj.loss)
    >>> bool(abs(figures["level_error_50"] - error) < 1e-9)
    True
    """
    instance("traj", traj, Trajectory)
    found: Figures = {}
    for method in METHODS:
        prefix = "level" if method == "lookahead" else f"level_{method}"
        for what in ("error", "inside"):
            found |= {f"{prefix}_{what}_{_percent(share)}": None for share in SHARES}
        if not traj.ended.early and traj.n_pivots:
            found |= _estimated(traj, method, prefix)
    found |= dict.fromkeys(("level_announced", "level_announced_at", "level_false_alarm"))
    if not traj.ended.early and traj.n_pivots:
        near = np.flatnonzero(traj.proximity()[:-1] >= ANNOUNCE)
        at = float(near[0]) / traj.n_pivots if near.size else None
        found["level_announced"], found["level_announced_at"] = float(at is not None), at
        found["level_false_alarm"] = float(at is not None and at < FALSE_ALARM)
    return found


def _estimated(traj: Trajectory, method: str, prefix: str) -> Figures:
    """Errors, and whether the end is in the interval, where more than rounding is still to come."""
    at, percents = _entries(traj, SHARES), [_percent(share) for share in SHARES]
    loss, to_go = traj.loss, _gap(traj)[at]
    still = to_go > OPTIMIZE.level * traj.losses[at]
    if not still.any():
        return {}
    figures: Figures = {}
    open_ = [percent for percent, some in zip(percents, still, strict=True) if some]
    estimates = zip(open_, *estimate(traj._visited, at[still], method), to_go[still], strict=True)
    for percent, guess, low, high, decrease in estimates:
        figures[f"{prefix}_error_{percent}"] = float(abs(guess - loss) / decrease)
        figures[f"{prefix}_inside_{percent}"] = float(low <= loss <= high)
    return figures


MEASURES: dict[str, Callable[[Trajectory], Figures]] = {
    "density": density,
    "decay": decay,
    "level": level,
}
"""Measures by name, as :func:`reluplex_walk.ensemble` takes them."""


def _gap(traj: Trajectory) -> NDArray[np.float64]:
    """The decrease still to come at each entry, (K,)."""
    return traj.losses - traj.loss


def _entries(traj: Trajectory, shares: ArrayLike) -> NDArray[np.int64]:
    """Entries of the walk at `shares` of its pivots."""
    return np.round(np.asarray(shares) * traj.n_pivots).astype(np.int64)


def _percent(share: float) -> int:
    return round(100 * share)


def _median(values: NDArray[np.float64]) -> float:
    return float(np.median(values)) if values.size else np.nan


def _ratio(a: float, b: float) -> float:
    """The quotient of numbers >= 0; infinite for b = 0, undefined (NaN) for 0 / 0."""
    if b == 0.0:
        return np.inf if a > 0.0 else np.nan
    return a / b


def _figure(value: float) -> float | None:
    return None if np.isnan(value) else float(value)


__all__ = ["MEASURES", "decay", "density", "level", "statistics"]
