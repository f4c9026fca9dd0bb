"""Merge trees and barriers against a flood of a grid and linear programs, and the straight line.

    OMP_NUM_THREADS=1 python -m benchmarks topology [--plane 50] [--space 18] [--size 1000]
                                                         [--plot topology.png]

The problems are those of tests/problems/terrains.py, every second one of small integers.

* plane: problems of two parameters.  The levels of all passes between all minima against a grid of
  `--size` squared exact values, flooded as the function that is affine on its triangles; the bound
  is the largest slope of the loss times the diameter of a cell.  The grid covers all vertices up to
  the highest pass.  And against linear programs: the minimax path over all regions of the plane,
  with the least loss on each facet (HiGHS).  Levels are relative to 1 + the least loss.
* space: problems of three to six parameters, against the linear programs.
* barriers: between the lowest minimum and each other one (five at most a problem), how high the
  loss rises above the higher of both on the lowest path (`true`), on the straight segment
  (`straight`), and above the line between its ends on that segment (`Frankle`: their definition,
  Frankle et al. 2020, of linear mode connectivity).  All exact.  Then how far `rw.barrier` is above
  the true level where it may follow few edges.

With `--plot` only the picture of docs/topology.md is made.  The exit code is 1 if a level is not
within its bound.
"""

import argparse
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

import reluplex_walk as rw
from tests.problems.terrains import plane, space
from tests.references.flooding import bottleneck, grid
from tests.references.minimax_regions import RegionGraph, region_graph, straight

_PROGRAMS = 1e-8  # what linear programs may be off by
_PAIRS = 5
_EDGES = (0, 100, 20_000)

Row = tuple[float, float, float]


class Checked(NamedTuple):
    """A problem, its tree, and what the linear programs say of it."""

    tree: rw.MergeTree
    graph: RegionGraph
    passes: np.ndarray
    programs: float  # seconds
    off: float  # the largest difference, relative


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks topology", description=__doc__)
    parser.add_argument("--plane", type=int, default=50)
    parser.add_argument("--space", type=int, default=18)
    parser.add_argument("--size", type=int, default=1000)
    parser.add_argument("--plot", metavar="FILE")
    options = parser.parse_args(argv)
    if options.plot:
        return draw(options.plot)
    rw.merge_tree(plane(18))  # compile
    grid(plane(18), [-1, -1], [1, 1], 3).flood()
    in_plane, good = show_plane(options.plane, options.size)
    in_space = show("space", space, options.space)
    worst = max((each.off for each in in_plane + in_space), default=0.0)
    print(f"largest difference from the linear programs: {worst:.1e}")
    show_barriers("plane", in_plane)
    show_barriers("space", in_space)
    sys.exit(0 if good and worst <= _PROGRAMS else 1)


def checked(loss: rw.LayerLoss) -> Checked:
    """The tree of `loss` against the linear programs."""
    tree = rw.merge_tree(loss)
    began = time.perf_counter()
    graph = region_graph(loss)
    found = graph.flood(tree.points[tree.minima])
    scale = 1.0 + tree.births[0]
    deep = found.deaths - found.births > _PROGRAMS * scale
    apart = bottleneck(*tree.diagram().T, found.births[deep], found.deaths[deep])
    off = max(apart, np.abs(tree.barriers() - found.passes).max()) / scale
    seconds = time.perf_counter() - began
    return Checked(tree, graph, found.passes, seconds, off if tree.exact else np.inf)


def show(name: str, problem: Callable[[int], rw.LayerLoss], count: int) -> list[Checked]:
    """Problems against the linear programs alone."""
    print(f"{name}: network     kind     D  vertices  minima  seconds  regions  seconds   off by")
    found = []
    for k in range(count):
        found.append(each := checked(problem(k)))
        print(f"{k:>5}  {_line(each)}{each.off:>9.1e}", flush=True)
    return found


def show_plane(count: int, size: int) -> tuple[list[Checked], bool]:
    """Problems of two parameters against the linear programs and a grid."""
    print(
        "plane: network     kind     D  vertices  minima  seconds  regions  seconds   off by"
        "    grid: off by   bound  seconds"
    )
    found, shares, good = [], [], True
    for k in range(count):
        found.append(each := checked(plane(k)))
        began = time.perf_counter()
        off, bound = _against_grid(each, size)
        seconds = time.perf_counter() - began
        shares.append((off, bound))
        good &= off <= bound
        print(
            f"{k:>5}  {_line(each)}{each.off:>9.1e}{off:>16.5f}{bound:>8.4f}{seconds:>9.2f}",
            flush=True,
        )
    offs, bounds = np.array(shares).reshape(-1, 2).T
    if count:
        several = [len(each.tree) > 1 for each in found]
        print(
            f"grid of {size} x {size}: {sum(several)} of {count} have several minima; off by "
            f"{np.median(offs):.5f} (median), {offs.max():.5f} (largest); of the bound "
            f"{np.median(offs / bounds):.3f} (median), {(offs / bounds).max():.3f} (largest)"
        )
    return found, good


