"""Whether what is handed over is what was proved, on thousands of random small problems.

    python -m benchmarks claims [--problems 5000] [--seed 0] [--kind KIND ...] [--processes 1]
    python -m benchmarks claims --only KIND SEED
    python -m benchmarks claims --write FOLDER;  python -m benchmarks claims --verify FOLDER

Problems are those of `_fuzz`, the kinds in turn.  Of every result it is asked

* exception: whether there is one, or no end within a minute;
* NaN: whether all numbers are finite;
* losses: whether the losses handed over are those at the vertices and at theta;
* rises: whether the loss rises by more than rounding from vertex to vertex;
* not best: whether theta is the best of start, vertices and certificate;
* refused: whether its own proof is confirmed, for some through a file;
* false: whether `_plain_check`, which shares no code with the proofs, finds a claim that is wrong.

The table counts problems, those proved and, by reason, those not proved.  The exit code is 1 if
anything else is not 0; `--only` shows one problem in detail.  `--write` keeps the files of all
walks, and `--verify` checks files, which another OPENBLAS_CORETYPE or NUMBA_CPU_NAME may have
written.
"""

import argparse
import contextlib
import multiprocessing
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from inspect import signature
from pathlib import Path
from typing import Any

import numpy as np

import reluplex_walk as rw
from benchmarks._boxes import wrong_minima
from benchmarks._fuzz import KINDS, Problem, boxed, problem, regression
from benchmarks._plain_check import wrong_claims

FAULTS = ("false", "refused", "exception", "NaN", "losses", "rises", "not best")
DECIMALS = "decimals" in signature(rw.LayerLoss).parameters  # else floats as they are
_LIMIT = 60  # seconds for a problem
_REGIONS = 5_000  # in a box
_EVERY = 4  # problems of which one goes through a file


@dataclass
class Outcome:
    """What came of one problem."""

    kind: str
    seed: int
    state: str = "error"  # "proved", or why not
    faults: list[tuple[str, str]] = field(default_factory=list)  # (one of FAULTS, in words)
    details: list[str] = field(default_factory=list)
    elapsed: float = 0.0

    def false(self) -> list[tuple[str, str]]:
        return [(fault, text) for fault, text in self.faults if fault == "false"]

    def add(self, fault: str, text: object) -> None:
        self.faults.append((fault, " ".join(str(text).split())))


def reason(certificate: rw.Certificate) -> str:
    """Why nothing is proved; the method where the certificate does not say."""
    found = getattr(certificate, "reason", None)
    return certificate.method if found is None else found.name


def rounding(loss: rw.LayerLoss) -> float:
    """What a loss may miss beside 1e-9 of it: 1e-12 of sum w |y|."""
    return 1e-12 * float((np.maximum(loss.left, loss.right) * np.abs(loss.targets)).sum())


def judge_walk(out: Outcome, case: Problem, folder: Path | None) -> None:
    loss = case.loss
    traj = rw.walk(loss, case.start, **case.options)
    out.state = "proved" if traj.status.proved else reason(traj.certificate)
    out.details += [repr(loss), str(case.options), repr(traj), repr(traj.certificate)]
    _finite(
        out,
        losses=traj.losses,
        vertices=traj.vertices,
        theta=traj.theta,
        loss=traj.loss,
        slopes=traj.certificate.slopes,
        certificate=traj.certificate.theta,
        lengths=traj.steps.length,
        rates=traj.steps.slope,
    )
    _losses(out, traj)
    if traj.status.proved:
        confirm(out, traj, folder)


def _finite(out: Outcome, **numbers: Any) -> None:
    for name, values in numbers.items():
        if not np.isfinite(values).all():
            out.add("NaN", name)


def _losses(out: Outcome, traj: rw.Trajectory) -> None:
    """Losses are those at the vertices, do not rise, and theta is the best of all."""
    loss, noise = traj.problem, rounding(traj.problem)
    at = np.array([loss(v) for v in traj.vertices])
    off = np.abs(traj.losses - at) > 1e-9 * np.abs(at) + noise
    if len(traj.losses) != len(at) or off.any():
        k = int(off.argmax())
        out.add("losses", f"{off.sum()} of {len(at)}: losses[{k}] {traj.losses[k]}, is {at[k]}")
    up = np.diff(at) > 1e-9 * np.abs(at[:-1]) + noise
    if up.any() and traj.ended is not rw.Ended.PRECISION:
        k = int(up.argmax())
        out.add("rises", f"{up.sum()} of {len(up)}: from {at[k]} to {at[k + 1]} at {k}")
    here = loss(traj.theta)
    best = float(min(at.min(), loss(traj.certificate.theta)))
    if here > best + 1e-9 * abs(best) + noise:
        out.add("not best", f"theta {here}, best {best}, start {at[0]}")
    if abs(here - traj.loss) > 1e-9 * abs(here) + noise:
        out.add("losses", f"traj.loss {traj.loss}, at theta {here}")


