"""`rw.minimize` against Adam and L-BFGS of PyTorch in the same time, by the loss reached.

    python -m benchmarks training [--problems 20] [--plot FILE]   # needs the extra bench (PyTorch)

Random 4-5-4-2-1 networks on 500 samples (see instances.py); only the first layer is trained, all
methods start from the same point, on one core.  Adam makes 5,000 full-batch steps at each of three
rates; the time of the fastest of these runs is what L-BFGS (strong Wolfe line search; from random
starts once it stalls) and `minimize` get.  Every method counts with the least loss it has met.  One
adjacent and one long walk run to their ends.  Rows: the mean absolute error per problem.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import reluplex_walk as rw

from ._extra import need
from .instances import instance

WIDTHS, SAMPLES, STEPS = [4, 5, 4, 2, 1], 500, 5000
RATES = (1.0, 0.1, 0.01)
RIVALS = [*(f"Adam {rate:g}" for rate in RATES), "L-BFGS"]


class Run(NamedTuple):
    """Seconds and losses of one method as it went on."""

    seconds: np.ndarray
    losses: np.ndarray
    proved: bool = False

    @property
    def best(self) -> float:
        return float(self.losses.min())


class Model:
    """The loss in PyTorch, as a function of the trained layer alone, with the time course."""

    def __init__(self, loss: rw.LayerLoss, start: np.ndarray) -> None:
        self.torch: Any = need("torch")
        self.torch.set_num_threads(1)
        tensor = self.torch.from_numpy
        self.X, self.y = tensor(loss.X.copy()), tensor(loss.y.copy())
        self.tail = [(tensor(w.copy()), tensor(b.copy())) for w, b in loss.tail]
        self.theta = tensor(start.copy()).requires_grad_()
        self.began = time.perf_counter()
        self.seconds: list[float] = []
        self.losses: list[float] = []

    def __call__(self) -> Any:
        """The loss at `theta`, with its gradient there."""
        linear = self.torch.nn.functional.linear
        self.theta.grad = None
        values = linear(self.X, self.theta[:, :-1], self.theta[:, -1])
        for w, b in self.tail:
            values = linear(self.torch.relu(values), w, b)
        loss = (values - self.y).abs().mean()
        loss.backward()
        self.seconds.append(time.perf_counter() - self.began)
        self.losses.append(loss.item())
        return loss

    def run(self) -> Run:
        return Run(np.array(self.seconds), np.array(self.losses))


def adam(loss: rw.LayerLoss, start: np.ndarray, rate: float) -> Run:
    model = Model(loss, start)
    optimizer = model.torch.optim.Adam([model.theta], lr=rate)
    for _ in range(STEPS):
        model()
        optimizer.step()
    return model.run()


def lbfgs(loss: rw.LayerLoss, start: np.ndarray, seconds: float) -> Run:
    model, restarts = Model(loss, start), 0
    search: Callable = model.torch.optim.LBFGS
    optimizer = search([model.theta], line_search_fn="strong_wolfe")
    before = np.inf
    while time.perf_counter() - model.began < seconds:
        here = optimizer.step(model).item()
        if here >= before:
            restarts += 1
            with model.torch.no_grad():
                model.theta.copy_(model.torch.from_numpy(loss.random_start(restarts, 3.0)))
            optimizer = search([model.theta], line_search_fn="strong_wolfe")
            here = np.inf
        before = here
    return model.run()


def walk(loss: rw.LayerLoss, start: np.ndarray, step: str) -> Run:
    traj = rw.walk(loss, start, step=step, proof_budget=1.0)
    return Run(np.array([traj.elapsed]), np.array([traj.loss]) / SAMPLES, traj.status.proved)


def minimize(loss: rw.LayerLoss, start: np.ndarray, seconds: float, seed: int) -> Run:
    found = rw.minimize(loss, seconds, seed, start=start)
    ends = np.array([loss(start), *np.minimum.accumulate(found.losses), found.loss])
    times = np.array([0.0, *found.seconds, found.elapsed])
    return Run(times, ends / SAMPLES, found.best.certificate.is_local_minimum)


def compare(seed: int) -> dict[str, Run]:
    """All methods on one problem."""
    loss = instance(WIDTHS, SAMPLES, seed)
    start = loss.random_start(seed)
    runs = {f"Adam {rate:g}": adam(loss, start, rate) for rate in RATES}
    seconds = min(float(run.seconds[-1]) for run in runs.values())
    runs["L-BFGS"] = lbfgs(loss, start, seconds)
    runs["minimize"] = minimize(loss, start, seconds, seed)
    for step in ("adjacent", "long"):
        runs[step] = walk(loss, start, step)
    return runs


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks training", description=__doc__)
    parser.add_argument("--problems", type=int, default=20)
    parser.add_argument("--plot", metavar="FILE", help="write a picture of loss against time")
    options = parser.parse_args(argv)
    rw.minimize(instance(WIDTHS, 50, 0), max_walks=8)  # load the kernels,
    for seed in range(12):  # those of degenerate vertices too
        rw.walk(instance(WIDTHS, 50, seed))
    adam(instance(WIDTHS, 50, 0), np.ones((5, 5)), 0.1)
    names = [*RIVALS, "adjacent", "long", "minimize"]
    print(
        "problem" + "".join(f"{name:>10}" for name in names) + "   proved  better by  s: Adam  ours"
    )
    problems = []
    for seed in range(options.problems):
        runs = compare(seed)
        problems.append(runs)
        ours, rival = runs["minimize"], min(runs[name].best for name in RIVALS)
        print(
            f"{seed:>7}"
            + "".join(f"{runs[name].losses.min():>10.4f}" for name in names[:-1])
            + f"{ours.losses[-1]:>10.4f}{ours.proved!s:>9}{1 - ours.losses[-1] / rival:>11.2%}"
            f"{min(float(runs[n].seconds[-1]) for n in RIVALS[:3]):>9.2f}{ours.seconds[-1]:>6.2f}",
            flush=True,
        )
    table = np.array([[runs[name].losses.min() for name in names] for runs in problems])
    table[:, -1] = [runs["minimize"].losses[-1] for runs in problems]
    proved = np.array([runs["minimize"].proved for runs in problems])
    wins = table[:, -1] < table[:, : len(RIVALS)].min(axis=1)
    print(" median" + "".join(f"{value:>10.4f}" for value in np.median(table, axis=0)))
    print(
        f"minimize is lower than every rival on {wins.sum()} of {len(wins)}, "
        f"proved on {proved.sum()}, both on {(wins & proved).sum()}"
    )
    if options.plot:
        _plot(problems, options.plot)


def _plot(problems: list[dict[str, Run]], path: str) -> None:
    """Median over the problems of the least loss so far over the best end of any method."""
    from matplotlib.figure import Figure

    last = np.median([runs["minimize"].seconds[-1] for runs in problems])
    times = np.geomspace(0.01, last, 200)
    floor = [min(run.best for run in runs.values()) for runs in problems]
    figure = Figure(figsize=(7.0, 4.5), layout="constrained")
    axes = figure.subplots()
    for name in ["minimize", *RIVALS]:
        curves = []
        for runs, least in zip(problems, floor, strict=True):
            run = runs[name]
            at = np.searchsorted(run.seconds, times, side="right") - 1
            best = np.minimum.accumulate(run.losses)
            curves.append(np.where(at >= 0, best[np.maximum(at, 0)], np.nan) / least)
        axes.plot(times, np.median(curves, axis=0), label=name, lw=2 if name == "minimize" else 1)
    for name, marker in (("adjacent", "s"), ("long", "o")):
        ends = [(runs[name].seconds[-1], runs[name].best) for runs in problems]
        seconds, losses = np.array(ends).T
        axes.plot(np.median(seconds), np.median(losses / floor), f"k{marker}", label=f"{name} walk")
    axes.set(xscale="log", xlabel="seconds, one core", ylabel="least loss so far / best end of all")
    axes.set_title(f"median of {len(problems)} problems 4-5-4-2-1, n = {SAMPLES}, first layer")
    axes.legend()
    figure.savefig(path, dpi=120)
