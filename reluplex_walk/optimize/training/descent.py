"""The way down: gradient steps on all layers at once, in standardised units.

Adam (Kingma and Ba, arXiv 1412.6980) with a step size that falls to 0 as a cosine.  Units are
standardised, so the sizes of steps are constants, and what it ends at is only a start for the exact
steps: no result depends on a learning rate being right.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ..._limits import Limits
from ...problem.network import ReLUNetwork
from .problem import Problem

Floats = NDArray[np.float64]

_LOOK = 100  # steps between two looks at the limits
_BETA1, _BETA2, _EPS = 0.9, 0.999, 1e-8


def descend(
    problem: Problem,
    network: ReLUNetwork,
    steps: int,
    size: float,
    limits: Limits,
    watch: Callable[[ReLUNetwork], None] | None = None,
) -> tuple[ReLUNetwork, float]:
    """The lowest point of so many steps from `network` (for standardised data), and its loss.

    `watch` is shown the network now and then.
    """
    loss, tolls = problem.inner_loss(network), problem.tolls(network)
    theta, rows = loss.theta, loss.passes.rows
    total = float(problem.samples.weight.sum()) or 1.0
    best, least = theta, np.inf
    mean, square = np.zeros_like(theta), np.zeros_like(theta)
    for step in range(steps + 1):
        value, gradient = loss.passes.value_and_gradient(theta, rows)
        if tolls is not None:
            value += float(tolls @ np.abs(theta))
            gradient = gradient + tolls * np.sign(theta)
        if not value < np.inf:
            break
        if value < least:
            best, least = theta, value
        if step == steps:
            break
        if step % _LOOK == 0 and step:
            if watch is not None:
                watch(loss.network_at(theta))
            if limits.over is not None:
                break
        gradient = gradient / total
        mean += (1.0 - _BETA1) * (gradient - mean)
        square += (1.0 - _BETA2) * (gradient * gradient - square)
        rate = size * 0.5 * (1.0 + np.cos(np.pi * step / steps))
        scale = np.sqrt(square / (1.0 - _BETA2 ** (step + 1))) + _EPS
        theta = theta - rate / (1.0 - _BETA1 ** (step + 1)) * mean / scale
    return loss.network_at(best), least * problem.units.y_scale


__all__ = ["descend"]