def confirm(out: Outcome, traj: rw.Trajectory, folder: Path | None) -> None:
    """Its own proof, and the plain check."""
    certificate, loss = traj.certificate, traj.problem
    try:
        certificate.verify(loss)
        certificate.verify_exact(loss)
        traj.verify()
        if folder is not None:
            path = folder / f"{out.kind.replace(' ', '-')}-{out.seed}.npz"
            traj.save(path, force=True)
            rw.Trajectory.load(path).verify()
    except rw.CertificateError as error:
        out.add("refused", error)
    if not np.array_equal(traj.theta, certificate.theta):
        out.add("false", "end: the certificate is about another theta")
    for text in wrong_claims(loss, certificate, DECIMALS, out.seed):
        out.add("false", text)


def judge_fit(out: Outcome, seed: int) -> None:
    data = regression(seed)
    fit = data.fit()
    certificate, loss = fit.certificate, fit.problem
    out.state = "proved" if fit.status.proved else reason(certificate)
    out.details += [f"X={data.X.tolist()}", f"y={data.y.tolist()}", repr(fit), repr(certificate)]
    _finite(out, coefficients=fit.coefficients, loss=fit.loss, dual=fit.dual)
    here, noise = loss(np.roll(fit.coefficients, -1)), rounding(loss)
    if abs(here - fit.loss) > 1e-9 * here + noise:
        out.add("losses", f"fit.loss {fit.loss}, at the coefficients {here}")
    if here > loss(certificate.theta) * (1 + 1e-9) + noise:
        out.add("not best", f"coefficients {here}, certificate {loss(certificate.theta)}")
    if not fit.status.proved:
        return
    if abs(fit.dual @ fit.y - fit.loss) > 1e-6 * fit.loss + 1e-9 * float(
        (abs(fit.dual) + 1e-3 * fit.sample_weight) @ abs(fit.y)
    ):
        out.add("losses", f"dual . y = {fit.dual @ fit.y}, loss {fit.loss}")
    if not certificate.is_local_minimum:
        out.add("false", f"{fit.status.name}, and the certificate says {certificate.method}")
        return
    try:
        certificate.verify(loss)
        certificate.verify_exact(loss)
    except rw.CertificateError as error:
        out.add("refused", error)
    for text in wrong_claims(loss, certificate, DECIMALS, seed):
        out.add("false", text)


def judge_box(out: Outcome, seed: int) -> None:
    loss, side = boxed(seed)
    regions = rw.enumerate_regions(loss, (-side, side), max_regions=_REGIONS)
    out.state = "proved" if regions.complete else regions.ended.name
    out.details += [repr(loss), repr(regions), f"X={loss.X.tolist()}", f"y={loss.y.tolist()}"]
    if not regions.complete:
        return
    minima, least = regions.local_minima(), regions.minimum()
    _finite(
        out, minima=[m.loss for m in minima], least=least.loss, thetas=[m.theta for m in minima]
    )
    for text in wrong_minima(loss, side, minima, least, seed):
        out.add("false", text)


def examine(kind: str, seed: int, folder: Path | None = None) -> Outcome:
    """One problem from start to end."""
    out, began = Outcome(kind, seed), time.perf_counter()
    with warnings.catch_warnings(), _limit(), tempfile.TemporaryDirectory() as other:
        warnings.simplefilter("ignore")
        try:
            if kind == "fit":
                judge_fit(out, seed)
            elif kind == "box":
                judge_box(out, seed)
            else:
                some = Path(other) if seed % _EVERY == 0 else None
                judge_walk(out, problem(kind, seed), folder or some)
        except Exception as error:  # counted and shown: the table must not hide it
            out.add("exception", f"{type(error).__name__}: {error}")
            out.details.append(traceback.format_exc())
    out.elapsed = time.perf_counter() - began
    return out


