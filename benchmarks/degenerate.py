"""How walks end on problems that are degenerate by nature, and whether that is verified exactly.

    python -m benchmarks degenerate [--seeds 4]

One row per problem of tests/degenerate.py and seed: status, proof, active and further vanishing
breakpoints, loss, and what `verify` says: the length of the exact numbers in bits, or why not.
"""

import argparse

import reluplex_walk as rw
from tests.problems.degenerate import PROBLEMS


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks degenerate", description=__doc__)
    parser.add_argument("--seeds", type=int, default=4)
    options = parser.parse_args(argv)
    print(f"{'problem':<30} seed  {'status':<15} {'proof':<10} rank   tied        loss  verified")
    for name, loss in PROBLEMS.items():
        for seed in range(options.seeds):
            traj = rw.walk(loss, seed=seed)
            c = traj.certificate
            try:
                verified = f"exactly, {traj.verify().bits} bits"
            except rw.CertificateError as error:
                verified = str(error)
            print(
                f"{name:<30} {seed:>4}  {traj.status.name:<15} {c.method:<10} "
                f"{c.rank:>2}/{c.dim:<2} {c.n_tied:>5} {traj.loss:>11.6g}  {verified}",
                flush=True,
            )
