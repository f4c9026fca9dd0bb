"""Vanishing gradients and curvature: exact laws against samples, slopes, escape, cures, speed.

    python -m benchmarks vanishing [--networks 12000] [--chains 100000] [--only PART]

* law: log of the median product of `--chains` uniform chains within 2 % of the exact one; mean and
  variance of log |x_L|^2 and the share of dead networks within four standard errors, for He, Xavier
  and orthogonal weights;
* gradient: slope of the log of the first layer's gradient against mu / 2, its means along L = d;
* hessian: the closed form against differences of the gradient, on random chains;
* spectrum: slopes of |p|, lambda_max and trace for L = 8, 16, 32, 64, and the share of saddles;
* escape: descent against the integral of its flow, Adam against (w_e - w_0) / eta, and random
  chains by all methods;
* cures: slopes of the log of the gradient per layer, batches of 32 and single inputs;
* map: the time of the heat map of 8 widths x 8 depths x 200 networks, 20 s allowed.

The exit code is 1 if a figure is not as expected.
"""

import argparse
import sys
import time

import numpy as np

from reluplex_walk import chains
from reluplex_walk.studies.chain_hessian import gradient

PARTS = ("law", "gradient", "hessian", "spectrum", "escape", "cures", "map")


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks vanishing", description=__doc__)
    parser.add_argument("--networks", type=int, default=12_000)
    parser.add_argument("--chains", type=int, default=100_000)
    parser.add_argument("--only", choices=PARTS)
    options = parser.parse_args(argv)
    parts = {
        "law": lambda: show_law(options.networks, options.chains),
        "gradient": lambda: show_gradient(options.networks),
        "hessian": show_hessian,
        "spectrum": show_spectrum,
        "escape": show_escape,
        "cures": show_cures,
        "map": show_map,
    }
    good = [part() for name, part in parts.items() if options.only in (None, name)]
    sys.exit(0 if all(good) else 1)


def line(what: str, expected: float, found: float, off: float) -> bool:
    """Print a figure beside what is expected, and whether it is within `off` of that."""
    right = abs(found - expected) <= off
    mark = "" if right else "  <-- not as expected"
    print(f"{what:<52}{expected:>11.5g}{found:>11.5g}  +- {off:.2g}{mark}", flush=True)
    return right


