"""What it costs to check a certificate in rational arithmetic, and how long the numbers get.

    OMP_NUM_THREADS=1 python -m benchmarks exact [--seeds 5]

One row per network: median seconds of `verify` (floats) and `verify_exact` (rationals), bits of the
longest number of the vertex, breakpoints whose signs were decided, proofs.
"""

import argparse
import time
from collections import Counter

import numpy as np

import reluplex_walk as rw

from .instances import instance

PROBLEMS = [([4, 5, 4, 2, 1], 50), ([4, 5, 4, 2, 1], 500), ([1, 8, 8, 1], 100), ([10, 10, 1], 200)]


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks exact", description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    options = parser.parse_args(argv)
    print("network        n    D  verify s  verify_exact s    bits  breakpoints  proofs")
    for widths, n in PROBLEMS:
        seconds, bits, signs = [], [], []
        proofs: Counter[str] = Counter()
        for seed in range(options.seeds):
            loss = instance(widths, n, seed)
            certificate = rw.walk(loss, seed=seed, step="long").certificate
            proofs[certificate.method] += 1
            if not certificate.is_local_minimum:
                continue
            began = time.perf_counter()
            certificate.verify(loss)
            between = time.perf_counter()
            check = certificate.verify_exact(loss)
            seconds.append((between - began, time.perf_counter() - between))
            bits.append(check.bits)
            signs.append(check.n_breakpoints)
        floats, exact = np.median(seconds, axis=0)
        print(
            f"{'-'.join(map(str, widths)):<12} {n:>4} {loss.dim:>4} {floats:>9.4f} {exact:>15.3f} "
            f"{max(bits):>7} {signs[0]:>12}  {dict(proofs)}",
            flush=True,
        )
