"""How long public functions take to end at a time limit and after Ctrl-C.

    OMP_NUM_THREADS=1 python -m benchmarks limits [--seconds 1] [--only NAME] [--fuzz 2000]

A row for each hard problem of `_hard.py`: seconds beyond the time limit and after Ctrl-C that comes
so late, by the clock and of computing (on a busy machine the clock says little), and how the call
ended; kernels are warm.  Then so many random small calls with
random limits, which are to end within the limit and half a second.  Between the two, what a budget
of five seconds takes: seconds of computing, of walks whose proofs are long.
"""

import argparse
import os
import signal
import threading
import time
from typing import Any, NamedTuple

import numpy as np

import reluplex_walk as rw

from ._fuzz import KINDS, boxed, problem, regression
from ._hard import problems, proofs

HANG = 20.0  # seconds beyond its limit, after which a call counts as one without an end


class Hang(BaseException):
    """Raised in a call that does not end."""


def _hung(number: int, frame: object) -> None:
    raise Hang


def _ended(found: Any) -> str:
    last = found[-1] if type(found) is list else found
    return str(last.ended.name)


class Timed(NamedTuple):
    """How a call ended, and seconds it took beyond a moment: by the clock, and of computing."""

    ended: str
    late: float
    computing: float


def _timed(call: Any, limits: dict[str, Any], moment: float, press: bool = False) -> Timed:
    """A call, seen from so many seconds on, when Ctrl-C comes if it is to be pressed."""
    began, done, used = time.perf_counter(), threading.Event(), [np.inf]

    def watch() -> None:
        if not done.wait(moment):
            used[0] = time.process_time()
            if press:
                os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=watch).start()
    try:
        ended = _ended(call(limits))
    except KeyboardInterrupt:
        ended = "KeyboardInterrupt"
    except ValueError as error:
        ended = f"ValueError: {error}"[:40]
    done.set()
    late = time.perf_counter() - began - moment
    return Timed(ended, max(0.0, late), max(0.0, time.process_time() - used[0]))


def _hard(seconds: float, only: str) -> None:
    print(f"{'problem':<34} {'beyond':>6} {'cpu':>5} {'ended':<11} {'Ctrl-C':>6} {'cpu':>5} ended")
    for name, call in problems().items():
        if only not in name:
            continue
        _timed(call, {"time_limit": 0.3}, 0.3)  # compiles
        limit = _timed(call, {"time_limit": seconds}, seconds)
        key = _timed(call, {"time_limit": 60 * seconds}, seconds, press=True)
        print(
            f"{name:<34} {limit.late:>6.2f} {limit.computing:>5.2f} {limit.ended:<11} "
            f"{key.late:>6.2f} {key.computing:>5.2f} {key.ended}",
            flush=True,
        )


def _call(k: int, rng: np.random.Generator) -> Any:
    """A public function on a random small problem, as a function of the limits."""
    kind = KINDS[k % len(KINDS)]
    if kind == "fit":
        data = regression(k)
        return lambda limits: rw.lad(data.X, data.y, sample_weight=data.sample_weight, **limits)
    if kind == "box":
        loss, side = boxed(k)
        way = int(rng.integers(3))
        if way == 0:
            return lambda limits: rw.global_minimum(loss, (-side, side), **limits)
        if way == 1:
            return lambda limits: rw.vertex_graph(loss, **limits)
        return lambda limits: rw.enumerate_regions(
            loss, (-side, side), time_limit=limits["time_limit"]
        ).local_minima(**limits)
    loss, start, options = problem(kind, k)
    options |= {"max_pivots": None, "proof_budget": 100.0}
    if rng.random() < 0.2:
        return lambda limits: rw.minimize(loss, limits["time_limit"])
    return lambda limits: rw.walk(loss, start, **options, **limits)


def _fuzz(calls: int) -> None:
    rng, late, hangs = np.random.default_rng(0), [], []
    signal.signal(signal.SIGALRM, _hung)
    for k in range(calls):
        call, seconds = _call(k, rng), float(10.0 ** rng.uniform(-4, 0))
        signal.setitimer(signal.ITIMER_REAL, seconds + HANG)
        began = time.perf_counter()
        try:
            call({"time_limit": seconds})
        except Hang:
            hangs.append(k)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
        late.append(time.perf_counter() - began - seconds)
        if late[-1] > 0.5:
            print(f"call {k} ({KINDS[k % len(KINDS)]}) took {late[-1]:.2f} s beyond", flush=True)
    print(f"{calls} calls, {len(hangs)} hangs {hangs}; at most {max(late):.2f} s beyond the limit")


def _budgets(seconds: float = 5.0) -> None:
    print(f"{'proof':<24} {'reason':<10} {'computing':>9}  of a budget of {seconds:g} s")
    for name, loss in proofs().items():
        used = {}
        for proof in ("off", "on"):
            began = time.process_time()
            traj = rw.walk(loss, loss.theta, step="long", proof=proof, proof_budget=seconds)
            used[proof] = time.process_time() - began
        reason = traj.certificate.reason.name if traj.certificate.reason else "proved"
        print(f"{name:<24} {reason:<10} {used['on'] - used['off']:>9.2f}", flush=True)


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks limits", description=__doc__)
    parser.add_argument("--seconds", type=float, default=1.0, help="0: the fuzz alone")
    parser.add_argument("--only", default="", help="problems with this in their name")
    parser.add_argument("--fuzz", type=int, default=2000)
    options = parser.parse_args(argv)
    if options.seconds:
        _hard(options.seconds, options.only)
        _budgets()
    if options.fuzz:
        _fuzz(options.fuzz)
