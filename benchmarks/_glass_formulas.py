"""The formulas D0 to D10 of glass, each against something that does not know it.

Rows (name, setting, expected, found, how far off is allowed); errors are expected to be 0.
"""

from collections.abc import Iterator
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

import reluplex_walk as rw
from reluplex_walk import glass
from reluplex_walk.landscape.lines import deviation
from reluplex_walk.landscape.offsets import Offsets

from ._compound import Compound, changes, deviations
from .instances import instance

Floats = NDArray[np.float64]
Row = tuple[str, str, float, float, float]

MEAN = np.sqrt(2.0 / (3.0 * np.pi))  # mean deviation over sqrt(rho d^3), for many crossings
SIGMA = 0.7  # of all simulations; not 1, so that no power of it is lost


def losses(count: int) -> Iterator[rw.LayerLoss]:
    """`count` losses of all kinds, trained in layer 0 and 1."""
    kinds = [{}, {"kind": "pinball", "tau": 0.8}, {"kind": "hinge"}, {"layer": 1}]
    for k in range(count):
        options = kinds[k % 4] | ({"layer": 1} if k % 8 > 3 else {})
        rng = np.random.default_rng(k)
        X, y = rng.uniform(-3, 3, (200, 4)), rng.uniform(-3, 3, 200)
        network = rw.ReLUNetwork.random([4, 5, 4, 2, 1], k, negative_slope=0.1 * (k % 3 == 2))
        yield rw.LayerLoss(network, X, np.sign(y) if k % 4 == 2 else y, **options)


def identities(count: int) -> Iterator[Row]:
    """D0, D1: no statistics."""
    middle = whole = 0.0
    for k, loss in enumerate(losses(count)):
        a, b = loss.random_start(k, 1.0), loss.random_start(k + 1_000_000, 1.0)
        b = a + 0.3 * (b - a)
        g = [loss.gradient(t).ravel() for t in (a, (a + b) / 2.0, b)]
        size = max(1.0, *(float(np.abs(each).max()) for each in g))
        found = glass.jumps(loss, a, b)
        sides = np.where(found.times > 0.5, 0.5, -0.5)
        rough = (g[0] + g[2]) / 2.0 - g[1]
        middle = max(middle, np.abs(rough - sides @ found.vectors).max() / size)
        whole = max(whole, np.abs(g[2] - g[0] - found.vectors.sum(axis=0)).max() / size)
    yield "D0", f"{count} segments, error over |g|", 0.0, middle, 1e-13
    yield "D1", f"{count} segments, error over |g|", 0.0, whole, 1e-10


def estimates(dim: int) -> Iterator[Row]:
    """D2, D5: the mean and the variance of estimates of rho from one line."""
    for jump, kurtosis in (("normal", 3.0), ("equal", 1.0)):
        for n in (1, 4, 20):
            compound = Compound(dim, n / (2.0 * SIGMA), jump=jump)
            found = glass.estimate(compound, np.zeros(dim), SIGMA, 1)
            yield "D2", f"mean, N = {n}, {jump}", 1.0, found.rho.mean() / compound.rate, 0.03
            value = float(found.rho.var() / compound.rate**2)
            yield "D2", f"variance, N = {n}, {jump}", 2.0 + kurtosis / n, value, 0.03
    for points in (4, 5, 9):
        for n in (4, 20):
            compound = Compound(dim, n / (2.0 * SIGMA), points)
            rho = glass.estimate(compound, np.zeros(dim), SIGMA, 1, points).rho
            expected = 2.0 / (points - 2) + 3.0 / n
            value = float(rho.var() / compound.rate**2)
            yield "D5", f"variance, m = {points}, N = {n}", expected, value, 0.03


def weights(size: int) -> Iterator[Row]:
    """D3, D4: the variance of rho and of h from one line whose length is drawn."""
    rng, rate = np.random.default_rng(0), 1000.0
    for samples, kernel, expected in (
        ("gaussian", "optimal", 2.0),
        ("gaussian", "constant", 1.5 * np.pi - 1.0),
        ("gaussian", "linear", 8.0),
        ("uniform", "optimal", 2.0),
        ("uniform", "constant", 3.0),
        ("uniform", "linear", 4.4),
        ("rademacher", "linear", 2.0),
    ):
        offsets = Offsets(kernel, samples, SIGMA)
        d = offsets.draw(size, 0)
        halves = changes(rng, rate, d, "normal", (2, size))
        found = offsets.for_rho(d) * 2.0 * halves.mean(axis=0) ** 2 / d
        yield "D3", f"variance, {samples}, {kernel}", expected, found.var() / rate**2, 0.03
    for r, expected in ((0.0, 1.2533), (0.1, 1.351), (1.0, 1.787), (10.0, 2.835), (100.0, 4.372)):
        h = np.sqrt(r * rate / SIGMA)
        for samples, value in (("gaussian", expected), ("rademacher", 1.0)):
            offsets = Offsets("optimal", samples, SIGMA)
            d = offsets.draw(size, 1)
            before, after = changes(rng, rate, d, "normal", (2, size))
            weight = offsets.optimal(np.array(rate), h) if samples == "gaussian" else offsets.for_h
            found = (h * d + (after - before) / 2.0) * weight(d)
            found = found.var() / (rate / (2.0 * SIGMA))
            yield "D4", f"variance, {samples}, h^2 s / rho = {r:g}", value, found, 0.03