def compile_kernels() -> None:
    """Some problems of every sort, without a limit: the time to compile is not theirs."""
    for seed in range(3):
        case = problem("ordinary", seed)
        for step in ("adjacent", "long"):
            rw.walk(case.loss, case.start, step, seed=seed, plateau="cross")
        regression(seed).fit()
    rw.enumerate_regions(boxed(1)[0], 1.0, max_regions=100).local_minima()


@contextlib.contextmanager
def _limit() -> Iterator[None]:
    """TimeoutError after _LIMIT seconds, where the system can send it."""

    def stop(*_: object) -> None:
        raise TimeoutError(f"no end within {_LIMIT} s")

    if not hasattr(signal, "SIGALRM"):
        yield
        return
    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(_LIMIT)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


def outcomes(kinds: list[str], options: argparse.Namespace) -> Iterator[Outcome]:
    cases = [
        (kinds[k % len(kinds)], options.seed + k // len(kinds)) for k in range(options.problems)
    ]
    work = partial(examine, folder=options.write)
    if options.processes == 1:
        yield from (work(*case) for case in cases)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(options.processes, context) as pool:
        yield from pool.map(work, *zip(*cases, strict=True), chunksize=4)


def show(found: list[Outcome], kinds: list[str]) -> bool:
    """The tables; whether nothing is wrong."""
    print(f"\n{'kind':<16} problems  proved  not  " + "  ".join(FAULTS) + "  seconds")
    for kind in [*kinds, "all"]:
        some = [o for o in found if kind in (o.kind, "all")]
        proved = sum(o.state == "proved" for o in some)
        cells = "  ".join(
            f"{sum(any(f == fault for f, _ in o.faults) for o in some):>{len(fault)}}"
            for fault in FAULTS
        )
        left = len(some) - proved - sum(o.state == "error" for o in some)
        seconds = sum(o.elapsed for o in some)
        print(f"{kind:<16} {len(some):>8} {proved:>7} {left:>4}  {cells}  {seconds:>7.1f}")
    reasons = Counter((o.state, o.kind) for o in found if o.state not in ("proved", "error"))
    print("\nnot proved, by reason")
    for state in sorted({state for state, _ in reasons}):
        by = {kind: n for (s, kind), n in sorted(reasons.items()) if s == state}
        each = ", ".join(f"{kind} {n}" for kind, n in by.items())
        print(f"  {state:<12} {sum(by.values()):>5}  ({each})")
    wrong = Counter(name for o in found for name in {text.split(":")[0] for _, text in o.false()})
    print("\nfalse, by what is: " + ", ".join(f"{name} {n}" for name, n in wrong.most_common()))
    return not any(o.faults for o in found)


def verify(folder: Path) -> int:
    """Check every file of a folder; the exit code."""
    paths, refused = sorted(folder.glob("*.npz")), 0
    for path in paths:
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                rw.Trajectory.load(path).verify()
        except Exception as error:  # counted and shown
            refused += 1
            print(f"{path.name}: {type(error).__name__}: {error}")
    print(f"{len(paths)} files, {refused} refused")
    return int(refused > 0 or not paths)


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(
        prog="benchmarks claims",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--problems", type=int, default=5000)
    parser.add_argument("--seed", type=int, default=0, help="of the first problem of each kind")
    parser.add_argument("--kind", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--only", nargs=2, metavar=("KIND", "SEED"))
    parser.add_argument("--write", type=Path, metavar="FOLDER")
    parser.add_argument("--verify", type=Path, metavar="FOLDER")
    options = parser.parse_args(argv)
    if options.verify:
        sys.exit(verify(options.verify))
    if options.write:
        options.write.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        compile_kernels()
    if options.only:
        one = examine(options.only[0], int(options.only[1]), options.write)
        print(*one.details, one.state, *(f"{f}: {text}" for f, text in one.faults), sep="\n")
        sys.exit(bool(one.faults))
    found = []
    for out in outcomes(options.kind, options):
        found.append(out)
        for fault in dict.fromkeys(fault for fault, _ in out.faults):
            texts = [text for f, text in out.faults if f == fault]
            more = f" (and {len(texts) - 1} more)" if len(texts) > 1 else ""
            print(f"--only '{out.kind}' {out.seed}  {fault}: {texts[0][:200]}{more}", flush=True)
    sys.exit(not show(found, options.kind))
