"""Exact signs for the subdivision into regions, where floating point leaves doubt.

Floats are rationals: a vertex is the solution of a rational linear system, and the value of a
breakpoint there a rational number.  In a box far from 0 an answer also brings the ray
without rounding: digits lost on the way to it are back.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy import linalg

from ..exact.layers import ExactLayers
from ..exact.rationals import Objects, Rationals, reduce
from ..native import region_arrays as native
from ..native.region_arrays import Stack
from ..problem.loss import LayerLoss

Floats = NDArray[np.float64]


class ExactSigns:
    """Signs of breakpoints on rays.

    ``trained(i)`` are the coefficients (D + 1, h) of the trained layer's pre-activations on sample
    i, `borders` those of the functions (2 D, D + 1) that vanish on the facets of the window, as
    integers, if there is one.
    """

    def __init__(
        self,
        loss: LayerLoss,
        trained: Callable[[int], Rationals],
        borders: Objects | None,
    ) -> None:
        self.loss = loss
        self.trained = trained
        self.borders = borders
        self.layers = ExactLayers(loss)

    def __call__(self, stack: Stack, c: int, ray: int) -> int:
        """The sign of breakpoint `c` on ray number `ray` of the node on top of the stack."""
        top = int(stack.number[native.N_FRAMES]) - 1
        slots = np.arange(stack.facet.shape[1])
        bits = stack.on[ray, slots // 64] >> (slots % 64).astype(np.uint64) & np.uint64(1)
        facets = stack.facet[top, bits == 1]
        exact = _direction([self._facet(stack, int(f)) for f in facets], stack.ray[ray])
        value = self._breakpoint(stack, c) @ exact
        if stack.number[native.N_FAR]:
            if (exact[-1] != 0) == (stack.ray[ray, -1] != 0.0):
                size = int(exact[-1]) or max(abs(v) for v in exact)
                stack.ray[ray] = Rationals(exact, size).floats()
            stack.scale[ray] = np.abs(stack.ray[ray, :-1]).max()
        return int(value > 0) - int(value < 0)

    def _facet(self, stack: Stack, facet: int) -> Objects:
        """Coefficients (D + 1) of the function that vanishes on a facet, as integers."""
        if facet >= 0:
            return self._breakpoint(stack, facet)
        row = np.zeros(stack.f.size, object)
        if facet == native.INFINITY:
            row[-1] = 1
            return row
        assert self.borders is not None
        return np.asarray(self.borders[native.BORDER - facet])

    def _breakpoint(self, stack: Stack, c: int) -> Objects:
        """Coefficients (D + 1) of a breakpoint, with the signs decided in the top node.

        As integers: times their denominator.
        """
        loss = self.loss
        stage, column, neuron = (int(part[0]) for part in loss.index.split(c))
        residual = stage == loss.n_hidden
        sample = int(loss.owner[column]) if residual else column
        rows, first = self.trained(sample), 0
        constants = np.zeros((stack.f.size, 1), int)
        constants[-1] = 1
        for t, width in enumerate(loss.index.widths[:stage]):
            positive = stack.side[first : first + width, sample] > 0
            rows = self.layers.above(t, rows, positive, biases=constants)
            first += width
        f = rows.num[:, neuron]
        if residual:
            target = Rationals.of(loss.targets[column, neuron])
            f = f * target.den
            f[-1] -= target.num.item() * rows.den
        return f


def borders(lower: Floats, upper: Floats) -> Objects:
    """The functions (2 D, D + 1) that vanish on the facets of a box in the coordinates."""
    bounds, eye = Rationals.of([*lower, *upper]), np.eye(len(lower), dtype=int).astype(object)
    return np.column_stack([np.concatenate([eye, eye]) * bounds.den, -bounds.num])


def _direction(rows: list[Objects], ray: Floats) -> Objects:
    """The vector (D + 1,) orthogonal to the integers `rows`, of rank D, on the side of `ray`.

    Facets that miss a ray by rounding alone count as facets it lies on, and the rank may be D + 1:
    the vector is then orthogonal to the D rows that are farthest from parallel.
    """
    form, pivots = reduce(np.array(rows, object))
    if len(pivots) == ray.size:
        units = np.array([Rationals(row, 1).unit() for row in rows])
        order = linalg.qr(units.T, mode="r", pivoting=True)[1]
        return _direction([rows[k] for k in order[: ray.size - 1]], ray)
    free = next(k for k in range(ray.size) if k not in pivots)
    direction = np.zeros(ray.size, object)
    direction[pivots] = -form.num[:, free]
    direction[free] = form.den
    return direction if Rationals(direction, 1).unit() @ ray > 0 else -direction
