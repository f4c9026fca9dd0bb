"""The loss of samples that are held out, and the network that is best for them."""

import numpy as np

from ...problem.network import ReLUNetwork
from .problem import Samples, data_loss

_GAIN = 1e-4  # share of the held-out loss by which a better one is better


class HeldOut:
    """Looks at networks on `samples` that are held out of training."""

    def __init__(self, samples: Samples, kind: str, tau: float | None) -> None:
        self.samples, self.kind, self.tau = samples, kind, tau
        self.least = np.inf  # mean loss per sample (by weight)
        self.best: ReLUNetwork | None = None
        self.fresh = False  # a better one was found since the last call of `stale`

    def look(self, network: ReLUNetwork) -> None:
        """Take `network` if it is the best so far."""
        here = self.mean(network)
        if here < self.least:
            self.fresh = self.fresh or not here >= self.least * (1.0 - _GAIN)
            self.least, self.best = here, network

    def mean(self, network: ReLUNetwork) -> float:
        """Mean loss per sample."""
        total = float(self.samples.weight.sum()) or 1.0
        return data_loss(network, self.samples, self.kind, self.tau) / total

    def stale(self) -> bool:
        """Whether nothing better was found since the last call."""
        fresh, self.fresh = self.fresh, False
        return not fresh


def split(samples: Samples, share: float, rng: np.random.Generator) -> tuple[Samples, Samples]:
    """The samples to train on, and a random `share` of them that is held out."""
    n = len(samples.X)
    held = min(max(1, round(share * n)), n - 1)
    order = rng.permutation(n)
    return samples.take(np.sort(order[held:])), samples.take(np.sort(order[:held]))


__all__ = ["HeldOut", "split"]
