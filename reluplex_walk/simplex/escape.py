"""Leaving a degenerate vertex along a direction in which the loss falls.

At a degenerate vertex more breakpoints vanish than the basis holds, and the 2r half-edges of one
basis do not span all directions; the one-sided derivative tells which of them descend.
"""

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from ..native.arrays import FREE, N_TIED, PARKED, X_SIZE, KernelArrays, State
from ..native.factorise import normals
from ..native.refresh import refresh
from ..proof.directional import OneSided, half_edge_parts, noise, slopes_along, tail_weights
from ..tolerances import SIMPLEX, Tolerances

Floats = NDArray[np.float64]


def best_half_edge(kernel: KernelArrays, state: State, model: OneSided) -> Floats | None:
    """The steepest half-edge (D,) of the basis along which F' is negative, if there is one."""
    best, steepest = None, 0.0
    for _, edges in half_edge_parts(kernel, state):
        edges /= np.linalg.norm(edges, axis=1, keepdims=True)
        slopes = slopes_along(model, edges)
        slopes = np.where(slopes < -noise(state, edges), slopes, 0.0)
        if slopes.min(initial=0.0) < steepest:
            steepest = slopes.min()
            best = np.array(edges[np.argmin(slopes)])
    return best


def aim(kernel: KernelArrays, state: State, d: Floats, tolerances: Tolerances) -> None:
    """Prepare `state` to leave its vertex along `d` (D,): sides, basis and ``state.d``.

    Breakpoints that vanish here take the side `d` leads to; those that stay 0 along it stay
    active, as far as they remain independent.
    """
    h, q = int(kernel.widths[0]), kernel.x.shape[0]
    reach = float(np.linalg.norm(d) * state.scalar[X_SIZE])
    last = kernel.widths.size - 1
    hidden = kernel.hidden
    zero = np.abs(state.z[:hidden]) >= PARKED / 2
    zero_r = np.abs(state.r) >= PARKED / 2
    rates = d.reshape(h, q) @ kernel.x
    moving, tail = [], tail_weights(kernel)
    for t in range(last):
        rows = slice(kernel.row[t], kernel.row[t + 1])
        moves = np.abs(rates) > state.rate_tol[t] * reach
        moving.append(moves)
        side = state.side[rows]
        side[:] = np.where(zero[rows] & moves, np.sign(rates), side)
        slope = kernel.mean_slope + kernel.half_jump * side
        rates = tail[t] @ (slope * rates)
    rates = rates[:, kernel.owner]
    moves_r = np.abs(rates) > state.rate_tol[last] * reach
    state.side_r[:] = np.where(zero_r & moves_r, np.sign(rates), state.side_r)

    stays = ~np.concatenate([*(part.ravel() for part in moving), moves_r.ravel()])
    keep = [c for c in state.basis if c != FREE and stays[c]]
    state.number[N_TIED] = 0  # refresh finds them again
    state.basis[:] = FREE
    if keep:
        rows_n = np.zeros((len(keep), state.basis.size))
        normals(kernel, state, np.array(keep, np.int64), rows_n)
        rows_n /= np.linalg.norm(rows_n, axis=1, keepdims=True) + 1e-300
        _, triangle, order = linalg.qr(rows_n.T, mode="economic", pivoting=True)
        rank = int((np.abs(np.diag(triangle)) > SIMPLEX.dependent).sum())
        state.basis[:rank] = np.array(keep)[np.sort(order[:rank])]
    refresh(kernel, state, tolerances)
    active = np.flatnonzero(state.basis != FREE)
    if active.size:
        rows_n = np.zeros((active.size, state.basis.size))
        normals(kernel, state, state.basis[active], rows_n)
        d = d - (rows_n @ d) @ state.b[active]
    state.d[:] = d / np.linalg.norm(d)


__all__ = ["aim", "best_half_edge"]
