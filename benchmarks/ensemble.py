"""Many walks on several processes: speed, overhead, memory, and what survives being killed.

    OMP_NUM_THREADS=1 python -m benchmarks ensemble [--walks 10000] [--only speed memory ...]

The problem: 4-5-4-2-1, 200 samples, the first layer, long steps, no proofs.  ``speed``: walks per
second of a Dask LocalCluster of two single-thread processes against one process, in turns, median.
``overhead``: processor time of ``rw.ensemble(..., out=)`` in this process against a bare loop of
``rw.walk`` over the same seeds, in turns.  ``memory``: largest resident memory of a client of a
Dask cluster above what it is after all imports and the start of the cluster, for a tenth of the
walks and for all.  ``killed``: all walks, while three times a worker and once the client is killed;
then the rows against those of one process, bit for bit.
"""

import argparse
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

import reluplex_walk as rw

PARTS = ("speed", "overhead", "memory", "killed")
OPTIONS: dict[str, Any] = {"step": "long", "proof": "off"}
COMPARED = ("seed", "loss", "status", "reason", "pivots", "key")
DEATHS = (0.1, 0.25, 0.4)  # of workers, as shares of the walks
CLIENT_DEATH = 0.55


def problem() -> rw.LayerLoss:
    """The loss of all parts."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(200, 4))
    y = X[:, 0] * X[:, 1] + np.sin(X[:, 2]) + 0.5 * X[:, 3]
    return rw.LayerLoss(rw.ReLUNetwork.random([4, 5, 4, 2, 1], seed=0), X, y)


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks ensemble", description=__doc__)
    parser.add_argument("--walks", type=int, default=10_000)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--role", nargs="+", help=argparse.SUPPRESS)  # of processes started here
    options = parser.parse_args(argv)
    if options.role:
        role, *rest = options.role
        {"cluster": cluster, "client": client, "memory": peak}[role](*rest)
        return
    for part in options.only:
        print(f"\n{part}", flush=True)
        {"speed": speed, "overhead": overhead, "memory": memory, "killed": killed}[part](
            options.walks, options.repeats
        )


# ---------------------------------------------------------------- speed and overhead


def speed(walks: int, repeats: int) -> None:
    """Walks per second of two processes and of one."""
    from distributed import Client, LocalCluster

    loss, count = problem(), max(200, walks // 10)
    ratios = []
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as two,
        Client(two) as executor,
    ):
        rw.ensemble(loss, 40, executor=executor, **OPTIONS)
        rw.ensemble(loss, 20, **OPTIONS)
        for _ in range(repeats):
            rates = []
            for workers in (None, executor):
                began = time.perf_counter()
                rw.ensemble(loss, count, executor=workers, **OPTIONS)
                rates.append(count / (time.perf_counter() - began))
            ratios.append(rates[1] / rates[0])
            print(f"{rates[0]:.1f} and {rates[1]:.1f} walks per second", flush=True)
    print(f"two processes against one: {statistics.median(ratios):.2f} (median of {repeats})")


def overhead(walks: int, repeats: int) -> None:
    """What rows, files and batches cost beside the walks."""
    loss, count = problem(), max(60, walks // 50)
    cases: list[dict[str, str]] = [
        {"step": "long", "proof": "off"},
        {"step": "adjacent", "proof": "off"},
        {"step": "long", "proof": "all"},
    ]
    for case in cases:
        plain = {**case, "proof": "on" if case["proof"] == "all" else "off"}
        rw.ensemble(loss, 3, **case)
        ratios = []
        for k in range(repeats):
            seeds = range(k * count, (k + 1) * count)
            began = time.process_time()
            for seed in seeds:
                rw.walk(loss, seed=seed, **plain)
            bare = time.process_time() - began
            with tempfile.TemporaryDirectory() as folder:
                began = time.process_time()
                rw.ensemble(loss, seeds=list(seeds), out=Path(folder, "rows"), **case)
                ratios.append((time.process_time() - began) / bare)
        each = 1e3 * bare / count
        print(f"{case}: {statistics.median(ratios):.3f} times a loop of {each:.0f} ms a walk")


# ---------------------------------------------------------------- processes of their own


def start(*role: str) -> "subprocess.Popen[str]":
    """A process of this benchmark with a role of its own."""
    command = [sys.executable, "-m", "benchmarks", "ensemble", "--role", *role]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def line(process: "subprocess.Popen[str]") -> list[str]:
    """The next line that it prints, in words."""
    assert process.stdout is not None
    return process.stdout.readline().split()


def cluster() -> None:
    """A cluster that outlives its clients, until its input ends."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as two:
        print(two.scheduler_address, flush=True)
        signal.sigwait({signal.SIGTERM})