def bounds(size: int) -> Iterator[Row]:
    """D6: how far losses are from their linear models, over what `bound` says."""
    for n, mean in ((1, 0.70), (3, 0.90), (10, 0.976), (100, 0.998)):
        rate = n / SIGMA
        found = deviations(rate, SIGMA, "normal", min(size, 20_000_000 // n))
        one, two = (
            deviation(SIGMA, level, rate, 0.0, 0.0)
            for level in (0.6826894921370859, 0.9544997361036416)
        )
        yield "D6", f"standard deviation, N = {n}", 1.0, found.std() / one, 0.03
        value = float(np.abs(found).mean() / (MEAN * np.sqrt(rate) * SIGMA**1.5))
        yield "D6", f"mean size over c, N = {n}", mean, value, 0.03
        covered = float((np.abs(found) <= two).mean())
        yield "D6", f"within two sigma, N = {n}", 0.9425, covered, 0.0175 / 0.9425


def steps(count: int) -> Iterator[Row]:
    """D7, D8: where derivatives vanish; and averages under Nesterov's look-ahead."""
    rng = np.random.default_rng(0)
    g, rho, h = (10.0 ** rng.uniform(-6, 6, count) for _ in range(3))
    x = glass.step(g, rho, h)
    slope = -g + h * x + 1.5 * MEAN * np.sqrt(rho * x)
    yield "D7", f"{count} steps, slope over |g|", 0.0, float(np.abs(slope / g).max()), 1e-12
    worst = Fraction(0)
    for seed in range(20):
        worst = max(worst, _nesterov(np.random.default_rng(seed)))
    yield "D8", "error of the average, in fractions", 0.0, float(worst), 1e-12


def _nesterov(rng: np.random.Generator) -> Fraction:
    """How far the running average at nu is from the gradient ``2 nu + 1`` at mu."""
    mu, error = Fraction(int(rng.integers(-9, 9))), Fraction(0)
    average = 2 * mu + 1
    for _ in range(50):
        beta, omega, delta = (Fraction(int(rng.integers(1, 99)), 100) for _ in range(3))
        average = beta * average + (1 - beta) * (2 * (mu + omega * delta) + 1)
        mu += (1 - beta) * omega * delta
        error = max(error, abs(average - (2 * mu + 1)))
    return error


def kinks(directions: int) -> Iterator[Row]:
    """D9: residuals of known density as curvature and as glass."""
    rng = np.random.default_rng(0)
    X, network = rng.uniform(-3, 3, (4000, 4)), rw.ReLUNetwork.random([4, 5, 4, 2, 1], seed=3)
    loss = rw.LayerLoss(network, X, network(X)[:, 0] + rng.normal(size=4000))
    at_zero = 1.0 / np.sqrt(2.0 * np.pi)
    found = glass.exact(loss, loss.theta, 0.05, directions)
    curvature, rough = [], []
    for v in found.directions:
        moved = network.with_layer(0, loss.theta + 1e-6 * v.reshape(loss.shape))
        rate = np.abs(moved(X) - network(X)) / 1e-6
        curvature.append(2.0 * at_zero * (rate**2).sum())
        rough.append(4.0 * at_zero * (rate**3).sum())
    kinks = [each.of_kind("residual").along.sum() / found.length for each in found.segments]
    yield "D9", "curvature, found / formula", 1.0, np.mean(kinks) / np.mean(curvature), 0.2
    value = found.rho_residual.mean() / np.mean(rough)
    yield "D9", "glass of residuals, found / formula", 1.0, float(value), 0.2


def directions(count: int) -> Iterator[Row]:
    """D10: D times the density along v over the sum of the densities of coordinates."""
    for widths in ([4, 5, 4, 2, 1], [4, 20, 1], [4, 40, 40, 40, 40, 1]):
        ratios = []
        for seed in range(count):
            loss = instance(widths, 500, seed)
            found = glass.exact(loss, loss.random_start(seed, 1.0), 0.1)
            ratios.append(loss.dim * found.rho.mean() / found.rho_total)
        name = "-".join(map(str, widths))
        yield "D10", f"{name}, median of {count}", 1.85, float(np.median(ratios)), 0.35 / 1.85
