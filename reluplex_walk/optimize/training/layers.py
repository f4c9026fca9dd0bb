"""Exact steps: walks of single layers, the others as they are, and the certificates of all.

At a common minimum of several layers more breakpoints vanish than any one layer needs, and no
floats hold the exact vertices of all: rounding one layer moves the vertices of the others by their
last digits.  So a layer counts as certified if its certificate, which is about the loss of that
layer in the very network that is handed over, has a point that the layer's floats reproduce: as
near in loss as any claim demands, and in parameters up to `near`.
"""

from collections.abc import Sequence
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from ..._limits import Limits
from ...exact.loss import ExactLoss
from ...exact.rationals import Rationals
from ...problem.loss import LayerLoss
from ...problem.network import ReLUNetwork
from ...proof.certificate import Certificate
from ...simplex.records import WalkOptions
from ...simplex.trajectory import Trajectory
from ...simplex.walker import Walker
from ...tolerances import OPTIMIZE, PROOF
from .problem import Problem

Floats = NDArray[np.float64]

_GAIN = 1e-3  # of the loss: what a pass has to gain to be followed by another, in the search
_LEAST = 1e-12  # the same where the end is to be proved
_PASSES = 60  # at most, there
_TRIES = 3  # walks for a proof
_STRIDE = 2.0**20  # passes whose way may be gone at once
_ROUNDS = 12  # of proofs: flat faces are left for their vertices, which the others have to follow


def walk_layers(
    problem: Problem, network: ReLUNetwork, limits: Limits, passes: int, gain: float = _GAIN
) -> tuple[ReLUNetwork, float]:
    """`network` after walks of its layers, from the output down, and its loss; nothing is proved.

    Up to so many `passes` through the layers, while each gains that share of the loss.
    """
    least = problem.objective(network)
    for _ in range(passes):
        before, came_from = least, network
        for layer in reversed(problem.layers):
            if limits.over is not None:
                return network, least
            loss = problem.layer_loss(network, layer)
            walker = Walker(loss, WalkOptions(step="long"), thorough=False)
            walker.begin(loss.theta)
            theta = walker.walk(Limits(seconds=limits.left)).theta
            moved = network.with_layer(layer, theta)
            here = problem.objective(moved)
            if here < least:
                network, least = moved, here
        network, least = _stride(problem, came_from, network, least)
        if before - least <= gain * before:
            break
    return network, least


def settle(problem: Problem, network: ReLUNetwork, limits: Limits) -> ReLUNetwork:
    """`network` after as many passes as lower its loss by more than rounding."""
    return walk_layers(problem, network, limits, _PASSES, _LEAST)[0]


def certify(
    problem: Problem, network: ReLUNetwork, limits: Limits, proof_budget: float, seed: int
) -> tuple[ReLUNetwork, dict[int, Certificate]]:
    """`network`, led on where proofs show a way down, and certificates of its layers as it is.

    Layers for which time or `proof_budget` (seconds of work each) did not suffice have none, or
    one that claims nothing.
    """
    options = WalkOptions(step="long", seed=seed, proof_budget=proof_budget)
    found: dict[int, Certificate] = {}
    for _ in range(_ROUNDS):
        came_from = network
        for layer in reversed(problem.layers):
            if layer in found:
                continue
            if limits.over is not None:
                return network, found
            loss = problem.layer_loss(network, layer)
            here = loss.theta
            traj = _proved(loss, options, limits)
            if traj.ended.early:
                return network, found
            if reproduces(loss, here, traj.certificate):
                found[layer] = traj.certificate
            else:
                network, found = network.with_layer(layer, traj.theta), {}  # it is another one now
        if len(found) == len(problem.layers):
            break
        moved, _ = _stride(problem, came_from, network, problem.objective(network))
        if moved is not network:
            network, found = settle(problem, moved, limits), {}
    return network, found


def _proved(loss: LayerLoss, options: WalkOptions, limits: Limits) -> Trajectory:
    """A walk from where the layer is; from just beside it, where that proves nothing."""
    rng, start = np.random.default_rng(options.seed), loss.theta
    for _ in range(_TRIES):
        walker = Walker(loss, options)
        walker.begin(start)
        traj = walker.walk(Limits(seconds=limits.left))
        if traj.ended.early or traj.certificate.is_local_minimum:
            break
        start = loss.theta * (1.0 + OPTIMIZE.near * rng.uniform(-1.0, 1.0, loss.shape))
    return traj


def _stride(
    problem: Problem, before: ReLUNetwork, network: ReLUNetwork, least: float
) -> tuple[ReLUNetwork, float]:
    """The lowest point found further on in the direction of a pass, and its loss.

    Passes that zigzag along a valley of several layers would take many (Hooke and Jeeves 1961).
    """
    steps = {
        layer: network.layer_parameters(layer) - before.layer_parameters(layer)
        for layer in problem.layers
    }
    best, stride = network, 1.0
    while stride <= _STRIDE and any(step.any() for step in steps.values()):
        moved = network
        for layer, step in steps.items():
            moved = moved.with_layer(layer, network.layer_parameters(layer) + stride * step)
        here = problem.objective(moved)
        if not here < least * (1.0 - _LEAST):  # no more than rounding
            break
        best, least, stride = moved, here, 2.0 * stride
    return best, least


def reproduces(loss: LayerLoss, theta: Floats, certificate: Certificate) -> bool:
    """Whether `theta` (h, q) is the point of `certificate` as far as floats need to hold it."""
    size = max(float(np.abs(theta).max()), float(np.abs(certificate.theta).max()))
    distance = float(np.abs(theta - certificate.theta).max())
    return distance <= OPTIMIZE.near * size and gap(loss, theta, certificate) <= allowed(
        loss, Fraction(certificate.loss)
    )


def gap(loss: LayerLoss, theta: Floats, certificate: Certificate) -> Fraction:
    """The loss at `theta` above that of the certificate, in rational arithmetic."""
    exact, point = ExactLoss(loss), Rationals.of(theta.ravel())
    return exact.loss_at(point, exact.signs(point)) - Fraction(certificate.loss)


def allowed(loss: LayerLoss, value: Fraction) -> Fraction:
    """How far above an exact minimum of that `value` a claim about floats may lie."""
    return Fraction(PROOF.gap_share) * value + Fraction(PROOF.gap_targets) * Fraction(
        loss.target_size
    )


def ordered(found: dict[int, Certificate], n_layers: int) -> Sequence[Certificate | None]:
    """Certificates by layer, None where there is none."""
    return tuple(found.get(layer) for layer in range(n_layers))


__all__ = ["allowed", "certify", "gap", "ordered", "reproduces", "settle", "walk_layers"]
