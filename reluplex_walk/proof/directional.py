"""The one-sided derivative F'(theta; d) at a degenerate vertex, in floats, and a search for F' < 0.

Samples without a vanishing breakpoint add a linear term; on the others the sides follow d.  A
descent is searched from random starts in one zero block alone and in all parameters; finding none
proves nothing.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .._limits import Limits
from ..native.arrays import FREE, PARKED, SLOPE_TOL, X_SIZE, KernelArrays, State
from ..native.walk import half_edges

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_ROWS = 256  # of the basis whose half-edges are held in memory together
_STARTS = 48  # directions searched together
_PART = 1 << 15  # numbers of a part of the directions: larger arrays cost page faults each time
_ROUNDS = 24  # subgradient steps for each
_MAX_NUMBERS = 4_000_000  # bound on the size of a batch of derivatives


class OneSided(NamedTuple):
    """F'(theta; .) at a vertex: a linear term and the samples on which something vanishes."""

    linear: Floats  # (h, q) gradient of the other samples' loss
    x: Floats  # (q, s) inputs of the samples kept
    side: Floats  # (R, s) sides of their hidden breakpoints, 0 where they vanish
    side_r: Floats  # (K, t) the same for their residual rows
    owner: NDArray[np.int64]  # (t,) sample of each residual row, ascending
    first: NDArray[np.int64]  # (s,) first residual row of each sample
    left: Floats  # (K, t)
    right: Floats  # (K, t)
    tail: list[Floats]  # weights of the stages above
    negative_slope: float
    block: Floats  # (h,) 1.0 where every sample's breakpoint of the neuron vanishes
    cost: Floats  # (h, q) of |d| at weights with a penalty that vanish; each is a parameter


def tail_weights(kernel: KernelArrays) -> list[Floats]:
    """Weights of stages 1..T as matrices."""
    widths, offset = kernel.widths, kernel.offset
    return [
        kernel.w[offset[t] : offset[t] + widths[t] * widths[t - 1]].reshape(widths[t], -1)
        for t in range(1, widths.size)
    ]


def local_model(kernel: KernelArrays, state: State) -> OneSided:
    """The one-sided derivative at the vertex `state` is at, as arrays."""
    hidden, samples = kernel.hidden, kernel.samples[0]
    zero = np.abs(state.z[:hidden, :samples]) >= PARKED / 2
    zero_r = np.abs(state.r) >= PARKED / 2
    cost, taken = _cost(kernel, state)
    kept: NDArray[np.bool_] = np.array(zero.any(axis=0))
    kept[kernel.owner[zero_r.any(axis=0)]] = True
    index = np.flatnonzero(kept)
    rows = np.flatnonzero(kept[kernel.owner])
    place = np.full(kept.size, -1)
    place[index] = np.arange(index.size)
    widths = kernel.widths
    model = OneSided(
        linear=np.zeros((widths[0], kernel.x.shape[0])),
        x=kernel.x[:, index],
        side=np.where(zero, 0.0, state.side[:hidden, :samples])[:, index],
        side_r=np.where(zero_r, 0.0, state.side_r)[:, rows],
        owner=place[kernel.owner[rows]],
        first=np.searchsorted(place[kernel.owner[rows]], np.arange(index.size)),
        left=kernel.left[:, rows],
        right=kernel.right[:, rows],
        tail=tail_weights(kernel),
        negative_slope=kernel.mean_slope - kernel.half_jump,
        block=zero[: widths[0]].all(axis=1).astype(float) if hidden else np.zeros(widths[0]),
        cost=cost,
    )
    # The gradient of all samples in the state's region, less that of the samples kept.
    inside = model._replace(side=state.side[:hidden][:, index], side_r=state.side_r[:, rows])
    _, kept_gradient = derivative(inside, np.zeros((1, *model.linear.shape)))
    linear = state.g.reshape(model.linear.shape) - kept_gradient[0] - taken
    return model._replace(linear=linear)


def _cost(kernel: KernelArrays, state: State) -> tuple[Floats, Floats]:
    """What the weights that vanish cost, and their part of the gradient, both (h, q)."""
    h, samples = int(kernel.widths[0]), kernel.samples[0]
    zero = np.abs(state.z[:h, samples:]) >= PARKED / 2
    each = kernel.penalty * kernel.x[:, samples:]  # (q, p): a weight is one parameter, in units
    side = np.where(zero, state.side[:h, samples:], 0.0)
    return zero @ each.T, side @ each.T


