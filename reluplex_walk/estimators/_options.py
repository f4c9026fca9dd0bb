"""What estimators of networks are asked for, checked."""

from typing import Any, NamedTuple

import numpy as np
from sklearn.utils import check_random_state

from .._validate import integer, real, share

OUTPUT_SHARE = 0.05
"""Penalty of the exact output layer, as a share of that of all steps."""

FEWEST = 10
"""Rows that differ, below which none are held out."""


class Options(NamedTuple):
    """The checked parameters of estimators of networks."""

    hidden: list[int]
    penalty: float
    n_nets: int
    held: float | None
    n_steps: int
    seed: int

    @classmethod
    def of(cls, estimator: Any) -> "Options":
        """Of an estimator."""
        hidden = estimator.hidden
        hidden = [hidden] if np.ndim(hidden) == 0 else list(hidden)
        if not hidden:
            raise ValueError("hidden: expected the width of at least one hidden layer, found none")
        penalty = real("penalty", estimator.penalty)
        if penalty < 0.0:
            raise ValueError(f"penalty: expected a number >= 0, found {penalty}")
        held = estimator.validation_fraction
        return cls(
            [integer(f"hidden[{k}]", width, 1) for k, width in enumerate(hidden)],
            penalty,
            integer("n_nets", estimator.n_nets, 1),
            None if held is None else share("validation_fraction", held),
            integer("n_steps", estimator.n_steps, 1),
            check_random_state(estimator.random_state).randint(2**31 - 1),
        )


__all__ = ["FEWEST", "OUTPUT_SHARE", "Options"]
