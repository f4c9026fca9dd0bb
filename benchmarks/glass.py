"""Glass: its formulas, estimates against exact densities, where they fail, and what it costs.

    python -m benchmarks glass [--size 1000000] [--lines 192] [--networks 8] [--only PART]

* formulas: D0 to D10 of the README here, each within what is said there; D2 to D6 on compound
  Poisson processes of `--size` repetitions;
* estimates: rho_total of three gradients on a line over the exact density on the same line, a new
  base point for each of `--lines` lines;
* failures: the same with one base point for 24 lines, on `--networks` networks, where lines cross
  hundreds of breakpoints: how many estimates are off by more than 3/2, how many of them the exact
  variogram announces (it leaves 3/4 to 4/3), how many it announces of the others, how many that of
  nine gradients a line announces, and the rank correlation of estimate and exact variogram;
* bounds: how many of 100 fresh directions keep the loss within `bound` of its linear model, at
  levels of 0.9 to 0.99 and from 24 other directions, on `--networks` networks;
* speed: the exact glass of a segment of 300 crossings at n = 500, after these are found.

The exit code is 1 if a formula, a mean or the time is not as it should be.
"""

import argparse
import sys
import time
import warnings
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.stats import spearmanr

import reluplex_walk as rw
from reluplex_walk import glass
from reluplex_walk.landscape.jumps import at_crossings

from . import _glass_formulas as formulas
from .instances import instance

PARTS = ("formulas", "estimates", "failures", "bounds", "speed")


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks glass", description=__doc__)
    parser.add_argument("--size", type=int, default=1_000_000)
    parser.add_argument("--lines", type=int, default=192)
    parser.add_argument("--networks", type=int, default=16)
    parser.add_argument("--only", choices=PARTS)
    options = parser.parse_args(argv)
    warnings.simplefilter("ignore", glass.GlassWarning)  # lines without crossings are counted
    parts = {
        "formulas": lambda: show_formulas(options.size),
        "estimates": lambda: show_estimates(options.lines),
        "failures": lambda: show_failures(options.networks),
        "bounds": lambda: show_bounds(options.networks),
        "speed": show_speed,
    }
    good = [part() for name, part in parts.items() if options.only in (None, name)]
    sys.exit(0 if all(good) else 1)


def show_formulas(size: int) -> bool:
    print(f"{'':5}{'':44}{'expected':>10}{'found':>12}")
    good = True
    for rows in (
        formulas.identities(100),
        formulas.estimates(size),
        formulas.weights(4 * size),
        formulas.bounds(4 * size),
        formulas.steps(100_000),
        formulas.kinks(48),
        formulas.directions(8),
    ):
        for name, setting, expected, found, off in rows:
            right = abs(found - expected) <= off * (expected or 1.0)
            good &= right
            mark = "" if right else "  <-- not as expected"
            print(f"{name:<5}{setting:<44}{expected:>10.4g}{found:>12.4g}{mark}", flush=True)
    return good


def on_line(
    loss: rw.LayerLoss, theta: NDArray, sigma: float, seed: int, points: int = 3
) -> tuple[glass.EstimatedGlass, glass.ExactGlass]:
    """The estimate from one line through `theta`, and all that is on this line."""
    found = glass.estimate(loss, theta, sigma, 1, points, seed)
    start = theta - sigma * found.directions.reshape(loss.shape)
    return found, glass.exact(loss, start, 2.0 * sigma, found.directions)


def show_estimates(lines: int) -> bool:
    print("\nn = 500, sigma 0.01, a base point for each line    N   estimated / exact", flush=True)
    good = True
    for widths in ([4, 5, 4, 2, 1], [4, 20, 1], [4, 40, 40, 40, 40, 1]):
        loss, ratios, crossed = instance(widths, 500, 0), [], 0
        for seed in range(lines):
            found, exactly = on_line(loss, loss.random_start(seed, 1.0), 0.01, seed)
            crossed += int(exactly.n_crossings[0])
            if exactly.n_crossings[0]:
                ratios.append(found.rho_total / exactly.rho_total)
        mean, error = np.mean(ratios), np.std(ratios) / np.sqrt(len(ratios))
        right = bool(0.85 <= mean <= 1.15 and error <= 0.04)
        good &= right
        print(
            f"{'-'.join(map(str, widths)):<45}{crossed / lines:>7.1f}   {mean:.3f} +- {error:.3f}"
            f"{'' if right else '  <-- not as expected'}",
            flush=True,
        )
    return good


FAILING = (
    ("4-5-4-2-1, n = 500", [4, 5, 4, 2, 1], 500, 0, (0.01,)),
    ("4-5-4-2-1, n = 5,000", [4, 5, 4, 2, 1], 5000, 0, (0.1, 0.3)),
    ("4-8-...-8-1, nine layers of 8", [4, *9 * [8], 1], 500, 0, (0.1, 0.3)),
    ("4-20-20-20-1, layer 2", [4, 20, 20, 20, 1], 500, 2, (0.1, 0.3)),
)


