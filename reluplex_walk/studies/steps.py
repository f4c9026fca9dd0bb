"""The points that a gradient method goes through, one by one: what `descend` does not keep."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._validate import LARGEST
from ..optimize.diverged import DivergedError
from ..optimize.methods import Method
from ..optimize.objective import Objective

Floats = NDArray[np.float64]

_GRADIENTS = 1 << 62  # no budget: the caller counts steps


class Step(NamedTuple):
    """Where a method rests before a step, the samples that the step sees, and its rate."""

    theta: Floats  # (d,)
    samples: NDArray[np.int64]  # (m,)
    rate: float


def steps(
    objective: Objective, method: Method, rate: float, seed: int, decay: bool = False
) -> Iterator[Step]:
    """Steps 1, 2, ... of the rate `rate`, with `decay` over the root of their number.

    They end where the method has no step to make, and with a DivergedError where floats no longer
    hold the loss or a gradient.  Without decay these are the steps that `descend` makes, bit for
    bit.
    """
    run: Any = method.begin(objective.start, rate, seed)
    number = 0
    while True:
        batch = objective.batch(number)
        if decay:
            run.learning_rate = rate / float(np.sqrt(number + 1.0))
        yield Step(run.theta.copy(), batch.samples, float(getattr(run, "learning_rate", np.nan)))
        try:
            if run.step(batch, _GRADIENTS) == 0:
                return
            objective.loss(run.theta)
            if np.abs(run.theta).max() > LARGEST:
                raise DivergedError("parameters are larger than networks take them")
        except ValueError as error:
            if number == 0:
                raise  # an option that does not fit
            raise DivergedError(str(error)) from None
        number += 1


__all__ = ["Step", "steps"]
