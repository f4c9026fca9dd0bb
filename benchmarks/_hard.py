"""Twenty hard problems that take long without a limit, for ``python -m benchmarks limits``."""

from collections.abc import Callable
from typing import Any

import numpy as np

import reluplex_walk as rw

Call = Callable[[dict[str, Any]], Any]


def _data(n: int, p: int, seed: int = 0) -> tuple[Any, Any]:
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p))
    return X, X[:, 0] - np.abs(X).sum(axis=1) + rng.standard_t(2, n)


def _loss(widths: list[int], n: int, seed: int = 0) -> rw.LayerLoss:
    return rw.LayerLoss(rw.ReLUNetwork.random(widths, seed=seed), *_data(n, widths[0], seed))


def _counts(n: int, levels: int, hidden: int, seed: int) -> rw.LayerLoss:
    """Counts and a factor, most targets 0: neurons end at 0 together."""
    rng = np.random.default_rng(seed)
    k = rng.integers(0, levels, n)
    X = np.column_stack([np.eye(levels)[k], rng.integers(0, 5, (n, 2))])
    y = np.where(rng.random(n) < 0.6, 0, rng.poisson(3, n)).astype(float)
    return rw.LayerLoss(rw.ReLUNetwork.random([levels + 2, hidden, 1], seed=seed), X, y)


def _walk(loss: rw.LayerLoss, **options: Any) -> Call:
    return lambda limits: rw.walk(loss, loss.theta, **options, **limits)


def _ties(n: int, p: int) -> tuple[Any, Any]:
    rng = np.random.default_rng(0)
    return rng.integers(0, 4, (n, p)) / 10, rng.integers(0, 9, n) / 10


def problems() -> dict[str, Call]:
    """Calls of public functions, given their limits: `time_limit`."""
    plane = _loss([4, 60, 30, 1], 3000)
    rng = np.random.default_rng(0)
    u, v = rng.normal(size=(2, *plane.shape))
    boxed = _loss([3, 3, 1], 40)
    some = rw.enumerate_regions(_loss([2, 3, 2, 1], 30), max_regions=5_000)
    ties, small = _ties(200_000, 30), _loss([4, 8, 1], 300)
    short = rw.walk(_loss([10, 20, 1], 20_000), max_pivots=200, step="long", proof="off")

    return {
        "walk, 20,000 samples": _walk(_loss([10, 20, 1], 20_000)),
        "walk, 1,000 parameters": _walk(_loss([49, 20, 1], 3000)),
        "walk, rule greatest": _walk(_loss([19, 10, 1], 2000), rule="greatest"),
        "walk, level gap": _walk(_loss([10, 20, 1], 3000), stop_at_level_gap=1e-9),
        "proof, zeros among counts": _walk(_counts(300, 6, 8, 5), step="long", proof_budget=1e3),
        "proof, factor": _walk(_counts(120, 9, 5, 0), step="long", proof_budget=1e3),
        "proof, exact pivots": _walk(
            rw.LayerLoss(rw.ReLUNetwork.random([29, 8, 1], seed=0), *_ties(400, 29)),
            step="long",
            proof_budget=1e3,
        ),
        "proof, plateau crossed": _walk(
            _counts(200, 4, 6, 1), step="long", plateau="cross", proof_budget=1e3
        ),
        "vertex_graph, 40 parameters": lambda limits: rw.vertex_graph(
            small, small.theta, max_vertices=10**7, **limits
        ),
        "vertex_graph, counts": lambda limits: rw.vertex_graph(
            _counts(60, 3, 3, 0), max_vertices=10**7, **limits
        ),
        "regions, box in 12 dimensions": lambda limits: rw.enumerate_regions(boxed, 1.0, **limits),
        "regions, all, two threads": lambda limits: rw.enumerate_regions(
            _loss([2, 3, 1], 200), threads=2, **limits
        ),
        "local minima of 5,000 regions": lambda limits: some.local_minima(**limits),
        "lad, 300 parameters": lambda limits: rw.lad(*_data(20_000, 299), **limits),
        "lad, ties in tenths": lambda limits: rw.lad(*ties, **limits),
        "quantile_path": lambda limits: rw.quantile_path(
            *_data(100_000, 10), np.linspace(0.01, 0.99, 99), **limits
        ),
        "global_minimum, integer program": lambda limits: rw.global_minimum(
            _loss([2, 6, 3, 1], 150), 3.0, method="milp", **limits
        ),
        "global_minimum, regions": lambda limits: rw.global_minimum(_loss([2, 3, 1], 60), **limits),
        "slice, 3,000 samples": lambda limits: rw.slice(plane, plane.theta, u, v, 5.0, **limits),
        "polyak_descent": lambda limits: rw.polyak_descent(
            _loss([4, 1], 300), 0.0, steps=10**9, **limits
        ),
        "descend": lambda limits: rw.descend(_loss([4, 5, 1], 300), "adam", 10**9, **limits),
        "breakpoint_density": lambda limits: rw.density.breakpoint_density(
            plane, plane.theta, 0.1, 10**6, **limits
        ),
        "vertex_density": lambda limits: rw.density.vertex_density(
            short, [0.1, 1.0], 1000, **limits
        ),
    }


def proofs() -> dict[str, rw.LayerLoss]:
    """Walks whose proofs take long: neurons end at 0 together."""
    shapes = [(120, 9, 5), (300, 6, 8), (200, 6, 6)]
    return {
        f"{n} counts, seed {seed}": _counts(n, k, h, seed) for n, k, h in shapes for seed in (0, 5)
    }
