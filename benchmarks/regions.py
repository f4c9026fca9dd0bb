"""Regions per second, how it grows with D and n, and the same instances by input-space tools.

    OMP_NUM_THREADS=1 python -m benchmarks regions [--rivals] [--million] [--threads 2]

Networks p-1-1 on n samples, X and y uniform(-3, 3): D = p + 1 parameters, all of parameter space.
One row per problem: regions, seconds, regions per second, bytes kept per region.  Then the last
problem of each D with --threads threads against one, in turns: the median of five ratios, and the
processor time of the threads over that of one.  Then slices of 4-5-4-2-1 by random planes: polygons
and seconds.

--rivals: the same arrangement as a network over parameters, [D, n, n, 1] (its first layer are the
trained layer's pre-activations on all samples, its second the residuals), for relucent (regions of
the whole space) and, in the plane, regioncam (a window); counts must agree.  Needs the extra
"bench".  --million: one enumeration of a million regions, with the memory it takes.
"""

import argparse
import resource
import time

import numpy as np

import reluplex_walk as rw

from ._extra import need
from .instances import instance

PROBLEMS = [(1, 40), (1, 160), (2, 20), (2, 40), (3, 14), (3, 24), (4, 12), (4, 18), (5, 10)]
"""(p, n)."""
RIVALS = [(1, 8), (1, 16), (2, 7), (4, 6)]


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks regions", description=__doc__)
    parser.add_argument("--rivals", action="store_true")
    parser.add_argument("--million", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args(argv)
    rw.enumerate_regions(instance([1, 1, 1], 4, 0))  # compile
    if options.rivals:
        return rivals()
    if options.million:
        return million()
    print("  D    n    regions   seconds   per second   bytes per region")
    for p, n in PROBLEMS:
        regions = rw.enumerate_regions(instance([p, 1, 1], n, 0))
        print(
            f"{p + 1:>3} {n:>4} {len(regions):>10} {regions.elapsed:>9.2f} "
            f"{len(regions) / regions.elapsed:>12.0f} {size(regions) / len(regions):>18.0f}",
            flush=True,
        )
    speed_up(options.threads)
    print("slices of 4-5-4-2-1:  n  extent  polygons  seconds")
    for n, extent in ((50, 0.6), (500, 0.05)):
        loss = instance([4, 5, 4, 2, 1], n, 0)
        u, v = np.random.default_rng(0).normal(size=(2, *loss.shape))
        began = time.perf_counter()
        cut = rw.slice(loss, loss.random_start(0), u, v, extent)
        print(f"{n:>23} {extent:>7} {len(cut):>9} {time.perf_counter() - began:>8.2f}")


def speed_up(threads: int) -> None:
    """One thread against several, on the same problems."""
    print(f"  D    n    regions   seconds   {threads} threads   speed-up   processor time")
    for p, n in {p: (p, n) for p, n in PROBLEMS if p > 1}.values():
        loss, rows = instance([p, 1, 1], n, 0), []
        for _ in range(5):
            row = []
            for count in (1, threads):
                before = time.process_time()
                regions = rw.enumerate_regions(loss, threads=count)
                row += [regions.elapsed, time.process_time() - before]
            rows.append([*row[::2], row[0] / row[2], row[3] / row[1]])
        one, several, ratio, work = np.median(rows, axis=0)
        print(
            f"{p + 1:>3} {n:>4} {len(regions):>10} {one:>9.2f} {several:>11.2f} "
            f"{ratio:>10.2f} {work:>16.2f}",
            flush=True,
        )


def size(regions: rw.Regions) -> int:
    """Bytes of all arrays of the result."""
    return sum(a.nbytes for a in vars(regions).values() if isinstance(a, np.ndarray))


def million() -> None:
    """A million regions in R^5."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    regions = rw.enumerate_regions(instance([4, 1, 1], 60, 0), max_regions=1_000_000)
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(
        f"{len(regions)} regions, {regions.elapsed:.1f} s, result {size(regions) / 1e6:.0f} MB, "
        f"peak of the process {after / 1e3:.0f} MB (before: {before / 1e3:.0f} MB)"
    )


def rivals() -> None:
    """The same counts by tools for the input space of networks."""
    regioncam, relucent, torch = need("regioncam"), need("relucent"), need("torch")

    print("  D    n  window   regions   seconds   relucent   seconds   regioncam   seconds")
    for p, n in RIVALS:
        for window in (None, 1.0):
            if window is not None and p > 1:
                continue
            loss = instance([p, 1, 1], n, 0)
            regions = rw.enumerate_regions(loss, box=window)
            row = (
                f"{p + 1:>3} {n:>4} {window or 'all':>7} {len(regions):>9} {regions.elapsed:>9.3f}"
            )
            began = time.perf_counter()
            if window is None:
                weights = bridge(loss)
                layers: list[torch.nn.Module] = []
                for w, b in weights:
                    linear = torch.nn.Linear(w.shape[1], w.shape[0], dtype=torch.float64)
                    linear.weight.data, linear.bias.data = torch.tensor(w), torch.tensor(b)
                    layers += [linear, torch.nn.ReLU()]
                space = relucent.Complex(torch.nn.Sequential(*layers[:-1]))
                space.bfs(start=np.random.default_rng(0).normal(size=p + 1))
                row += f" {len(space):>10} {time.perf_counter() - began:>9.3f}"
            else:
                plane = regioncam.Regioncam(size=window)
                for w, b in bridge(loss)[:-1]:
                    plane.linear(w.T.astype(np.float32), b.astype(np.float32))
                    plane.relu()
                row += f" {'':>20} {plane.num_faces:>11} {time.perf_counter() - began:>9.3f}"
            print(row, flush=True)


def bridge(loss: rw.LayerLoss) -> list[tuple[np.ndarray, np.ndarray]]:
    """The network [D, n, n, 1] over the parameters of a network p-1-1."""
    n = len(loss.inputs)
    (w, b), one = loss.tail[0], np.column_stack([loss.inputs, np.ones(len(loss.inputs))])
    residuals = np.eye(n) * w[0, 0], b[0] - loss.targets[:, 0]
    return [(one, np.zeros(n)), residuals, (np.ones((1, n)), np.zeros(1))]