def show_failures(networks: int) -> bool:
    print(
        "\none base point, 24 lines       sigma     N  estimated / exact  beyond 3/2  announced"
        "  false alarms  nine points  rank correlation",
        flush=True,
    )
    for name, widths, n, layer, sigmas in FAILING:
        for sigma in sigmas:
            rows = []
            for seed in range(networks):
                random = instance(widths, n, seed)
                loss = rw.LayerLoss(random.network, random.X, random.y, layer)
                rows.append(_together(loss, loss.random_start(seed, 1.0), sigma))
            crossed, ratio, half, exactly, estimated = np.array(rows).T
            failed = np.abs(np.log(ratio)) > np.log(1.5)
            print(
                f"{name:<30}{sigma:>6g}{crossed.mean():>6.0f}{ratio.min():>9.2f} to "
                f"{ratio.max():<5.2f}{failed.sum():>12}{(failed > exactly).sum():>11}"
                f"{(~failed > exactly).sum():>14}{(failed > estimated).sum():>13}"
                f"{spearmanr(ratio, half).statistic:>18.2f}",
                flush=True,
            )
    return True


def _together(loss: rw.LayerLoss, theta: NDArray, sigma: float) -> tuple[float, ...]:
    """Crossings, the ratio of the densities, the variogram's at sigma, whether both hold."""
    found = glass.estimate(loss, theta, sigma, points=9)
    lines = [
        glass.exact(loss, theta - sigma * v, 2.0 * sigma, v.reshape(1, -1))
        for v in found.directions.reshape(-1, *loss.shape)
    ]
    seen = [line.variogram() for line in lines]
    values, linear = (sum(getattr(each, part) for each in seen) for part in ("value", "linear"))
    both = glass.Variogram(seen[0].distance, values, linear)
    exactly = np.mean([line.rho_total for line in lines])
    ratio = glass.estimate(loss, theta, sigma).rho_total / exactly
    crossed = np.mean([line.n_crossings for line in lines])
    return float(crossed), ratio, both.ratio[-1], both.holds, found.variogram().holds


LEVELS = np.array([0.9, 0.95, 0.99])


def show_bounds(networks: int) -> bool:
    print("\nwithin the bound, mean and least of the networks", flush=True)
    levels = "".join(f"{f'level {level:g}':>18}" for level in LEVELS)
    print(f"{'':<30}{'distance':>10}{levels}", flush=True)
    for widths in ([4, 5, 4, 2, 1], [4, 20, 1], [4, 20, 20, 20, 1]):
        for distance in (0.01, 0.1, 0.5):
            shares = np.array([_within(widths, seed, distance) for seed in range(networks)])
            columns = zip(shares.mean(axis=0), shares.min(axis=0), strict=True)
            print(
                f"{'-'.join(map(str, widths)):<30}{distance:>10g}"
                + "".join(f"{mean:>11.3f} {least:>6.2f}" for mean, least in columns),
                flush=True,
            )
    return True


def _within(widths: list[int], seed: int, distance: float) -> NDArray:
    """The shares of 100 fresh directions that stay within the bound, for all `LEVELS`."""
    loss = instance(widths, 500, seed)
    theta = loss.random_start(seed, 1.0)
    value, g = loss(theta), loss.gradient(theta).ravel()
    found = glass.exact(loss, theta, distance, 24, seed)
    signs = np.random.default_rng(seed + 1_000_000).choice([-1, 1], (100, loss.dim))
    moves = distance / np.sqrt(loss.dim) * signs
    left = np.array([loss(theta.ravel() + move) - value - g @ move for move in moves])
    return np.array([(np.abs(left) <= found.bound(distance, each)).mean() for each in LEVELS])


def segments(loss: rw.LayerLoss, crossed: int) -> Iterator[tuple[NDArray, NDArray, rw.Crossings]]:
    """Segments with about so many crossings: starts, directions and what is crossed."""
    for seed in range(20):
        theta = loss.random_start(seed, 1.0)
        v = glass.exact(loss, theta, 1.0, 1, seed).directions.reshape(loss.shape)
        length = 1.0
        for _ in range(20):
            found = rw.crossings(loss, theta, theta + length * v)
            if abs(len(found.ids) - crossed) <= crossed // 10:
                yield theta, v, found
                break
            length *= crossed / max(1, len(found.ids))


def show_speed() -> bool:
    loss, times, counts, both = instance([4, 5, 4, 2, 1], 500, 0), [], [], []
    for theta, v, found in segments(loss, 300):
        began = time.perf_counter()
        rw.crossings(loss, theta, theta + v)
        both.append(time.perf_counter() - began)
        for _ in range(20):
            began = time.perf_counter()
            jumps = at_crossings(loss, theta, v, found)
            part = glass.ExactGlass(loss, theta, 1.0, v.reshape(1, -1), (jumps,))
            assert part.rho[0] > 0.0
            assert part.coordinates.shape == (1, loss.dim)
            times.append(time.perf_counter() - began)
        counts.append(len(found.ids))
    typical = 1e3 * float(np.median(times))
    print(
        f"\nexact glass of a segment of {np.mean(counts):.0f} crossings, n = 500: {typical:.3f} ms "
        f"after the crossings (0.3 allowed), which take {1e3 * np.median(both):.1f} ms"
    )
    return typical <= 0.3
