"""Long steps where the edge bends: take the bent edge at once, or ask the prices?

    OMP_NUM_THREADS=1 python -m benchmarks bends [--n 50 500 5000] [--walks 12]

4-5-4-2-1, walks of long steps until no half-edge descends or a degenerate vertex blocks.  A bend
is a vertex whose entering breakpoint has a far half-edge that descends: there `follow` takes it,
`price` takes the steepest half-edge as everywhere.  Means over walks of pivots, bends among them
and breakpoints crossed; median of the final mean absolute errors.
"""

import argparse

import numpy as np

import reluplex_walk as rw
from reluplex_walk.native import walk as native
from reluplex_walk.native.arrays import CHOSEN, FREE, LOSS
from reluplex_walk.native.refresh import new_state, place, refresh

from .instances import instance

LONGEST = 1000
REFRESH = 50  # pivots between computations from scratch


def bent(loss: rw.LayerLoss, state, entering: int) -> int:
    """Number 2 row + 1 of the descending far half-edge of `entering`, or -1."""
    if native.prices(loss.kernel, state) or entering == FREE:
        return -1
    for row in np.flatnonzero(state.basis == entering):
        if state.far[row] < -state.noise[row, 1]:
            return int(2 * row + 1)
    return -1


def descend(loss: rw.LayerLoss, seed: int, follow: bool) -> tuple[int, int, int, float]:
    """(pivots, bends, breakpoints crossed, mean loss at the end) of one walk."""
    kernel, state = loss.kernel, new_state(loss.kernel)
    record = native.new_record(1, loss.dim)
    place(kernel, state, loss.random_start(seed).ravel())
    pivots = bends = crossed = 0
    entering = FREE
    while pivots < LONGEST:
        if pivots % REFRESH == 0:
            refresh(kernel, state, rw.TOLERANCES, long_step=True)
        edge = bent(loss, state, entering)
        bends += edge >= 0
        rule = native.STEEPEST
        if follow and edge >= 0:
            rule, state.number[CHOSEN] = native.GREATEST, edge
        ended, made = native.run(kernel, state, rule, True, rw.TOLERANCES.drift, 8, 0, 1, record)
        if made == 0 or ended not in (native.LIMIT, native.DRIFTED):
            break
        pivots += 1
        crossed += int(record.crossed[0])
        entering = int(record.entering[0])
    return pivots, bends, crossed, float(state.scalar[LOSS]) / len(loss.X)


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks bends", description=__doc__)
    parser.add_argument("--n", type=int, nargs="+", default=[50, 500, 5000])
    parser.add_argument("--walks", type=int, default=12)
    options = parser.parse_args(argv)
    print("     n  at a bend  pivots  bends  crossed  median loss")
    for n in options.n:
        for follow in (False, True):
            ends = [
                descend(instance([4, 5, 4, 2, 1], n, s), s, follow) for s in range(options.walks)
            ]
            pivots, bends, crossed, _ = np.mean(ends, axis=0)
            median = np.median([end[3] for end in ends])
            name = "follow" if follow else "price"
            print(f"{n:>6}  {name:<9} {pivots:>7.1f} {bends:>6.1f} {crossed:>8.0f} {median:>12.4f}")
