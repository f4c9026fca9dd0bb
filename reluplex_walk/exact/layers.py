"""`ExactLayers`: the layers above the trained one in rational arithmetic, a step at a time.

Values at points, derivatives along a direction and coefficients of affine functions are all rows of
one number per neuron, and the same step takes them upwards; they differ in their share of the
biases alone.
"""

from fractions import Fraction
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..problem.loss import LayerLoss
from .rationals import Objects, Rationals


class ExactLayers:
    """Weights, biases and slopes of a `LayerLoss` above the trained layer, as they are."""

    def __init__(self, loss: LayerLoss) -> None:
        self.weights = [Rationals.of(np.column_stack([w, b])) for w, b in loss.tail]
        self.slope = Fraction(loss.network.negative_slope)

    def slopes(self, positive: NDArray[np.bool_]) -> Objects:
        """Numerators of the slopes, over the denominator of ``slope``.

        NumPy must not choose the type: such integers can be longer than its own.
        """
        num = np.full(positive.shape, self.slope.numerator, object)
        num[positive] = self.slope.denominator
        return num

    def above(
        self, stage: int, rows: Rationals, positive: NDArray[np.bool_], biases: Any
    ) -> Rationals:
        """Rows (..., width) of the stage above, from the `rows` of pre-activations of `stage`.

        `positive` (..., width) says where these are positive.  `biases`, an integer or an array
        (..., 1) of them, is 1 for values at points and constants of affine functions, 0 for
        derivatives and other coefficients.
        """
        layer = self.weights[stage]
        num = (rows.num * self.slopes(positive)) @ layer.num[:, :-1].T
        den = rows.den * self.slope.denominator
        return Rationals(num + biases * (den * layer.num[:, -1]), den * layer.den)


__all__ = ["ExactLayers"]
