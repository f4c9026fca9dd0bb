"""How often confidence intervals of each kind hold the true slope, of fits to simulated data.

    OMP_NUM_THREADS=1 python -m benchmarks inference [--fits 1000] [--seed 1]

Designs: "shift", y = 1 + x_1 - x_2 + e with x normal and e of Student's t with 4 degrees of
freedom; "spread", y = 1 + x_1 - x_2 + (1 + x_1) e with x_1 uniform on [0, 2] and x_2 normal, so
that all quantiles are linear. Median and third quartile, n = 100 and 1,000, 90% intervals of both
slopes, which count alike; the Wilson interval (95%) is that of so many fits. The kernel "ker" has
the bandwidth of Chamberlain; "ker-hs", with that of Hall and Sheather, is the default, as in
quantreg, covers too much at n = 100, and decides nothing here. The bootstrap has 300 replicates.
The exit code is 1 if coverage lies outside 85 to 95% at n = 100 or 87 to 93% at n = 1,000: for all
kinds in "shift", for "nid", "ker" and "boot" in "spread". Settings were chosen on seed 0.
"""

import argparse
import sys

import numpy as np
from scipy import stats

import reluplex_walk as rw

KINDS = ("rank", "iid", "nid", "ker", "boot", "ker-hs")
ROBUST = ("nid", "ker", "boot")
DESIGNS = ("shift", "spread")
WITHIN = {100: (0.85, 0.95), 1000: (0.87, 0.93)}
TAUS = (0.5, 0.75)
REPLICATES = 300


def draw(design: str, n: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """X (n, 2) and y (n,)."""
    X, e = rng.normal(size=(n, 2)), rng.standard_t(4, n)
    if design == "spread":
        X[:, 0] = rng.uniform(0.0, 2.0, n)
        e *= 1.0 + X[:, 0]
    return X, 1.0 + X @ [1.0, -1.0] + e


def true_slopes(design: str, tau: float) -> np.ndarray:
    quantile = stats.t.ppf(tau, 4) if design == "spread" else 0.0
    return np.array([1.0 + quantile, -1.0])


def held(fit: rw.QuantileFit, kind: str, slopes: np.ndarray, seed: int) -> np.ndarray:
    """Whether 90% intervals hold the slopes."""
    if kind == "boot":
        found = fit.bootstrap(REPLICATES, seed=seed).conf_int(0.9, "normal")
    elif kind == "ker":
        found = fit.conf_int(kind, 0.9, bandwidth="chamberlain")
    elif kind == "ker-hs":
        found = fit.conf_int("ker", 0.9)
    else:
        found = fit.conf_int(kind, 0.9)
    low, high = found[1:].T
    return (low <= slopes) & (slopes <= high)


def wilson(share: float, n: int) -> tuple[float, float]:
    """The 95% interval of a share of n."""
    z = stats.norm.ppf(0.975)
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    far = z * np.sqrt(share * (1 - share) / n + z * z / (4 * n * n)) / (1 + z * z / n)
    return float(middle - far), float(middle + far)


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks inference", description=__doc__)
    parser.add_argument("--fits", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args(argv)
    print(f"90% intervals, {options.fits} fits each, seed {options.seed}")
    print("design      n  tau   kind    held    Wilson 95%      mean of both slopes")
    met = True
    for design in DESIGNS:
        for n, (low, high) in WITHIN.items():
            for tau in TAUS:
                rng, slopes = np.random.default_rng([options.seed, n]), true_slopes(design, tau)
                hits = {kind: np.zeros(2) for kind in KINDS}
                for k in range(options.fits):
                    fit = rw.quantile(*draw(design, n, rng), tau)
                    for kind in KINDS:
                        hits[kind] += held(fit, kind, slopes, k)
                for kind in KINDS:
                    share = float(hits[kind].mean()) / options.fits
                    asked = kind in ROBUST or (design == "shift" and kind != "ker-hs")
                    good = low <= share <= high
                    met = met and (good or not asked)
                    a, b = wilson(share, options.fits)
                    each = ", ".join(f"{hit / options.fits:.3f}" for hit in hits[kind])
                    mark = "" if good else ("   MISSED" if asked else "   (not asked for)")
                    print(
                        f"{design:<7}{n:>6}  {tau:<5} {kind:<6} {share:>6.3f}   "
                        f"[{a:.3f}, {b:.3f}]   {each}{mark}",
                        flush=True,
                    )
    sys.exit(0 if met else 1)
