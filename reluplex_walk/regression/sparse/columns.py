"""The columns of a sparse regression: which are apart, and their normal equations.

Columns that no sample shares (the dummies of one factor) have diagonal normal equations; what they
leave of the others, the *rest*, is a dense matrix of the size of these alone.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.linalg import lapack

from ..._memory import require_memory
from ...native.lad_sparse import part
from ...native.lad_sparse_arrays import BLOCK, Columns, Interior
from ...native.lad_sparse_interior import weigh

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_AT_ONCE = 4096  # samples in a product


class Parts(NamedTuple):
    """Which columns are apart, and which are the rest; and the record of the kernels."""

    apart: Ints  # (G,) columns, in the order of their numbers
    rest: Ints  # (R,)
    columns: Columns

    @classmethod
    def of(cls, x: sparse.csc_array) -> "Parts":
        """Those of the columns of x (n, q): those with the fewest entries are apart."""
        n, q = x.shape
        first, members = x.indptr.astype(np.int64), x.indices.astype(np.int64)
        group, of = np.full(n, -1), np.empty(q, np.int64)
        order = np.argsort(np.diff(first), kind="stable")
        count = part(order, first, members, group, of)
        chosen = np.flatnonzero(of >= 0)
        apart = chosen[np.argsort(of[chosen])]
        rest = np.flatnonzero(of < 0)
        full = np.diff(first)[rest] == n
        rest, n_full = np.concatenate([rest[full], rest[~full]]), np.count_nonzero(full)
        what = f"X: the normal equations of {rest.size} columns that share samples with others"
        size = 8.0 * (2.0 * count * rest.size + 4.0 * rest.size**2)
        require_memory(what, size, "leave columns out")
        diagonal = x[:, apart]
        entry = np.zeros(n)
        entry[diagonal.indices] = diagonal.data
        others = sparse.csr_array(x[:, rest])
        others.sort_indices()
        columns = Columns(
            group=group,
            apart=entry,
            first=diagonal.indptr.astype(np.int64),
            members=diagonal.indices.astype(np.int64),
            begin=others.indptr.astype(np.int64),
            column=others.indices.astype(np.int64),
            entry=others.data,
            dense=x.data[first[rest[:n_full], None] + np.arange(n)],
            y=np.zeros(n),
            w=np.ones(n),
            slopes=np.ones(2),
        )
        return cls(apart, rest, columns)

    def with_loss(self, y: Floats, w: Floats, slopes: Floats) -> "Parts":
        """The same columns with targets, weights and slopes."""
        fields = dict(zip(self.columns.names, self.columns, strict=True))
        return self._replace(columns=Columns(**{**fields, "y": y, "w": w, "slopes": slopes}))

    def interior(self) -> Interior:
        """The moving record of the interior point method."""
        n, g, r = self.columns.y.size, self.apart.size, self.rest.size
        return Interior(
            of_samples=np.empty((9, n)),
            terms=np.empty(BLOCK),
            diagonal=np.empty(g),
            cross=np.empty((g, r)),
            rest=np.empty((r, r)),
            g_apart=np.empty(g),
            g_rest=np.empty(r),
            d_apart=np.empty(g),
            d_rest=np.empty(r),
        )

    def least_squares(self, state: Interior) -> None:
        """The normal equations of least squares for the targets, into `state`."""
        state.q[:] = self.columns.w
        np.negative(self.columns.y, out=state.r)
        self.weigh(state)

    def weigh(self, state: Interior) -> None:
        """The normal equations with the weights and the right side of `state`."""
        weigh(self.columns, state)
        dense, q = self.columns.dense, state.q
        square = state.rest[: len(dense), : len(dense)]
        for low in range(0, q.size if len(dense) else 0, _AT_ONCE):
            part = dense[:, low : low + _AT_ONCE]
            square += (part * q[low : low + _AT_ONCE]) @ part.T

    def whole(self, of_apart: Floats, of_rest: Floats) -> Floats:
        """One vector (q,) from those of both kinds of columns."""
        found = np.empty(self.apart.size + self.rest.size)
        found[self.apart], found[self.rest] = of_apart, of_rest
        return found


class Normal:
    """The normal equations in `state`, factorised: S = rest - cross' diagonal^-1 cross."""

    def __init__(self, state: Interior, ridge: float = 1e-15) -> None:
        self.state = state
        self.diagonal = state.diagonal.copy()
        self.shares = state.cross / self.diagonal[:, None]
        square = state.rest - state.cross.T @ self.shares
        place = np.arange(len(square))
        square[place, place] += ridge * state.rest[place, place]
        self.square = square
        self.root, self.failed = square, False
        if square.size:
            self.root, failed = lapack.dpotrf(square, lower=1)
            self.failed = bool(failed)

    def solve(self) -> None:
        """The solution for the right side in `state`."""
        state = self.state
        rest = state.g_rest - self.shares.T @ state.g_apart
        if rest.size:
            rest = lapack.dpotrs(self.root, rest, lower=1)[0]
        state.d_rest[:] = rest
        state.d_apart[:] = state.g_apart / self.diagonal - self.shares @ rest


__all__ = ["Normal", "Parts"]