def derivative(model: OneSided, d: Floats) -> tuple[Floats, Floats]:
    """F'(theta; d) for directions `d` (m, h, q), and a gradient (m, h, q) of each one's piece."""
    each = max(model.linear.shape[0], model.side.shape[0]) * model.x.shape[1]
    parts = [_derivative(model, part) for part in _split(d, _PART // max(1, each))]
    slopes, gradients = zip(*parts, strict=True)
    return np.concatenate(slopes), np.concatenate(gradients)


def _split(d: Floats, length: int) -> list[Floats]:
    """`d` in parts of about `length`: the numbers of each then stay in the cache."""
    return np.array_split(d, max(1, len(d) // max(1, length)))


def _derivative(model: OneSided, d: Floats) -> tuple[Floats, Floats]:
    rates = d @ model.x  # (m, width, s)
    slopes, row = [], 0
    for w in model.tail:
        side = model.side[row : row + rates.shape[1]]
        row += rates.shape[1]
        positive = np.where(side == 0.0, rates, side) > 0.0
        slope = np.where(positive, 1.0, model.negative_slope)
        slopes.append(slope)
        rates = w @ (slope * rates)
    residual = rates[:, :, model.owner]
    positive = np.where(model.side_r == 0.0, residual, model.side_r) > 0.0
    rho = np.where(positive, model.right, -model.left)
    linear = model.linear + model.cost * np.sign(d)
    total = (rho * residual).sum(axis=(1, 2)) + (d * linear).sum(axis=(1, 2))
    back = np.add.reduceat(rho, model.first, axis=2) if model.first.size else rho
    for w, slope in zip(reversed(model.tail), reversed(slopes), strict=True):
        back = slope * (w.T @ back)
    return total, back @ model.x.T + linear


def slopes_along(model: OneSided, edges: Floats) -> Floats:
    """F' along directions (m, D), sides following d: (m,)."""
    parts = np.array_split(edges.reshape(-1, *model.linear.shape), 1 + len(edges) // _STARTS)
    return np.concatenate([derivative(model, part)[0] for part in parts])


def half_edge_parts(kernel: KernelArrays, state: State) -> Iterator[tuple[Ints, Floats]]:
    """All half-edges of the basis, some at a time: places (m,) among the 2r, and edges (m, D).

    The near ones come before the far ones.
    """
    active = np.flatnonzero(state.basis != FREE)
    for part in np.array_split(np.arange(active.size), 1 + active.size // _ROWS):
        edges = np.zeros((2 * part.size, state.basis.size))
        half_edges(kernel, state, active[part], edges)
        yield np.concatenate([part, active.size + part]), edges


def noise(state: State, d: Floats) -> Floats:
    """Slopes along `d` (..., D) that count as 0."""
    per_length = float(state.scalar[SLOPE_TOL] * state.scalar[X_SIZE])
    return np.asarray(per_length * np.linalg.norm(d, axis=-1))


def search(state: State, model: OneSided, seed: int, limits: Limits | None = None) -> Floats | None:
    """A direction (D,) of length 1 with F' < 0, searched from random starts; None if not found.

    It ends early where `limits` are over.
    """
    limits = limits or Limits()
    h, q = model.linear.shape
    rng = np.random.default_rng(seed)
    per_direction = max(1, (model.side.shape[0] + h + 1) * max(1, model.x.shape[1]))
    starts = int(np.clip(_MAX_NUMBERS // per_direction, 4, _STARTS))
    masks = [np.eye(h)[j] for j in np.flatnonzero(model.block)]
    for mask in [*masks, np.ones(h)]:
        found = _descend(model, state, rng.normal(size=(starts, h, q)), mask[:, None], limits)
        if found is not None or limits.over is not None:
            return found
    return None


def _descend(
    model: OneSided, state: State, d: Floats, mask: Floats, limits: Limits
) -> Floats | None:
    """Subgradient descent of F' on the unit sphere of the masked parameters, from all `d`."""
    for turn in range(_ROUNDS):
        if limits.over is not None:
            break
        d = d * mask
        d /= np.maximum(np.linalg.norm(d, axis=(1, 2), keepdims=True), 1e-300)  # may come to be 0
        slopes, gradient = derivative(model, d)
        best = int(np.argmin(slopes))
        if slopes[best] < -noise(state, d[best].ravel()):
            return d[best].ravel()
        gradient = gradient * mask
        size = np.linalg.norm(gradient, axis=(1, 2), keepdims=True)
        d = d - gradient / np.maximum(size, 1e-300) / (1.0 + 0.25 * turn)
    return None


__all__ = [
    "OneSided",
    "derivative",
    "half_edge_parts",
    "local_model",
    "noise",
    "search",
    "slopes_along",
    "tail_weights",
]
