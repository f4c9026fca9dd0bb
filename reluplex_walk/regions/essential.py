"""Coordinates for the search of all regions: parameters without directions no input tells apart."""

from fractions import Fraction
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from ..exact.rationals import Objects, Rationals, from_fractions
from ..problem.box import box_bounds
from ..problem.loss import LayerLoss
from ..tolerances import REGIONS
from . import subdivision
from .signs import borders
from .subdivision import Root

Floats = NDArray[np.float64]


class Coordinates(NamedTuple):
    """Coordinates y (h, r) for theta (h, q) in the units of the kernels: ``theta = y @ basis``."""

    features: Floats  # (n, r): x . theta_j = features . y_j
    exact: Rationals  # the same without rounding
    basis: Floats  # (r, q)
    roots: list[Root]
    borders: Objects | None  # functions that vanish on the facets of the box, see `ExactSigns`
    window: tuple[Floats, Floats] | None  # bounds (D,) of theta, as given


def coordinates(loss: LayerLoss, box: Any) -> Coordinates:
    """Coordinates of all parameters, or of those in `box`, and the polyhedra to begin with."""
    h, q = loss.shape
    if box is not None:
        lower, upper = box_bounds(loss, box)
        if (lower == upper).any():
            raise ValueError("box: expected lower < upper everywhere, or there are no regions")
        x, window = loss.kernel.xt, (lower.ravel(), upper.ravel())
        root, rows = subdivision.box_root(*window), borders(*window)
        if not loss.units.trivial:
            root, rows = _inner_box(loss, root, rows)
        return Coordinates(x, Rationals.of(x), np.eye(q), [root], rows, window)
    x = loss.kernel.xt
    _, triangle, order = linalg.qr(x.T, mode="economic", pivoting=True)
    sizes = np.abs(np.diag(triangle))
    chosen = np.sort(order[: int((sizes > REGIONS.rank * sizes[0]).sum())])
    r = chosen.size
    exact = Rationals.of(x)
    basis = np.eye(q)
    if r < q:  # no input tells the parameters apart: leave those directions out
        basis = x[chosen]
        exact = Rationals(exact.num @ exact.num[chosen].T, exact.den**2)
    features = exact.floats()
    n = len(x)
    if loss.n_hidden:
        ids = np.concatenate([j * n + chosen for j in range(h)])
        offsets = np.zeros(h * r)
    else:
        rows = np.array([np.flatnonzero(loss.owner == i)[0] for i in chosen])
        ids = np.concatenate([k * loss.owner.size + rows for k in range(h)])
        offsets = -loss.targets[rows].T.ravel()
    normals = np.kron(np.eye(h), features[chosen])
    roots = subdivision.orthant_roots(ids, normals, offsets)
    return Coordinates(features, exact, basis, roots, None, None)


def _inner_box(loss: LayerLoss, root: Root, rows: Objects) -> tuple[Root, Objects]:
    """A box in the units of the kernels, where it leans: its root, and what its facets are 0 of.

    Without rounding: its corners are far away in these units.
    """
    (h, q), units = loss.shape, loss.units
    # theta = y @ outer, y = theta @ inner
    scale, centre = (Rationals.of(v).fractions() for v in (units.scale, units.centre))
    inner = np.eye(q, dtype=int).astype(object)
    outer = inner.copy()
    for k in range(q - 1):
        inner[k, k], inner[k, -1] = scale[k], centre[k]
        outer[k, k], outer[k, -1] = 1 / scale[k], -centre[k] / scale[k]
    corners = Rationals.of(root.rays[:, :-1]).fractions().reshape(-1, h, q) @ inner
    rays = root.rays.copy()
    rays[:, :-1] = corners.astype(float).reshape(len(rays), h * q)
    leaning = rows.copy()
    leaning[:, :-1] = (rows[:, :-1].reshape(-1, h, q) @ outer.T).reshape(len(rows), h * q)
    leaning = np.array([from_fractions(row + Fraction(0)).num for row in leaning], object)
    return root._replace(rays=rays, scale=np.abs(rays[:, :-1]).max(axis=1)), leaning


__all__ = ["Coordinates", "coordinates"]
