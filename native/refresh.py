"""Everything of a `State` that follows from (theta, basis, sides), computed afresh.

A chunk of the walk starts from here, so that the state it works on is a function of the last
checkpoint alone: rounding does not build up, and an interrupted walk resumes bit for bit.
"""

import numpy as np
from numba import boolean, float64, int64, void
from numba.core.types import UniTuple

from . import nearby
from ._jit import entry, kernel
from .arrays import (
    FREE,
    LOSS,
    N_NUMBERS,
    N_SCALARS,
    N_TIED,
    SLOPE_TOL,
    START_SIZE,
    X_SIZE,
    P,
    S,
    State,
    column_of,
    is_hidden,
    row_of,
)
from .basis import activate
from .factorise import refactorise
from .pivot import tie, uniform
from .tail import loss_row

_ROUNDS = 4  # of Newton steps and corrections of the region in one refresh


def new_state(P):
    """An empty `State` for the fixed arrays `P`: every row of the basis FREE."""
    q, n = P.x.shape
    rows, last = P.stage.size, P.widths.size - 1
    outputs, m = P.y.shape
    size = int(P.widths[0]) * q
    breakpoints = int(P.row[last]) * n + outputs * m

    def floats(*shape):
        return np.zeros(shape)

    def ints(*shape):
        return np.zeros(shape, np.int64)

    return State(
        theta=floats(size),
        z=floats(rows, n),
        r=floats(outputs, m),
        side=np.ones((rows, n)),
        side_r=np.ones((outputs, m)),
        rho=floats(outputs, n),
        g=floats(size),
        basis=np.full(size, FREE, np.int64),
        b=np.eye(size),
        on_sample=ints(n),
        tied=ints(breakpoints),
        tied_w=floats(breakpoints),
        scalar=floats(N_SCALARS),
        number=ints(N_NUMBERS),
        random=np.zeros(1, np.uint64),
        zero_tol=floats(last + 1, n),
        zero_tol_r=floats(m),
        rate_tol=floats(last + 1),
        d=floats(size),
        dz=floats(rows, n),
        dr=floats(outputs, m),
        tail=floats(rows),
        back=floats(rows),
        price=floats(size),
        far=floats(size),
        length=floats(size, 2),
        noise=floats(size, 2),
        beta=floats(size),
        normal=floats(size),
        mirror=floats(size),
        head=np.full(n, -1, np.int64),
        chain=ints(size),
        listed=np.full(size, -1, np.int64),
        next_time=floats(n),
        next_id=ints(n),
        heap=ints(n),
        heap_key=floats(n),
        hits=ints(breakpoints),
        near=ints(n),
        queue=ints(n),
        queue_key=floats(n),
        key=floats(n),
    )


@entry(void, P, S, boolean)
def values(P, S, own_signs):
    """S.z and S.r at S.theta, in the affine map of the region S.side.

    With `own_signs` the region is that of theta itself: its sides are stored first (0 is positive).
    """
    q, n = P.x.shape
    last = P.widths.size - 1
    for t in range(last + 1):
        for m in range(P.widths[t]):
            a = P.row[t] + m
            for i in range(n):
                S.z[a, i] = P.bias[a] if i < P.samples[0] else 0.0
            if t == 0:
                for k in range(q):
                    for i in range(n):
                        S.z[a, i] += S.theta[m * q + k] * P.x[k, i]
            else:
                for k in range(P.widths[t - 1]):
                    b = P.row[t - 1] + k
                    factor = P.w[P.offset[t] + m * P.widths[t - 1] + k]
                    for i in range(P.samples[0]):
                        slope = P.mean_slope + P.half_jump * S.side[b, i]
                        S.z[a, i] += factor * slope * S.z[b, i]
                for i in range(P.samples[0], n):
                    S.z[a, i] = 1.0  # never 0
            if own_signs and t < last:
                for i in range(n):
                    S.side[a, i] = 1.0 if S.z[a, i] >= 0.0 else -1.0
    for k in range(P.widths[last]):
        a = P.row[last] + k
        for j in range(P.owner.size):
            S.r[k, j] = S.z[a, P.owner[j]] - P.y[k, j]
            if own_signs:
                S.side_r[k, j] = 1.0 if S.r[k, j] >= 0.0 else -1.0


