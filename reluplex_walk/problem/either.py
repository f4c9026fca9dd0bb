"""What layer losses and network losses have in common for those who compute gradients by rows."""

import numpy as np
from numpy.typing import NDArray

from .block import Block
from .kinks import slopes
from .loss import LayerLoss
from .network_loss import NetworkLoss
from .passes import Passes, Rows
from .penalty import refuse

Loss = LayerLoss | NetworkLoss


def passes_of(loss: Loss) -> Passes:
    """The quick way through a loss, by the data rows as they were given."""
    if isinstance(loss, NetworkLoss):
        return loss.passes
    refuse(loss.penalty, "gradients by samples")
    left, right = slopes(loss.kind, loss.share, loss.y, loss.sample_weight[:, None])
    return Passes(Block(loss.network, (loss.layer,)), loss.X, loss.y, left, right, False)


def free_of(loss: Loss) -> NDArray[np.bool_]:
    """Which of the parameters (D,) move."""
    return loss.free.ravel() if isinstance(loss, LayerLoss) else np.ones(loss.dim, np.bool_)


def weighed(loss: Loss, passes: Passes) -> Rows:
    """The samples that have any weight."""
    kept = np.flatnonzero(loss.sample_weight)
    return passes.rows if len(kept) == len(loss.X) else passes.some(kept)


__all__ = ["Loss", "free_of", "passes_of", "weighed"]
