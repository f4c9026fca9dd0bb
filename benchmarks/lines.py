"""A section of the loss by a line, over the crossings on the same segment alone.

    OMP_NUM_THREADS=1 python -m benchmarks lines [--seeds 50]

Network 4-5-4-2-1, random segments, in turns: median processor time of `rw.crossings` and of
`rw.line_section` in milliseconds, the median of their ratios, crossings per segment, on how many
segments the two give the same breakpoints, and on how many all of them have positions of their own.
"""

import argparse
import time

import numpy as np

import reluplex_walk as rw

from .instances import instance


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks lines", description=__doc__)
    parser.add_argument("--seeds", type=int, default=50)
    options = parser.parse_args(argv)
    print("    n  crossings ms  section ms  ratio  crossings  same  apart")
    for n in (50, 500, 5000):
        loss, rows = instance([4, 5, 4, 2, 1], n, 0), []
        same = apart = 0
        for seed in range(options.seeds):
            start, end = loss.random_start(seed), loss.random_start(seed + 1_000_000)
            times = [time.process_time()]
            found = rw.crossings(loss, start, end)
            times.append(time.process_time())
            line = rw.line_section(loss, start, end - start, (0.0, 1.0))
            times.append(time.process_time())
            both = loss.locate(found.ids), np.concatenate(line.breakpoints)
            same += np.array_equal(*(part[np.lexsort(part.T)] for part in both))
            apart += len(line.breakpoints) == len(found.ids)
            crossings, section = 1e3 * np.diff(times)
            rows.append((crossings, section, section / crossings, len(found.ids)))
        crossings, section, ratio, count = np.median(rows, axis=0)
        print(
            f"{n:>5} {crossings:>13.2f} {section:>11.2f} {ratio:>6.2f} {count:>10.0f}  "
            f"{same:>4}  {apart:>5}",
            flush=True,
        )