def show_law(networks: int, chain_count: int) -> bool:
    print(f"{'':52}{'expected':>11}{'found':>11}")
    good, rng = True, np.random.default_rng(0)
    for depth in (1, 2, 4, 8):
        w = rng.uniform(-1.0, 1.0, (chain_count, depth))
        found = np.log(np.median(np.abs(w.prod(axis=1))))
        exact = np.log(chains.median_product(depth))
        good &= line(f"log of the median product, L = {depth}", exact, found, 0.02 * abs(exact))
    for init in ("he", "xavier", "orthogonal"):
        for width in (4, 8, 16, 32):
            count = min(networks, 40_000_000 // width**3)
            law, seen = chains.law(width, 8, init), chains.sample(width, 8, count, init, seed=width)
            logs, name = seen.log_norm[:, -1].compressed(), f"{init}, d = {width}, L = 8: "
            squares = (logs - logs.mean()) ** 2
            errors = [4.0 * each.std() / len(logs) ** 0.5 for each in (logs, squares)]
            good &= line(name + "mean log", law.mean_log, logs.mean(), errors[0])
            good &= line(name + "variance", law.var_log, squares.mean(), errors[1])
            error = 4.0 * np.sqrt(law.p_dead * (1.0 - law.p_dead) / count) + 1e-12
            good &= line(name + "dead", law.p_dead, seen.p_dead[-1], error)
    return good


def show_gradient(networks: int) -> bool:
    good = True
    for width, off in ((8, 0.01), (16, 0.01), (32, 0.006)):
        count = min(networks, 100_000_000 // width**3)
        law, seen = chains.law(width, 1), chains.sample(width, 16, count, seed=1)
        name = f"slope of log |g_1| to L = 16, d = {width}, {count} networks"
        good &= line(name, law.gradient_slope, seen.gradient_slope, off)
    along = [chains.sample(d, d, 1500, seed=2).log_gradient[:, -1].mean() for d in (8, 16, 32)]
    print(f"mean log |g_1| along L = d = 8, 16, 32: {np.round(along, 2)}", flush=True)
    return good and float(np.ptp(along)) < 0.35


def show_hessian() -> bool:
    rng, worst = np.random.default_rng(0), 0.0
    for depth in (2, 5, 10, 20):
        w = rng.uniform(-1.7, 1.7, (50, depth))
        step = 1.0  # the gradient in a weight is affine in it, and in another one quadratic
        sides = [gradient(w[:, None] + s * step * np.eye(depth), 1.0) for s in (1, -1)]
        found = chains.hessian(w, 1.0)
        off = np.abs((sides[0] - sides[1]) / (2.0 * step) - found).max(axis=(1, 2))
        worst = max(worst, float((off / np.abs(found).max(axis=(1, 2))).max()))
    return line("Hessian against differences, of the largest entry", 0.0, worst, 1e-9)


def show_spectrum() -> bool:
    good, found = True, chains.spectrum()
    names = ("|p|", "lambda_max", "trace")
    for name, expected, slope in zip(names, (-1.0, -0.935, -1.94), found.slopes, strict=True):
        good &= line(f"slope of log {name}, L = 8 to 64", expected, slope, 0.03)
    for depth, expected in ((2, 0.5 + (1 + np.log(3)) / 6), (4, 0.996), (8, 1.0)):
        share = chains.spectrum([depth], 10_000).saddles[0]
        good &= line(f"share of saddles, L = {depth}", expected, share, 0.015)
    return good


def show_escape() -> bool:
    good = True
    for depth, start in ((4, 0.3), (10, 0.5), (10, 0.8), (20, 0.8), (20, 0.86)):
        flow = chains.flow_time(start, depth)
        steps = chains.escape(depth, "gd", 1, start=start, gradients=10_000).median
        name = f"equal weights {start}, L = {depth}: descent over flow"
        good &= line(name, 1.015, steps / flow, 0.015)
    for depth, start in ((10, 0.5), (10, 0.8), (20, 0.8)):
        straight = (0.5 ** (1 / depth) - start) / 0.01
        steps = chains.escape(depth, "adam", 1, start=start).median
        name = f"equal weights {start}, L = {depth}: Adam over straight"
        good &= line(name, 1.0, steps / straight, 0.15)
    print("\nrandom chains, median gradients (share that escaped) for L = 7, 10, 14, 20")
    medians = {}
    for method in ("gd", "sgd", "momentum", "rmsprop", "adam", "alice"):
        runs = [chains.escape(depth, method) for depth in (7, 10, 14, 20)]
        medians[method] = [run.median for run in runs]
        cells = [f"{run.median:>8.0f} ({run.escaped:.3f})" for run in runs]
        print(f"{method:<10}{''.join(cells)}", flush=True)
        if method == "gd":
            products = [run.rate_product for run in runs]
            print(f"{'':10}eta t lambda_med: {np.round(products, 2)}")
            good &= all(0.5 <= each <= 4.0 for each in products)
            good &= bool(np.all(np.diff(medians[method]) > 0.0))
    for method in ("adam", "rmsprop", "alice"):  # their times do not grow with the plateau
        good &= medians[method][-1] < 2.0 * medians[method][0]  # RMSProp takes 4 to 6
    return good and medians["adam"][-1] < medians["gd"][-1] / 10


def show_cures() -> bool:
    batch = chains.cures(networks=2000).slopes
    single = chains.cures(designs=[*batch][:-1], networks=2000, batch=1).slopes
    print(f"\n{'slope of log |g_1| per layer, d = 8':<40}{'batch of 32':>14}{'one input':>14}")
    for design, slope in batch.items():
        alone = f"{single[design]:>+14.3f}" if design in single else f"{'-':>14}"
        print(f"{design:<40}{slope:>+14.3f}{alone}", flush=True)
    return (
        batch["plain"] < batch["layernorm"] < batch["scaled"] < batch["batchnorm"]
        and batch["batchnorm"] < batch["residual"]
        and abs(batch["scaled"]) < 0.05
        and single["layernorm"] < -0.1
    )


def show_map() -> bool:
    began = time.process_time()
    found = chains.vanishing()
    seconds = time.process_time() - began
    print(
        f"\nheat map of {found.log_gradient.shape} x {found.networks}: {seconds:.1f} s (20 allowed)"
    )
    at_64 = found.log_hessian[-1]
    print(f"median log of |H| at width 64 over L = {found.depths}: {np.round(at_64, 2)}")
    return seconds < 20.0 and bool((np.diff(at_64[: list(found.depths).index(16) + 1]) > 0).all())
