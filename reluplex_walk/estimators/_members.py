"""Networks that are averaged: rows put in order, folds held out, one network trained on the rest.

A member is led down by Adam's steps of all layers, from a start that adds nothing, to where its
held-out rows like it best; its output layer is then solved exactly.  Numbers are in standardised
units throughout.
"""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._limits import Limits
from ..problem.network import ReLUNetwork
from ..problem.network_loss import NetworkLoss

Floats = NDArray[np.float64]

_RATE = 0.01  # Adam's, for numbers near 1, falling to 0 along a cosine
_EVERY = 10  # steps between looks at the held-out rows
_HELD_OUT = 0.2  # share, if there is one member


class Loss(NamedTuple):
    """What is minimised."""

    kind: str
    tau: float | None


class Rows(NamedTuple):
    """Standardised samples."""

    X: Floats  # (n, p)
    y: Floats  # (n, k)
    w: Floats  # (n,)

    def some(self, where: NDArray[Any]) -> "Rows":
        return Rows(self.X[where], self.y[where], self.w[where])


class Trained(NamedTuple):
    """A network at its best for the held-out rows."""

    network: ReLUNetwork
    steps: int


def merged(X: Floats, y: Floats, weight: Floats | None) -> Rows:
    """Samples of weight > 0 in a canonical order, equal ones once with all their weight.

    So that a weight of 2 is the same as two rows, whatever is drawn at random.
    """
    weight = np.ones(len(y)) if weight is None else weight
    kept = weight > 0.0
    if not kept.any():
        raise ValueError("sample_weight: expected at least one weight > 0, found none")
    both, w = np.column_stack([X, y])[kept], weight[kept]
    both, which = np.unique(both, axis=0, return_inverse=True)
    p = X.shape[1]
    return Rows(both[:, :p], both[:, p:], np.bincount(which.ravel(), w).astype(float))


def centre_and_scale(X: Floats, w: Floats) -> tuple[Floats, Floats]:
    """Weighted means and standard deviations of columns, 1 for those that do not vary."""
    total = w.sum()
    mean = w @ X / total
    deviation = np.sqrt(w @ (X - mean) ** 2 / total)
    return mean, np.where(deviation > 1e-9 * np.abs(mean), deviation, 1.0)


def held_out(
    n: int, members: int, share: float | None, rng: np.random.Generator
) -> list[NDArray[np.bool_]]:
    """For each member the rows (n,) that it does not see: a fold, or a random share."""
    if share is None and members > 1:
        fold = rng.permutation(np.arange(n) % members)
        return [fold == k for k in range(members) if (fold == k).any()]
    size = min(max(round((share or _HELD_OUT) * n), 1), n - 1)
    return [rng.permutation(n) < size for _ in range(members)]


def start(widths: list[int], X: Floats, rng: np.random.Generator) -> Floats:
    """Random hidden layers, the kinks of the first at samples; outputs that are 0."""
    layers = []
    for k, (n_in, n_out) in enumerate(pairwise(widths)):
        weights, biases = rng.normal(size=(n_out, n_in)) * np.sqrt(2.0 / n_in), np.zeros(n_out)
        if k == 0:
            biases = -(weights * X[rng.integers(0, len(X), n_out)]).sum(axis=1)
        elif k == len(widths) - 2:
            weights[:] = 0.0
        layers.append(np.column_stack([weights, biases]).ravel())
    return np.concatenate(layers)


def train_member(
    seen: Rows, held: Rows, loss: Loss, theta: Floats, widths: list[int], penalty: float,
    steps: int, limits: Limits,
) -> Trained:  # fmt: skip
    """Adam's steps from `theta`, weights drawn to 0 by `penalty` times the length of each.

    (L1 shrinkage beside the step, as AdamW has it for squares.)  The network is the one of the
    least loss of the rows that are `held` out.
    """
    blank = ReLUNetwork.random(widths, seed=0)
    here, there = (
        NetworkLoss(blank, part.X, part.y, loss.kind, tau=loss.tau, sample_weight=part.w)
        for part in (seen, held)
    )
    total, rows, held_rows = seen.w.sum(), here.passes.rows, there.passes.rows
    pulled = _is_weight(widths)
    mean, square = np.zeros_like(theta), np.zeros_like(theta)
    best, least = theta, there.passes.value(theta, held_rows)
    for k in range(1, steps + 1):
        gradient = here.passes.value_and_gradient(theta, rows)[1] / total
        mean += 0.1 * (gradient - mean)
        square += 0.001 * (gradient * gradient - square)
        rate = 0.5 * _RATE * (1.0 + np.cos(np.pi * k / steps))
        size = np.sqrt(square / (1.0 - 0.999**k)) + 1e-8
        theta = theta - rate / (1.0 - 0.9**k) * mean / size
        shrunk = np.maximum(np.abs(theta) - rate * penalty, 0.0)
        theta = np.where(pulled, np.copysign(shrunk, theta), theta)
        if k % _EVERY == 0:
            value = there.passes.value(theta, held_rows)
            if value < least:
                best, least = theta, value
            if limits.look() is not None:
                break
    return Trained(here.network_at(best), k)


def _is_weight(widths: list[int]) -> NDArray[np.bool_]:
    """Which entries of all parameters are weights, not biases."""
    parts = []
    for n_in, n_out in pairwise(widths):
        layer = np.ones((n_out, n_in + 1), bool)
        layer[:, -1] = False
        parts.append(layer.ravel())
    return np.concatenate(parts)


__all__ = ["Loss", "Rows", "centre_and_scale", "held_out", "merged", "start", "train_member"]
