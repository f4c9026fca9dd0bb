"""Quantile regressions with penalties and constraints as linear programs, for HiGHS."""

import numpy as np
from scipy import sparse
from scipy.optimize import linprog


def least_loss(X, y, taus, w=None, penalty=0.0, intercept=True, rows=None, noncrossing=False):
    """Least sum of losses for all `taus` (None: absolute values) and a penalty; None: infeasible.

    `rows` are constraints (A, lower, upper) on the coefficients for each.
    """
    n, p = X.shape
    q, count = p + 1, len(taus)
    w = np.ones(n) if w is None else w
    Z = np.column_stack([np.ones(n), X])
    eye, none = sparse.eye(n), sparse.csr_matrix((n, p))
    one = sparse.hstack([Z, none, eye, -eye])  # y - fit = over - under; |b| <= the p others
    size = one.shape[1]
    cost, bounds = [], []
    for tau in taus:
        up, down = (1.0, 1.0) if tau is None else (tau, 1.0 - tau)
        cost.append(np.r_[np.zeros(q), np.full(p, penalty), up * w, down * w])
        bounds += [(None, None) if intercept else (0, 0)] + [(None, None)] * p
        bounds += [(0, None)] * (p + 2 * n)
    unit = np.eye(q)[1:]
    upper = [(np.hstack([sign * unit, -np.eye(p)]), np.zeros(p)) for sign in (1.0, -1.0)]
    if rows is not None:
        A, low, high = rows
        A = np.hstack([A, np.zeros((len(A), p))])
        some, others = np.isfinite(high), np.isfinite(low)
        upper += [(A[some], high[some]), (-A[others], -low[others])]
    A_ub = np.vstack([a for a, _ in upper])
    A_ub = sparse.hstack([A_ub, sparse.csr_matrix((len(A_ub), 2 * n))])
    A_ub, b_ub = (
        sparse.block_diag([A_ub] * count),
        np.tile(np.concatenate([b for _, b in upper]), count),
    )
    if noncrossing:
        fits = sparse.csr_matrix(np.pad(Z[w > 0.0], ((0, 0), (0, size - q))))
        steps = sparse.kron(sparse.csr_matrix(np.diff(np.eye(count), axis=0)), fits)
        A_ub, b_ub = sparse.vstack([A_ub, -steps]), np.append(b_ub, np.zeros(steps.shape[0]))
    found = linprog(
        np.concatenate(cost),
        A_ub=A_ub.tocsr(),
        b_ub=b_ub,
        A_eq=sparse.block_diag([one] * count).tocsr(),
        b_eq=np.tile(y, count),
        bounds=bounds,
        method="highs",
    )
    assert found.status in (0, 2)
    return found.fun if found.status == 0 else None
