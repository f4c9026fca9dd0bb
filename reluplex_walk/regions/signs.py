"""Exact signs for the subdivision into regions, where floating point leaves doubt.

Floats are rationals: a vertex is the solution of a rational linear system, and the value of a
breakpoint there a rational number.
"""

from collections.abc import Callable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from ..exact.rationals import Objects, Rationals, from_fractions, reduce
from ..native import region_arrays as native
from ..native.region_arrays import Stack
from ..problem.loss import LayerLoss

Floats = NDArray[np.float64]
Rational = list[Fraction]


def rationals(array: Floats) -> list[Rational]:
    """The rows of a float matrix, exactly."""
    return [[Fraction(float(v)) for v in row] for row in array]


class ExactSigns:
    """Signs of breakpoints on rays.

    ``trained(i)`` are the coefficients (h, D + 1) of the trained layer's pre-activations on sample
    i, `window` the bounds (D,) of the coordinates, if there are any.
    """

    def __init__(
        self,
        loss: LayerLoss,
        trained: Callable[[int], list[Rational]],
        window: tuple[Floats, Floats] | None,
    ) -> None:
        self.loss = loss
        self.trained = trained
        self.window = window
        self.tail = [(rationals(w), rationals(b[None])[0]) for w, b in loss.tail]
        self.leak = Fraction(loss.network.negative_slope)

    def __call__(self, stack: Stack, c: int, ray: int) -> int:
        """The sign of breakpoint `c` on ray number `ray` of the node on top of the stack."""
        top = int(stack.number[native.N_FRAMES]) - 1
        slots = np.arange(stack.facet.shape[1])
        bits = stack.on[ray, slots // 64] >> (slots % 64).astype(np.uint64) & np.uint64(1)
        facets = stack.facet[top, bits == 1]
        exact = _direction([self._facet(stack, int(f)) for f in facets], stack.ray[ray])
        f = self._breakpoint(stack, c)
        value = sum((a * b for a, b in zip(f, exact, strict=True)), Fraction(0))
        return (value > 0) - (value < 0)

    def _facet(self, stack: Stack, facet: int) -> Rational:
        """Coefficients (D + 1) of the function that vanishes on a facet."""
        if facet >= 0:
            return self._breakpoint(stack, facet)
        row = [Fraction(0)] * stack.f.size
        if facet == native.INFINITY:
            row[-1] = Fraction(1)
            return row
        assert self.window is not None
        high, k = divmod(native.BORDER - facet, stack.f.size - 1)
        row[k], row[-1] = Fraction(1), -Fraction(float(self.window[high][k]))
        return row

    def _breakpoint(self, stack: Stack, c: int) -> Rational:
        """Coefficients (D + 1) of a breakpoint, with the signs decided in the top node."""
        kernel = self.loss.kernel
        n, m = kernel.x.shape[1], kernel.owner.size
        hidden = int(kernel.row[self.loss.n_hidden])
        residual = c >= hidden * n
        row, column = divmod(c - hidden * n, m) if residual else divmod(c, n)
        row += hidden * residual
        sample = int(kernel.owner[column]) if residual else column
        values = self.trained(sample)
        for stage in range(int(kernel.stage[row])):
            w, b = self.tail[stage]
            first = int(kernel.row[stage])
            slopes = [
                Fraction(1) if stack.side[first + k, sample] > 0 else self.leak
                for k in range(len(values))
            ]
            values = [
                [
                    sum(
                        (w[a][k] * slopes[k] * values[k][e] for k in range(len(values))),
                        Fraction(0),
                    )
                    for e in range(stack.f.size)
                ]
                for a in range(len(w))
            ]
            for a in range(len(w)):
                values[a][-1] += b[a]
        f = values[row - int(kernel.row[kernel.stage[row]])]
        if residual:
            f[-1] -= Fraction(float(kernel.y[row - hidden, column]))
        return f


def _direction(rows: list[Rational], ray: Floats) -> Objects:
    """The vector (D + 1,) orthogonal to `rows`, of rank D, on the side of `ray`.

    Facets that miss a ray by rounding alone count as facets it lies on, and the rank may be D + 1:
    the vector is then orthogonal to the D rows that are farthest from parallel.
    """
    form, pivots = reduce(from_fractions(np.array(rows, object)).num)
    if len(pivots) == ray.size:
        units = [[float(v / max(map(abs, row))) for v in row] for row in rows]
        order = linalg.qr(np.array(units).T, mode="r", pivoting=True)[1]
        return _direction([rows[k] for k in order[: ray.size - 1]], ray)
    free = next(k for k in range(ray.size) if k not in pivots)
    direction = np.zeros(ray.size, object)
    direction[pivots] = -form.num[:, free]
    direction[free] = form.den
    return direction if Rationals(direction, 1).unit() @ ray > 0 else -direction
