"""What a network has to beat: the best constant and the best linear function, beside its own fit.

Each is said in the loss that is minimised (the sum over samples) and in words that need none: the
mean absolute error, or for classes the share that is decided rightly.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from .classes import accuracy

if TYPE_CHECKING:
    from ..problem.network import ReLUNetwork
    from .table import Table


class Comparison(NamedTuple):
    """Losses and errors, by name."""

    kind: str
    losses: dict[str, float]  # of what is compared with
    errors: dict[str, float]  # theirs: mean absolute errors, or accuracies

    @classmethod
    def of(cls, table: Table, kind: str, tau: float | None) -> Comparison:
        """The best constant and the best linear function of the `table`."""
        import numpy as np

        import reluplex_walk as rw

        X, y = table.X, table.y
        zeros = rw.ReLUNetwork([np.zeros((y.shape[1], X.shape[1]))], [np.zeros(y.shape[1])])
        flat = rw.with_fitted_output(zeros, 0.0 * X, y, kind, tau)
        linear = rw.with_fitted_output(zeros, X, y, kind, tau)
        found = rw.baselines(X, y, kind, tau)
        errors = {"constant": error(flat, table, kind), "linear": error(linear, table, kind)}
        return cls(kind, {"best_constant": found.constant, "best_linear": found.linear}, errors)

    def fields(self, network: ReLUNetwork, table: Table) -> dict[str, Any]:
        """What stands below the loss of `network` in a summary."""
        name = "accuracy" if self.kind == "hinge" else "mean_absolute_error"
        beside = {f"{name}_{each}": value for each, value in self.errors.items()}
        return {**self.losses, name: error(network, table, self.kind), **beside}


def above_of(beside: dict[str, float], loss: float, size: float) -> str:
    """Which losses `beside` it a `loss` lies above, in words; `size` is that of the targets."""
    words = {"best_constant": "the best constant", "best_linear": "the best linear function"}
    return " and ".join(
        f"{words[name]} ({value:.6g})"
        for name, value in beside.items()
        if loss > value * (1.0 + 1e-9) + 1e-12 * size
    )


def error(network: ReLUNetwork, table: Table, kind: str) -> float:
    """Mean absolute error of `network`; of classes, the share that it decides rightly."""
    import numpy as np

    outputs = network(table.X)
    if kind == "hinge":
        return accuracy(outputs, table.y, table.recipe.labels)
    return float(np.abs(outputs - table.y).mean())


__all__ = ["Comparison", "above_of", "error"]
