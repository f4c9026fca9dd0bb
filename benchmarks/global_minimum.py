"""Walks from many starts against the global minimum, on tiny problems.

    python -m benchmarks global_minimum [--problems 50] [--starts 200]

Problems in turn of the shapes below (D <= 4, n <= 8).  The minima lie at weights of very different
sizes, so the starts have them too: kinks among the data, each neuron scaled by 1 to 1000.  The
global minimum is found twice: among all affine regions, and by an integer program in a box twice as
large as that minimum.  One row per problem: least loss of the walks, of the regions, of the integer
program, its lower bound; relative difference of walks and regions; share of walks that end in the
global minimum; whether both are proved; seconds of walks, regions, integer program.
"""

import argparse
import time

import numpy as np

import reluplex_walk as rw

SHAPES = [
    ([1, 1, 1], 8, 0, "l1", 0.0),
    ([1, 2, 1], 8, 0, "l1", 0.0),
    ([1, 2, 1], 8, 0, "pinball", 0.0),
    ([2, 1, 1], 8, 0, "hinge", 0.0),
    ([1, 2, 1, 1], 6, 0, "l1", 0.0),
    ([1, 2, 2, 1], 6, 0, "l1", 0.1),
    ([3, 1, 1], 8, 0, "l1", 0.0),
    ([1, 1, 2, 1], 8, 1, "l1", 0.0),
    ([1, 2, 2], 6, 0, "pinball", 0.0),
    ([3, 1], 8, 0, "l1", 0.0),
]
"""(widths, n, layer, kind, negative slope)."""


def problem(k: int) -> rw.LayerLoss:
    """Problem number k: weights uniform(-1, 1), X and y uniform(-3, 3)."""
    widths, n, layer, kind, leak = SHAPES[k % len(SHAPES)]
    rng = np.random.default_rng(k)
    X, y = rng.uniform(-3, 3, (n, widths[0])), rng.uniform(-3, 3, (n, widths[-1]))
    network = rw.ReLUNetwork.random(widths, seed=k, negative_slope=leak)
    tau = 0.8 if kind == "pinball" else None
    return rw.LayerLoss(network, X, np.sign(y) if kind == "hinge" else y, layer, kind, tau)


def start(loss: rw.LayerLoss, seed: int) -> np.ndarray:
    """Neurons that vanish between two inputs, of sizes 1 to 1000."""
    rng = np.random.default_rng(seed)
    (h, q), n = loss.shape, len(loss.inputs)
    between = rng.uniform(size=(h, 1))
    a, b = loss.inputs[rng.integers(n, size=h)], loss.inputs[rng.integers(n, size=h)]
    weights = rng.normal(size=(h, q - 1))
    bias = -(weights * (between * a + (1.0 - between) * b)).sum(axis=1)
    return np.column_stack([weights, bias]) * 10.0 ** rng.uniform(0.0, 3.0, (h, 1))


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks global_minimum", description=__doc__)
    parser.add_argument("--problems", type=int, default=50)
    parser.add_argument("--starts", type=int, default=200)
    options = parser.parse_args(argv)
    print(
        "  k network    kind     regions       box       walks     regions        milp lower bound"
        " difference   share  proved  s: walks regions  milp"
    )
    equal = below = agree = proved = 0
    for k in range(options.problems):
        loss = problem(k)
        began = time.perf_counter()
        ends = [rw.walk(loss, start(loss, seed), "long") for seed in range(options.starts)]
        walked = time.perf_counter() - began
        losses = np.array([end.loss for end in ends])
        count = rw.enumerate_regions(loss).n_regions
        best = rw.global_minimum(loss)
        box = max(10.0, 2.0 * float(np.abs(best.theta).max()))
        milp = rw.global_minimum(loss, box, method="milp")
        scale = max(best.loss, 1e-9)
        difference = (losses.min() - best.loss) / scale
        equal += abs(difference) <= 1e-9
        below += difference < -1e-9
        agree += abs(milp.loss - best.loss) <= 1e-9 * scale
        proved += best.optimal and milp.optimal
        share = (losses <= best.loss + 1e-9 * scale).mean()
        print(
            f"{k:>3} {'-'.join(map(str, loss.network.widths)):<10} {loss.kind:<8} {count:>7} "
            f"{box:>9.1f} {losses.min():>11.6f} {best.loss:>11.6f} {milp.loss:>11.6f} "
            f"{milp.lower_bound:>11.6f} {difference:>10.1e} {share:>7.1%} "
            f"{best.optimal and milp.optimal!s:>7} {walked:>9.2f} {best.elapsed:>7.2f} "
            f"{milp.elapsed:>5.2f}",
            flush=True,
        )
    print(
        f"of {options.problems}: {equal} best walks equal the global minimum to 1e-9, "
        f"{below} lie below it; {agree} integer programs agree with the regions, {proved} proved"
    )
