"""Toy data for examples and regression tests, with what is known of their least losses."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from ._dataset import Dataset
from ._validate import integer, real
from .problem.network import ReLUNetwork

Floats = NDArray[np.float64]

_GRID = 8.0  # teachers and their inputs are multiples of 1/8: what they compute is not rounded


def make_xor(n: int = 4, noise: float = 0.0, seed: int = 0) -> Dataset:
    """The corners of the unit square, labelled by exclusive or: +1 where the inputs differ.

    No line separates the labels.  Without noise and for `n` a multiple of 4, the least L1 loss of
    an affine function is `n`, and so is its least hinge loss: that of the constant 0.  A 2-2-1
    network has loss 0 in both: ``2 max(0, a + b) - 4 max(0, a + b - 1) - 1``.

    Parameters
    ----------
    n : int, default 4
        Samples, taken from the four corners in turn.
    noise : float, default 0.0
        Standard deviation of the normal noise added to the inputs.
    seed : int, default 0
        Of the noise.

    Returns
    -------
    Dataset
        ``X`` (n, 2): ``a``, ``b``.  ``y`` (n,): ``label``, -1 or +1.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data = rw.datasets.make_xor()
    >>> data.X.tolist(), data.y.tolist()
    ([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], [-1.0, 1.0, 1.0, -1.0])
    >>> net = rw.ReLUNetwork([[[1, 1], [1, 1]], [[2, -4]]], [[0, -1], [-1]])
    >>> losses = [rw.LayerLoss(net, data.X, data.y, kind=kind) for kind in ("l1", "hinge")]
    >>> [loss(net.layer_parameters(0)) for loss in losses]
    [0.0, 0.0]
    >>> rw.lad(data.X, data.y).loss
    4.0
    """
    _check(n, noise, seed)
    corners = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    X = corners[np.arange(n) % 4]
    y = np.where(X[:, 0] == X[:, 1], -1.0, 1.0)
    return _labelled("xor", X, y, noise, seed)


def make_moons(n: int = 100, noise: float = 0.0, seed: int = 0) -> Dataset:
    """Two half circles of radius 1 that reach into each other.

    No line separates the labels.  Without noise a 2-3-1 network has hinge loss 0 (see the example):
    the margin to the broken line ``b = a + 3/4 - 2 max(0, a) + 2 max(0, a - 1)`` is at least 1/4.

    Parameters
    ----------
    n : int, default 100
        Samples: the first half, rounded up, on the upper half circle, around (0, 0), the others on
        the lower one, around (1, 1/2); at equal angles.
    noise : float, default 0.0
        Standard deviation of the normal noise added to the inputs.
    seed : int, default 0
        Of the noise.

    Returns
    -------
    Dataset
        ``X`` (n, 2): ``a``, ``b``.  ``y`` (n,): ``label``, +1 on the upper half circle, else -1.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data = rw.datasets.make_moons(200)
    >>> net = rw.ReLUNetwork(
    ...     [[[1, 0], [1, 0], [-1, 1]], [[8, -8, 4]]], [[0, -1, 10], [-43]]
    ... )  # 4 times the distance above the broken line
    >>> loss = rw.LayerLoss(net, data.X, data.y, kind="hinge")
    >>> loss(net.layer_parameters(0))
    0.0
    """
    _check(n, noise, seed)
    upper = (n + 1) // 2
    s, t = np.linspace(0.0, np.pi, upper), np.linspace(0.0, np.pi, n - upper)
    X = np.concatenate(
        [
            np.column_stack([np.cos(s), np.sin(s)]),
            np.column_stack([1.0 - np.cos(t), 0.5 - np.sin(t)]),
        ]
    )
    y = np.where(np.arange(n) < upper, 1.0, -1.0)
    return _labelled("moons", X, y, noise, seed)


def make_spirals(n: int = 100, noise: float = 0.0, seed: int = 0, turns: float = 1.5) -> Dataset:
    """Two spirals around the origin, each the other turned by half a circle.

    A hard case for small networks; no least loss is known.  For even `n` and without noise the
    samples k and k + n/2 are opposite, with opposite labels: ``f(x)`` and ``-f(-x)`` have the same
    loss, so that minima come in pairs.

    Parameters
    ----------
    n : int, default 100
        Samples: the first half, rounded up, on the first spiral.
    noise : float, default 0.0
        Standard deviation of the normal noise added to the inputs.
    seed : int, default 0
        Of the noise.
    turns : float, default 1.5
        How often each goes around; its radius grows from 1/4 to 1 in equal steps.

    Returns
    -------
    Dataset
        ``X`` (n, 2): ``a``, ``b``.  ``y`` (n,): ``label``, +1 on the first spiral, else -1.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data = rw.datasets.make_spirals(60)
    >>> bool((data.X[30:] == -data.X[:30]).all()), float(data.y.sum())
    (True, 0.0)
    """
    _check(n, noise, seed)
    turns = real("turns", turns)
    first = (n + 1) // 2
    radius = np.linspace(0.25, 1.0, first)
    angle = np.linspace(0.0, 2.0 * np.pi * turns, first)
    arm = np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])
    X = np.concatenate([arm, -arm[: n - first]])
    y = np.where(np.arange(n) < first, 1.0, -1.0)
    return _labelled("spirals", X, y, noise, seed)


def make_teacher(
    n: int = 100, widths: Iterable[int] = (2, 3, 1), noise: float = 0.0, seed: int = 0
) -> tuple[Dataset, ReLUNetwork]:
    """What a random network makes of random inputs, and that network.

    Without noise the least loss of a network of these widths is 0, at the parameters of the
    teacher: in floats, too, for up to ten layers, as parameters and inputs are multiples of 1/8.
    With noise the L1 loss there is the sum of the sizes of the noise, and the least is not above.

    Parameters
    ----------
    n : int, default 100
    widths : iterable of int, default (2, 3, 1)
        Inputs, neurons of the hidden layers, and 1 output.
    noise : float, default 0.0
        Standard deviation of the normal noise added to the targets.
    seed : int, default 0
        Of the network, the inputs (in (-3, 3)) and the noise.

    Returns
    -------
    data : Dataset
        ``X`` (n, inputs): ``x0``, ``x1``, ...  ``y`` (n,): ``y``.
    teacher : ReLUNetwork
        With parameters in (-1, 1).

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data, teacher = rw.datasets.make_teacher(50)
    >>> loss = rw.LayerLoss(teacher, data.X, data.y)
    >>> loss(teacher.layer_parameters(0))
    0.0
    >>> rw.walk(loss, teacher.layer_parameters(0)).status.name
    'GLOBAL_MINIMUM'
    """
    _check(n, noise, seed)
    rng = np.random.default_rng(seed)
    drawn = ReLUNetwork.random(widths, seed=rng)
    if drawn.widths[-1] != 1:
        raise ValueError(f"widths: expected one output, found {drawn.widths[-1]}")
    teacher = ReLUNetwork([_on_grid(w) for w in drawn.weights], [_on_grid(b) for b in drawn.biases])
    X = _on_grid(rng.uniform(-3.0, 3.0, (n, teacher.widths[0])))
    y = teacher(X)[:, 0] + noise * rng.standard_normal(n)
    names = tuple(f"x{j}" for j in range(teacher.widths[0]))
    source = f"a random {'-'.join(map(str, teacher.widths))} network, noise {noise:g}, seed {seed}"
    return _dataset("teacher", X, y, names, "y", source), teacher


def _on_grid(numbers: Floats) -> Floats:
    return np.asarray(np.round(numbers * _GRID) / _GRID) + 0.0


def _check(n: int, noise: float, seed: int) -> None:
    integer("n", n, 2)
    integer("seed", seed, 0)
    if real("noise", noise) < 0.0:
        raise ValueError(f"noise: expected a number >= 0, found {noise}")


def _labelled(name: str, X: Floats, y: Floats, noise: float, seed: int) -> Dataset:
    X = X + noise * np.random.default_rng(seed).standard_normal(X.shape)
    return _dataset(name, X, y, ("a", "b"), "label", f"made with noise {noise:g}, seed {seed}")


def _dataset(
    name: str, X: Floats, y: Floats, features: tuple[str, ...], target: str, source: str
) -> Dataset:
    X.flags.writeable = y.flags.writeable = False
    return Dataset(X, y, features, target, {}, source, name)


__all__ = ["make_moons", "make_spirals", "make_teacher", "make_xor"]
