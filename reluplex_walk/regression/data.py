"""The data of a regression, and the integers that it is solved on.

Columns of decimals are multiplied by powers of ten, and so are targets, weights and the two slopes
of the loss: floats then hold the numbers that were written without rounding, and ties are ties.
The exact solution is that of the data, but for these units.
"""

import warnings
from fractions import Fraction
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._validate import samples
from ..problem.aliased import RankWarning, find
from ..problem.decimals import places, written
from ..problem.loss import LayerLoss
from ..problem.network import ReLUNetwork
from .design import Samples

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Data(NamedTuple):
    """What a regression is given."""

    X: Floats  # (n, p)
    y: Floats  # (n,)
    w: Floats  # (n,)

    @classmethod
    def of(cls, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None) -> "Data":
        """The checked arguments of a regression."""
        shapes: list[Any] = [getattr(part, "shape", ()) for part in (X, y)]
        if all(len(s) == 2 and s[1] > 1 and s[0] == shapes[0][0] for s in shapes):
            raise ValueError(
                f"y: expected an array of shape ({shapes[1][0]},), found shape {shapes[1]}; choose "
                f"columns of y: there is one output; rw.quantile_responses(X, y) fits each"
            )
        inputs, targets, weight = samples(X, y, sample_weight)
        return cls(inputs, targets[:, 0], weight)

    def kept(self) -> "Data":
        """The samples of weight > 0."""
        if self.w.all():
            return self
        return Data(*(part[self.w > 0.0] for part in self))

    def places(self, decimals: bool = True) -> tuple[tuple[int | None, ...], int | None]:
        """Decimal places of the columns of X and of y; None for floats, or without `decimals`."""
        if not decimals:
            return (None,) * self.X.shape[1], None
        return places(self.X), places(self.y[:, None])[0]

    def problem(self, tau: float | None, fit_intercept: bool) -> LayerLoss:
        """The same as a loss of one linear layer, of which the user has been warned already."""
        p = self.X.shape[1]
        network = ReLUNetwork([np.zeros((1, p))], [np.zeros(1)])
        kind = "l1" if tau is None else "pinball"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RankWarning)
            return LayerLoss(
                network,
                self.X,
                self.y,
                kind=kind,
                tau=tau,
                sample_weight=self.w,
                fit_intercept=fit_intercept,
            )


class Units(NamedTuple):
    """By what the numbers of the data were multiplied, and which parameters are fitted."""

    fitted: Ints  # (q,) of the p + 1 coefficients, the intercept 0
    x: tuple[int, ...]  # (q,)
    y: int
    w: int

    def factors(self, samples: Samples) -> list[Fraction]:
        """What turns each of the parameters (q,) of the `samples` into a coefficient."""
        scale = samples.scale.tolist()
        return [Fraction(s) * x / self.y for s, x in zip(scale, self.x, strict=True)]


class Slopes(NamedTuple):
    """Slopes of the loss of a residual ``fit - y`` below and above 0, for weights 1."""

    below: Fraction
    above: Fraction
    unit: int  # by which both were multiplied
    floats: tuple[float, float]  # below and above, in the units of the data


@cache
def slopes_of(tau: float | None) -> Slopes:
    """Those of the pinball loss, without rounding; None: of the absolute value."""
    if tau is None:
        return Slopes(Fraction(1), Fraction(1), 1, (1.0, 1.0))
    level = np.array([tau])
    number, unit = written(level, *places(level[:, None]))
    below = Fraction(number.item())
    above = unit - below
    return Slopes(below, above, unit, (float(below / unit), float(above / unit)))


class Posed(NamedTuple):
    """A regression as the solver sees it."""

    samples: Samples  # of weight > 0, without aliased columns
    units: Units
    aliased: Ints  # columns of X that the constant and earlier columns determine up to rounding

    @classmethod
    def of(cls, kept: Data, intercept: bool) -> "Posed":
        """That of the samples of weight > 0."""
        posed = cls.whole(kept, intercept)
        empty = np.flatnonzero(posed.samples.largest[int(intercept) :] == 0.0)  # of rare categories
        some = posed.without(empty, intercept)
        if some.samples.independent():
            return some
        return posed.without(find(kept.X, intercept).columns, intercept)

    @classmethod
    def whole(cls, kept: Data, intercept: bool, decimals: bool = True) -> "Posed":
        """The same with all columns, whether aliased or not, X and y as floats on request."""
        k, of_y = kept.places(decimals)
        parts = [written(*part) for part in zip(kept.X.T, k, strict=True)]
        y, y_unit = written(kept.y, of_y)
        w, w_unit = written(kept.w, *places(kept.w[:, None]))
        samples = Samples.of([part for part, _ in parts], y, w, intercept)
        units = Units(
            fitted=np.arange(1 - intercept, len(parts) + 1),
            x=(*([1] if intercept else []), *(unit for _, unit in parts)),
            y=y_unit,
            w=w_unit,
        )
        return cls(samples, units, np.zeros(0, np.int64))

    def without(self, aliased: Ints, intercept: bool) -> "Posed":
        """The same without these columns."""
        if not len(aliased):
            return self
        samples, units = self[:2]
        rows = np.delete(np.arange(len(samples.x)), aliased + intercept)
        if not len(rows):
            raise ValueError("fit_intercept: expected True, found False where all inputs are 0")
        units = units._replace(
            fitted=units.fitted[rows], x=tuple(units.x[row] for row in rows.tolist())
        )
        return Posed(samples.only(rows), units, aliased)


__all__ = ["Data", "Posed", "Slopes", "Units", "slopes_of"]
