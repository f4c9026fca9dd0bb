"""Coordinates for the search of all regions: parameters without directions no input tells apart."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from ..exact.rationals import Rationals
from ..problem.box import box_bounds
from ..problem.loss import LayerLoss
from ..tolerances import REGIONS
from . import subdivision
from .subdivision import Root

Floats = NDArray[np.float64]


class Coordinates(NamedTuple):
    """Coordinates y (h, r) for theta (h, q): ``theta_inner = y @ basis``."""

    features: Floats  # (n, r): x . theta_j = features . y_j
    exact: Rationals  # the same without rounding
    basis: Floats  # (r, q)
    inner: bool  # whether the parameters are in the units of the kernels
    roots: list[Root]
    window: tuple[Floats, Floats] | None


def coordinates(loss: LayerLoss, box: Any) -> Coordinates:
    """Coordinates of all parameters, or of those in `box`, and the polyhedra to begin with."""
    h, q = loss.shape
    if box is not None:
        lower, upper = box_bounds(loss, box)
        if (lower == upper).any():
            raise ValueError("box: expected lower < upper everywhere, or there are no regions")
        window = lower.ravel(), upper.ravel()
        x = np.column_stack([loss.inputs, np.ones(len(loss.inputs))])
        roots = [subdivision.box_root(*window)]
        return Coordinates(x, Rationals.of(x), np.eye(q), False, roots, window)
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
    return Coordinates(features, exact, basis, True, roots, None)


__all__ = ["Coordinates", "coordinates"]