@entry(UniTuple(float64, 2), P, S)
def loss_and_gradient(P, S):
    """S.rho and S.g in the region.  Returns (loss, bound on |slope| per unit of reach)."""
    q, n = P.x.shape
    last = P.widths.size - 1
    loss = 0.0
    for k in range(P.widths[last]):
        for i in range(n):
            S.rho[k, i] = 0.0
        for j in range(P.owner.size):
            slope = P.right[k, j] if S.side_r[k, j] > 0.0 else -P.left[k, j]
            S.rho[k, P.owner[j]] += slope
            loss += slope * S.r[k, j]
    for j in range(S.g.size):
        S.g[j] = 0.0
    size = 0.0
    for i in range(n):
        if i < P.samples[0]:
            loss_row(P, S, i)
        else:
            for j in range(P.widths[0]):
                S.back[j] = P.penalty * S.side[j, i]
                loss += S.back[j] * S.z[j, i]
        u2 = 0.0
        for j in range(P.widths[0]):
            u2 += S.back[j] ** 2
        size += np.sqrt(u2)
        for j in range(P.widths[0]):
            for k in range(q):
                S.g[j * q + k] += S.back[j] * P.xt[i, k]
    return loss, size


@entry(void, P, S, float64, float64)
def scales(P, S, zero, rate):
    """Set S.zero_tol and S.rate_tol from the sizes of what is summed up in each stage.

    A value counts as 0 relative to a bound on the terms it is made of on its sample, whose rounding
    it carries; a rate relative to the Lipschitz bound of its stage.
    """
    q, n = P.x.shape
    last = P.widths.size - 1
    largest = 0.0
    for j in range(P.widths[0]):
        total = 0.0
        for k in range(q):
            total += abs(S.theta[j * q + k])
        largest = max(largest, total)
    # Parameters that shrink to 0 carry the rounding of those they came from.
    largest = max(largest, 1e-4 * S.scalar[START_SIZE])
    for i in range(n):
        x_max = 0.0
        for k in range(q):
            x_max = max(x_max, abs(P.xt[i, k]))
        S.zero_tol[0, i] = zero * x_max * largest
    growth = 1.0
    for t in range(last + 1):
        if t > 0:
            for i in range(n):
                S.zero_tol[t, i] = 0.0
            for m in range(P.widths[t]):
                total = 0.0
                for k in range(P.widths[t - 1]):
                    total += abs(P.w[P.offset[t] + m * P.widths[t - 1] + k])
                bias = zero * abs(P.bias[P.row[t] + m])
                for i in range(P.samples[0]):
                    S.zero_tol[t, i] = max(S.zero_tol[t, i], total * S.zero_tol[t - 1, i] + bias)
        if t > 0:
            norm2 = 0.0
            for at in range(P.offset[t], P.offset[t] + P.widths[t] * P.widths[t - 1]):
                norm2 += P.w[at] ** 2
            growth *= np.sqrt(norm2)
        S.rate_tol[t] = rate * max(growth, 1e-300)
    for j in range(P.owner.size):
        largest = 0.0
        for k in range(P.y.shape[0]):
            largest = max(largest, abs(P.y[k, j]))
        S.zero_tol_r[j] = S.zero_tol[last, P.owner[j]] + zero * largest


def active_values(P, S, ids):
    """Values (len(ids),) of the breakpoints `ids`, on their sides (before parking)."""
    hidden = P.hidden * P.x.shape[1]
    neuron, residual = ids[ids < hidden], ids[ids >= hidden] - hidden
    out = np.zeros(ids.size)
    out[ids < hidden] = S.z.ravel()[neuron] * S.side.ravel()[neuron]
    out[ids >= hidden] = S.r.ravel()[residual] * S.side_r.ravel()[residual]
    return out


@kernel
def _value_of(P, S, c):
    a, j = row_of(P, c), column_of(P, c)
    if is_hidden(P, c):
        return S.z[a, j]
    return S.r[a - P.row[P.widths.size - 1], j]


@kernel
def _zero_of(P, S, c):
    if is_hidden(P, c):
        return S.zero_tol[P.stage[row_of(P, c)], column_of(P, c)]
    return S.zero_tol_r[column_of(P, c)]


