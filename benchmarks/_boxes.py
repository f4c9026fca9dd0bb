"""A plain check of the minima that an enumeration of regions lists in a box.

Theta is in floats there, so it is asked whether the loss, in Fractions, falls by more than rounding
on both of two short steps; minima on the border are not judged.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
from scipy import optimize

import reluplex_walk as rw
from benchmarks._plain_loss import PlainLoss

_NEAR = (Fraction(1, 2**20), Fraction(1, 2**28))
_FAR = (Fraction(1, 2**18), Fraction(1, 2**20))  # where theta itself is less exact
_SLOPE = 1e-5
_TRIES, _MINIMA = 40, 15  # directions; minima judged, or up to twice as many

Floats = np.ndarray[Any, np.dtype[np.float64]]


def wrong_minima(
    loss: rw.LayerLoss, side: Floats, minima: list[Any], least: Any, seed: int
) -> Iterator[str]:
    """What is wrong with the local minima and the minimum in the box |theta| < `side`."""
    plain, rng = PlainLoss(loss, True), np.random.default_rng(seed)
    noise = 1e-9 * loss.magnitude(side)
    for m in minima[:: 1 + len(minima) // _MINIMA]:
        at = float(plain.exact.loss(m.point))
        if abs(at - m.loss) > 1e-15 * abs(at):
            yield f"local_minima: loss {m.loss} is said, {at} at the point"
        if (m.point.astype(float) != m.theta).any() and abs(loss(m.theta) - at) > noise:
            yield f"local_minima: theta {m.theta.tolist()} is not the point"
        if (np.abs(m.theta) < 0.999 * side).all():
            yield from _falls(plain, m, 1e-15 * loss.magnitude(m.theta), rng)
    if not minima or abs(minima[0].loss - least.loss) > noise:
        yield f"minimum: {least.loss}, lowest local minimum {minima[0].loss if minima else None}"
    for k in range(4):
        traj = rw.walk(loss, rng.uniform(-side, side), seed=k, proof_budget=1.0, max_pivots=1000)
        inside = (np.abs(traj.theta) < 0.999 * side).all()
        if inside and traj.loss < least.loss - noise:
            yield f"minimum: {least.loss} is said, a walk ends at {traj.loss} in the box"
        known = any(abs(m.loss - traj.loss) <= noise for m in minima)
        if inside and traj.certificate.strict and not known:
            yield f"local_minima: {traj.loss}, where a walk ends, is missing"
    if loss.n_hidden == 0:
        yield from _convex(loss, side, minima, least)


def _falls(plain: PlainLoss, m: Any, noise: float, rng: np.random.Generator) -> Iterator[str]:
    """Whether the loss falls from `m` on both of two short steps."""
    point, steps = m.point, _FAR if max(abs(plain.centre)) > 100 else _NEAR
    here = plain.exact.loss(point)
    for k in range(_TRIES):
        e = rng.normal(size=m.theta.shape)
        if k % 3 == 0:
            e = e * (rng.random(m.theta.shape) < 0.5)
        d = plain.mapped(e)
        falls = [float(here - plain.exact.loss(point + t * d)) for t in steps]
        if min(falls) > noise and min(falls[0] / steps[0], falls[1] / steps[1]) > _SLOPE:
            slope = -falls[1] / steps[1]
            along = d.astype(float).tolist()
            yield f"local_minima: falls from {m.theta.tolist()}, slope {slope:.3g} along {along}"
            return


def _convex(loss: rw.LayerLoss, side: Floats, minima: list[Any], least: Any) -> Iterator[str]:
    """Without a hidden layer there is one local minimum, which a linear program finds."""
    X, y = loss.inputs[loss.owner], loss.targets[:, 0]
    x = np.column_stack([X, np.ones(len(X))]) * side[0]
    n, q = x.shape
    found = optimize.linprog(
        np.concatenate([np.zeros(q), loss.right[:, 0], loss.left[:, 0]]),
        A_eq=np.hstack([x, -np.eye(n), np.eye(n)]),
        b_eq=y,
        bounds=[(-1.0, 1.0)] * q + [(0, None)] * (2 * n),
        method="highs-ds",
        options={"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": 1e-10},
    )
    at = loss((found.x[:q] * side[0])[None])
    if abs(least.loss - at) > 1e-4 * at + 1e-9 * loss.magnitude(side):
        yield f"minimum: {least.loss} is said, a linear program finds {at}"
    if len(minima) != 1:
        yield f"local_minima: {len(minima)} of a convex loss"