def client(address: str, walks: str, out: str) -> None:
    """All walks, or those that are left."""
    from distributed import Client

    with Client(address) as executor:
        rw.ensemble(problem(), int(walks), executor=executor, out=out, **OPTIONS)


def peak(walks: str) -> None:
    """Print how much memory a client takes above its imports, in MB."""
    import filelock  # noqa: F401
    import pandas  # noqa: F401
    import pyarrow.parquet  # noqa: F401
    from distributed import Client, LocalCluster

    loss = problem()
    with (
        LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as two,
        Client(two) as executor,
        tempfile.TemporaryDirectory() as folder,
    ):
        rw.ensemble(loss, 4, executor=executor, out=Path(folder, "few"), **OPTIONS)  # imports
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        rw.ensemble(loss, int(walks), executor=executor, out=Path(folder, "rows"), **OPTIONS)
        after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    print(f"{(after - before) / 1024:.1f} {before / 1024:.1f}", flush=True)


def memory(walks: int, repeats: int) -> None:
    """The client's memory, for a tenth of the walks and for all."""
    for count in (walks // 10, walks):
        above, before = line(start("memory", str(count)))
        print(f"{count} walks: {above} MB above the {before} MB before", flush=True)


# ---------------------------------------------------------------- killed


def killed(walks: int, repeats: int) -> None:
    """Workers and the client die; the rows are those of one process."""
    with tempfile.TemporaryDirectory() as folder:
        out, host = Path(folder, "rows"), start("cluster")
        (address,) = line(host)
        run = start("client", address, str(walks), str(out))
        for share in DEATHS:
            _wait(out, share * walks)
            os.kill(_worker(address), signal.SIGKILL)
            print(f"a worker killed after {_made(out)} walks", flush=True)
        _wait(out, CLIENT_DEATH * walks)
        run.kill()
        run.wait()
        print(f"the client killed after {_made(out)} walks", flush=True)
        run = start("client", address, str(walks), str(out))
        code = run.wait()
        host.terminate()
        host.wait()
        made = rw.Ensemble.load(out)
        print(f"resumed: ended with {code}, {made.ended.name}, {len(made)} rows", flush=True)
        _compare(made, rw.ensemble(problem(), walks, **OPTIONS))


def _compare(made: rw.Ensemble, alone: rw.Ensemble) -> None:
    one, other = made.frame(), alone.frame()
    seeds = np.array_equal(one["seed"], np.arange(len(other)))
    equal = all(one[name].equals(other[name]) for name in COMPARED)
    thetas = made.thetas.tobytes() == alone.thetas.tobytes()
    print(f"each seed once: {seeds}; rows bit for bit those of one process: {equal and thetas}")


def _made(out: Path) -> int:
    """Rows that are written."""
    from pyarrow import parquet

    parts = (out / "walks").glob("part-*.parquet")
    return sum(parquet.ParquetFile(part).metadata.num_rows for part in parts)


def _wait(out: Path, walks: float) -> None:
    while _made(out) < walks:
        time.sleep(0.2)


def _worker(address: str) -> int:
    """The process of a worker, as it is now."""
    from distributed import Client

    with Client(address) as look:
        while not (pids := look.run(os.getpid)):
            time.sleep(0.2)
        return int(next(iter(pids.values())))
