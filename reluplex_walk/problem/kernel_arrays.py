"""A loss as the arrays that the kernels of :mod:`reluplex_walk.native` read."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..native.arrays import KernelArrays

Floats = NDArray[np.float64]


def kernel_arrays(
    x: Floats,
    tail: list[tuple[Floats, Floats]],
    negative_slope: float,
    owner: NDArray[np.int64],
    targets: Floats,
    left: Floats,
    right: Floats,
    penalised: Floats | None = None,
    penalty: float = 0.0,
) -> KernelArrays:
    """The record of a loss from its distinct inputs `x` (n, q), in the units of the kernels.

    A column of ones among them stands for the biases of the trained layer.
    `tail` are weights and biases of the layers above; `owner` (m,), `targets`, `left` and `right`
    (m, K) the sample, the target and the slopes of the loss of each residual row.  Rows `penalised`
    (p, q) make the parameters of a neuron its weights, which cost `penalty` each.
    """
    samples = len(x)
    if penalised is not None:
        x = np.concatenate([x, penalised])
        if not tail:  # weights are samples of a linear function, with targets 0
            owner = np.concatenate([owner, np.arange(samples, len(x))])
            none, cost = np.zeros((len(penalised), targets.shape[1])), penalty
            targets = np.concatenate([targets, none])
            left, right = (np.concatenate([part, none + cost]) for part in (left, right))
            samples = len(x)
    x = writable(x)
    widths = np.array([*(w.shape[1] for w, _ in tail), targets.shape[1]], np.int64)
    sizes = [w.size for w, _ in tail]
    counts = np.bincount(owner, minlength=len(x))
    return KernelArrays(
        x=writable(x.T),
        xt=x,
        w=np.concatenate([np.zeros(0), *(w.ravel() for w, _ in tail)]),
        offset=np.concatenate([[0, 0], np.cumsum(sizes)])[: widths.size].astype(np.int64),
        bias=np.concatenate([np.zeros(widths[0]), *(b for _, b in tail)]),
        widths=widths,
        row=np.concatenate([[0], np.cumsum(widths)]).astype(np.int64),
        stage=np.repeat(np.arange(widths.size), widths).astype(np.int64),
        first=np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        owner=owner.astype(np.int64),
        y=writable(targets.T),
        left=writable(left.T),
        right=writable(right.T),
        mean_slope=(1.0 + negative_slope) / 2.0,
        half_jump=(1.0 - negative_slope) / 2.0,
        samples=np.array([samples], np.int64),
        penalty=penalty,
    )


def writable(part: Any) -> Any:
    """`part`, if an array, as a plain one that may be written to, a copy where it is not.

    Kernels are compiled for such arrays; for read-only ones, as joblib maps them into workers, all
    would be compiled again.
    """
    if not isinstance(part, np.ndarray):
        return part
    if type(part) is np.ndarray and part.flags.carray:  # a fit of few samples takes many
        return part
    return np.require(np.asarray(part), requirements=["C", "W"])


__all__ = ["kernel_arrays", "writable"]