@entry(int64, P, S)
def reconcile(P, S):
    """Make basis, tied list and sides agree with the values (before parking); number of changes.

    They differ where the values' scale has fallen so far that what counted as 0 no longer does.
    """
    changes = 0
    for k in range(S.basis.size):
        c = S.basis[k]
        if c != FREE and abs(_value_of(P, S, c)) > 1e4 * _zero_of(P, S, c):  # Newton failed
            S.basis[k] = FREE
            changes += 1
    kept = 0
    for at in range(S.number[N_TIED]):
        c = S.tied[at]
        if abs(_value_of(P, S, c)) <= _zero_of(P, S, c):
            S.tied[kept] = c
            S.tied_w[kept] = S.tied_w[at]
            kept += 1
    S.number[N_TIED] = kept
    last = P.widths.size - 1
    for a in range(P.row[last]):
        zero = S.zero_tol[P.stage[a]]
        for i in range(zero.size):
            if S.z[a, i] * S.side[a, i] < -zero[i]:
                S.side[a, i] = -S.side[a, i]
                changes += 1
    for k in range(P.widths[last]):
        for j in range(P.owner.size):
            if S.r[k, j] * S.side_r[k, j] < -S.zero_tol_r[j]:
                S.side_r[k, j] = -S.side_r[k, j]
                changes += 1
    return changes


@entry(void, P, S)
def settle(P, S):
    """Park the active breakpoints, keep or find the tied ones, park them too."""
    for i in range(S.on_sample.size):
        S.on_sample[i] = 0
    before = S.number[N_TIED]
    for k in range(S.basis.size):
        if S.basis[k] != FREE:
            activate(P, S, S.basis[k])
    for at in range(before):
        activate(P, S, S.tied[at])
    n, m = P.x.shape[1], P.owner.size
    last = P.widths.size - 1
    hidden = P.row[last]
    for a in range(hidden):
        for i in range(n):
            if S.z[a, i] * S.side[a, i] <= S.zero_tol[P.stage[a], i]:
                tie(P, S, a * n + i, 0.5 + uniform(S.random))
    for k in range(P.widths[last]):
        for j in range(m):
            if S.r[k, j] * S.side_r[k, j] <= S.zero_tol_r[j]:
                tie(P, S, hidden * n + k * m + j, 0.5 + uniform(S.random))


def refresh(P, S, tolerances, long_step=False):
    """Recompute `S` from S.theta, S.basis, S.side, S.side_r and the tied list.

    `long_step`: whether the pivots to come take long steps (a matter of speed alone).
    A Newton step puts theta back on the active breakpoints; repeated if that changes the region.
    """
    for _ in range(_ROUNDS):
        refactorise(P, S)
        active = np.flatnonzero(S.basis != FREE)
        if active.size:
            values(P, S, False)
            by_row = np.zeros(S.basis.size)
            by_row[active] = active_values(P, S, S.basis[active])
            S.theta[:] -= by_row @ S.b
        values(P, S, False)
        scales(P, S, tolerances.zero, tolerances.rate)
        if reconcile(P, S) == 0:
            break
    S.scalar[X_SIZE] = np.sqrt((P.xt**2).sum(axis=1).max())
    S.scalar[LOSS], size = loss_and_gradient(P, S)
    S.scalar[SLOPE_TOL] = tolerances.slope * size
    settle(P, S)
    nearby.watch(P, S, nearby.bounds_pay(P.x.shape[1], S.theta.size, long_step))


def place(P, S, theta):
    """Put `S` at the parameter `theta` (D,), with no active breakpoint; `refresh` has to follow."""
    S.theta[:] = theta
    S.basis[:] = FREE
    S.number[N_TIED] = 0
    values(P, S, True)


def enter(P, S, sides):
    """See `S` from the region `sides`: +-1 per hidden stage (n, width), then residuals (m, K).

    Then those of weights (p, h), if they have a penalty.
    """
    n, stages = P.samples[0], P.widths.size - 1
    if not P.hidden:
        S.side_r[:] = np.concatenate(sides).T
        return
    S.side[: P.hidden, :n] = np.concatenate([side.T for side in sides[:stages]])
    S.side_r[:] = sides[stages].T
    if n < S.side.shape[1]:
        S.side[: P.widths[0], n:] = sides[-1].T