def _line(each: Checked) -> str:
    tree, loss = each.tree, each.tree.terrain.problem
    return (
        f"{'-'.join(map(str, loss.network.widths)):<11} {loss.kind:<8} {loss.dim:>1}"
        f"{len(tree.points):>10}{len(tree):>8}{tree.elapsed:>9.2f}{len(each.graph.lowest):>9}"
        f"{each.programs:>9.2f}"
    )


def _against_grid(each: Checked, size: int) -> Row | tuple[float, float]:
    """The largest difference of levels, and the bound, relative to 1 + the least loss."""
    tree = each.tree
    top = np.max(tree.deaths[1:], initial=tree.births[0])
    wet = tree.points[tree.losses <= top * (1.0 + 1e-9)].reshape(-1, 2)
    low, high = wet.min(axis=0), wet.max(axis=0)
    room = 0.1 * (high - low).max() + 0.1
    cells = grid(tree.terrain.problem, low - room, high + room, size)
    passes = cells.flood(tree.points[tree.minima].reshape(-1, 2)).passes
    gradients = each.graph.regions.gradients
    slope = np.linalg.norm(gradients.reshape(len(gradients), -1), axis=1).max()
    scale = 1.0 + tree.births[0]
    return np.abs(tree.barriers() - passes).max() / scale, slope * cells.diameter / scale


def show_barriers(name: str, problems: list[Checked]) -> None:
    """The straight line beside the lowest path, and `rw.barrier` with few vertices."""
    heights: list[Row] = []
    above: dict[int, list[Row]] = {edges: [] for edges in _EDGES}
    for each in problems:
        tree, loss = each.tree, each.tree.terrain.problem
        points = tree.points[tree.minima]
        for other in range(1, min(len(tree), _PAIRS + 1)):
            ends = max(tree.births[0], tree.births[other])
            level, rise = straight(loss, points[0], points[other])
            truth = each.passes[0, other]
            heights.append((truth - ends, level - ends, rise))
            for edges in _EDGES:
                found = rw.barrier(loss, points[0], points[other], max_edges=edges)
                excess = (found.level - truth) / max(truth - ends, 1e-9)
                above[edges].append((float(found.exact), excess, found.elapsed))
    if not heights:
        return
    true, direct, rise = np.array(heights).T
    higher = direct > true * (1.0 + 1e-9) + 1e-9
    print(f"{name}: {len(true)} pairs of minima       true  straight   Frankle")
    for label, quantile in (("median", 0.5), ("upper tenth", 0.9), ("highest", 1.0)):
        row = [np.quantile(values, quantile) for values in (true, direct, rise)]
        print(f"  height, {label:<20}" + "".join(f"{value:>10.4f}" for value in row))
    print(
        f"  straight is higher in {higher.sum()} pairs ({higher.mean():.0%}); "
        f"straight / true, median {np.median(direct / true):.2f}, "
        f"upper tenth {np.quantile(direct / true, 0.9):.1f}"
    )
    print(
        "  rw.barrier, edges at most      exact   above the true height: median  largest  seconds"
    )
    for edges, rows in above.items():
        exact, excess, seconds = np.array(rows).T
        print(
            f"{edges:>30}{exact.mean():>8.0%}{np.median(excess):>31.2%}{excess.max():>9.1%}"
            f"{np.median(seconds):>9.3f}",
            flush=True,
        )


def draw(path: str) -> None:
    """The terrain of the notebook of that name: valleys on the plane, tree, and a barrier."""
    import matplotlib.pyplot as plt

    from reluplex_walk import plotting

    X = [[-0.1], [-1.6], [-2.6], [1.3], [1.9], [0.3], [0.8]]
    net = rw.ReLUNetwork([[[0.0]], [[-0.86]]], [[0.0], [0.43]])
    loss = rw.LayerLoss(net, X, [-2.0, 0.3, -1.9, 0.0, -0.9, 2.8, 0.1])
    cut = rw.slice(loss, [0.0, 0.0], [1.0, 0.0], [0.0, 1.0], (-4.0, 3.0, -5.0, 4.5))
    tree = rw.merge_tree(loss)
    found = rw.barrier(loss, *tree.points[tree.minima[:2]])
    figure, axes = plt.subplots(1, 3, figsize=(13, 4), layout="constrained", width_ratios=(4, 3, 3))
    plotting.plot_basins(rw.merge_tree(cut), axes[0], "valleys up to their first pass", (0, 1))
    axes[0].set(xlabel="weight", ylabel="bias")
    plotting.plot_merge_tree(tree, axes[1], "merge tree")
    plotting.plot_barrier(found, axes[2], "barrier between minima 0 and 1")
    figure.savefig(path, dpi=80)
