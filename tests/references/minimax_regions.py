"""Passes between minima by linear programs over regions and facets: any dimension, no vertices.

Regions and their facets come from `rw.enumerate_regions`.  A path below a level c goes from region
to region; two regions that touch in a point below c are joined around it by regions that share
facets through that point.  So the lowest pass is that of the graph of regions, each reached at the
least loss on it, with each facet passed at the least loss on it: a linear program each.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import sparse
from scipy.optimize import linprog

import reluplex_walk as rw

from .flooding import flood

_TOGETHER = 400  # programs solved as one, side by side


@dataclass
class RegionGraph:
    """Regions, with their facets as half-spaces ``rows . theta + offset >= 0``."""

    regions: rw.Regions
    lowest: np.ndarray  # (N,) the least loss on each region
    links: np.ndarray  # (E, 2) regions with a common facet
    weights: np.ndarray  # (E,) the least loss on that facet
    halves: list  # N arrays (facets, D' + 1), in units of their own
    units: np.ndarray  # (D, D') theta = units @ these

    def home(self, theta):
        """The region nearest to `theta`: one whose closure holds it."""
        point = np.append(np.linalg.pinv(self.units) @ np.ravel(theta), 1.0)
        return int(np.argmax([(rows @ point).min(initial=np.inf) for rows in self.halves]))

    def flood(self, points=()):
        """Births, deaths, and the passes between `points` (k, h, q)."""
        homes = [self.home(point) for point in points]
        found = flood(self.lowest, self.links, self.weights, homes)
        levels = np.array([self.regions.problem(point) for point in points])
        passes = np.maximum(found.passes, np.maximum.outer(levels, levels))
        return found._replace(passes=passes)


def region_graph(loss, box=None):
    """Of all regions of `loss`, or those with |theta| < `box`, whose sides bound them then."""
    regions = rw.enumerate_regions(loss, box)
    assert regions.complete
    units = units_of(loss)
    halves, numbers = [], []
    starts = np.searchsorted(regions.facets[:, 0], np.arange(len(regions) + 1))
    for k, (start, end) in enumerate(pairwise(starts)):
        ids = regions.facets[start:end, 1]
        rows = affine(loss, regions.points[k])[ids]
        signs = np.sign(rows @ np.append(regions.points[k].ravel(), 1.0))
        rows = np.column_stack([rows[:, :-1] @ units, rows[:, -1]])
        halves.append(signs[:, None] * rows / np.linalg.norm(rows[:, :-1], axis=1, keepdims=True))
        numbers.append(regions.neighbours[start:end])
    if box is not None:
        sides = np.column_stack([np.vstack([units, -units]), np.full(2 * loss.dim, float(box))])
        halves = [np.vstack([rows, sides]) for rows in halves]
    programs = [(k, -1) for k in range(len(regions))]
    links = []
    for k, neighbours in enumerate(numbers):
        for place, other in enumerate(neighbours):
            if k < other:
                programs.append((k, place))
                links.append((k, other))
    values = least(regions, halves, units, programs)
    n = len(regions)
    return RegionGraph(
        regions, values[:n], np.array(links).reshape(-1, 2), values[n:], halves, units
    )


def units_of(loss):
    """Parameters in which inputs are orthonormal and targets of size 1, for HiGHS."""
    inputs = np.column_stack([loss.inputs, np.ones(len(loss.inputs))])
    _, sizes, axes = np.linalg.svd(inputs, full_matrices=False)
    kept = sizes > 1e-12 * sizes[0]  # of what is aliased the loss is independent
    scale = np.abs(loss.targets).mean() or 1.0
    return np.kron(np.eye(loss.shape[0]), scale * axes[kept].T / sizes[kept])


def least(regions, halves, units, programs):
    """The least loss on each (region, its facet of that place, -1: all of it)."""
    values = []
    everywhere = regions.gradients.reshape(len(regions), -1) @ units
    size = np.abs(everywhere).max() or 1.0
    everywhere[np.abs(everywhere).max(axis=1) < 1e-13 * size] = 0.0  # flat up to rounding
    for start in range(0, len(programs), _TOGETHER):
        part = programs[start : start + _TOGETHER]
        gradients = everywhere[[k for k, _ in part]]
        rows = [halves[k] for k, _ in part]
        fixed = [halves[k][[place] if place >= 0 else []] for k, place in part]  # none or one
        found = solved(
            gradients.ravel() / size,
            -sparse.block_diag([each[:, :-1] for each in rows], format="csr"),
            np.concatenate([each[:, -1] for each in rows]),
            sparse.block_diag([each[:, :-1] for each in fixed], format="csr"),
            -np.concatenate([each[:, -1] for each in fixed]),
        )
        theta = found.x.reshape(len(part), -1)
        offsets = np.array([regions.offsets[k] for k, _ in part])
        values.append((gradients * theta).sum(axis=1) + offsets)
    return np.concatenate(values)


def solved(*program):
    """The program to the finest tolerance at which HiGHS does not take rounding for a ray."""
    for dual in (1e-10, 1e-9, 1e-8, 1e-7):
        options = {"primal_feasibility_tolerance": 1e-10, "dual_feasibility_tolerance": dual}
        found = linprog(*program, (None, None), method="highs-ds", options=options)
        if found.status == 0:
            return found
    raise AssertionError(found.message)


def affine(loss, theta):
    """Coefficients (breakpoints, D + 1) of all breakpoints around `theta`, inside a region."""
    h, q = loss.shape
    inputs = np.column_stack([loss.inputs, np.ones(len(loss.inputs))])
    functions = np.zeros((h, len(inputs), h * q + 1))
    for j in range(h):
        functions[j, :, j * q : (j + 1) * q] = inputs
    point = np.append(np.ravel(theta), 1.0)
    found = []
    for w, b in loss.tail:
        found.append(functions.reshape(-1, h * q + 1))
        leak = np.where(functions @ point > 0, 1.0, loss.network.negative_slope)
        functions = np.tensordot(w, leak[:, :, None] * functions, axes=1)
        functions[:, :, -1] += b[:, None]
    functions = functions[:, loss.owner].copy()
    functions[:, :, -1] -= loss.targets.T
    found.append(functions.reshape(-1, h * q + 1))
    return np.concatenate(found)


def straight(loss, a, b):
    """The highest loss on the segment, and its highest rise above the line between its ends."""
    section = rw.line_section(loss, a, np.ravel(b) - np.ravel(a), (0.0, 1.0))
    ends = section.losses[0] + section.positions * (section.losses[-1] - section.losses[0])
    return float(section.losses.max()), float((section.losses - ends).max())
