"""The memory that walks take, said before they are tried."""

from .._memory import require_memory
from ..problem.loss import LayerLoss

_MATRICES = 5  # of D x D: the edges, and what computing them takes for a moment


def require_room(loss: LayerLoss) -> None:
    """ValueError if the state of a walk on `loss` does not fit in memory."""
    dim, size = loss.n_free, state_size(loss)
    require_memory(
        f"loss: a walk on {dim} parameters and {len(loss.inputs)} samples",
        8.0 * (_MATRICES * dim**2 + size),
        "train a layer of fewer neurons or inputs, or take fewer samples",
    )


def state_size(loss: LayerLoss) -> int:
    """Numbers in the state of a walk on `loss`, but for matrices of D x D."""
    n, index = len(loss.inputs), loss.index
    return 3 * index.size + n * (4 * index.hidden_neurons + len(index.widths) + 8)


__all__ = ["require_room", "state_size"]
