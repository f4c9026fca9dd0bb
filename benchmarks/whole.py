"""`rw.train` on whole networks against Adam and L-BFGS of PyTorch in the same time, on one core.

    python -m benchmarks whole [--problems 20] [--seed 0]   # needs the extra bench

Ten random problems as in training.py (all layers of 4-5-4-2-1 on 500 samples) and ten real ones,
inputs and targets standardised, tables of statsmodels cut to 400 rows, networks from 1-8-1 to
10-8-4-1.  All methods start from the same network.  Adam makes 5,000 full-batch steps at each of
three rates; the time of the fastest of these runs is what L-BFGS (strong Wolfe line search; from
random networks once it stalls) and `train` get, its proofs included.  Every rival counts with the
least loss that it has met, `train` with the network that it hands over.  Rows: mean absolute
errors; how many layers of how many are certified (each the exact point of a proof, up to rounding:
see `rw.TrainingFit`), which the independent checker confirms.
"""

import argparse
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

import reluplex_walk as rw

from ._extra import need

RATES, STEPS = (0.1, 0.01, 0.001), 5000
RIVALS = [*(f"Adam {rate:g}" for rate in RATES), "L-BFGS"]


class Problem(NamedTuple):
    """Standardised data, and the widths of a network for them."""

    name: str
    X: np.ndarray
    y: np.ndarray
    widths: list[int]


def problems() -> Iterator[Problem]:
    """The twenty problems."""
    for seed in range(10):
        rng = np.random.default_rng(seed)
        X, y = rng.uniform(-3, 3, (500, 4)), rng.uniform(-3, 3, (500, 1))
        yield _standard(f"random {seed}", X, y, [4, 5, 4, 2, 1])
    yield from _real()


def _real() -> Iterator[Problem]:
    """Data of scikit-learn, of statsmodels and our own; without a target of their own, a column."""
    learn, models = need("sklearn.datasets"), need("statsmodels.api").datasets
    found = learn.load_diabetes()
    yield _standard("diabetes", found.data, found.target, [10, 8, 4, 1])
    columns = learn.load_iris().data
    yield _standard("iris", columns[:, :3], columns[:, 3], [3, 8, 1])
    columns = learn.load_wine().data
    yield _standard("wine", columns[:, 1:9], columns[:, 0], [8, 6, 1])
    columns = learn.load_breast_cancer().data
    yield _standard("breast cancer", columns[:, 1:9], columns[:, 0], [8, 6, 3, 1])
    for name in ("engel", "motorcycle"):
        own = getattr(rw.datasets, f"load_{name}")()
        yield _standard(name, own.X, own.y, [1, 8, 1])
    X, y = learn.make_friedman1(300, 10, noise=1.0, random_state=0)
    yield _standard("Friedman 1", X, y, [10, 8, 4, 1])
    for name, last, hidden in (("statecrime", False, 4), ("fair", True, 5), ("ccard", False, 5)):
        table = getattr(models, name).load_pandas().data.to_numpy(float)[:400]
        X, y = (table[:, :-1], table[:, -1]) if last else (table[:, 1:], table[:, 0])
        yield _standard(name, X, y, [X.shape[1], hidden, 1])


def _standard(name: str, X: np.ndarray, y: np.ndarray, widths: list[int]) -> Problem:
    y = np.reshape(y, (-1, 1))
    return Problem(name, *((part - part.mean(0)) / part.std(0) for part in (X, y)), widths)


class Model:
    """A network in PyTorch, with the least loss it has met."""

    def __init__(self, problem: Problem, network: rw.ReLUNetwork) -> None:
        self.torch: Any = need("torch")
        self.torch.set_num_threads(1)
        self.X, self.y = (self.torch.from_numpy(part.copy()) for part in problem[1:3])
        self.parameters: list[Any] = []
        self.restart(network)
        self.least = np.inf
        self.began = time.perf_counter()

    def restart(self, network: rw.ReLUNetwork) -> None:
        layers = zip(network.weights, network.biases, strict=True)
        self.parameters = [
            self.torch.tensor(part.copy(), requires_grad=True) for layer in layers for part in layer
        ]

    def __call__(self) -> Any:
        """The mean loss, with its gradient."""
        values, last = self.X, len(self.parameters) - 2
        for k in range(0, last + 2, 2):
            self.parameters[k].grad = self.parameters[k + 1].grad = None
            values = self.torch.nn.functional.linear(values, *self.parameters[k : k + 2])
            values = values if k == last else self.torch.relu(values)
        loss = (values - self.y).abs().mean()
        loss.backward()
        self.least = min(self.least, loss.item())
        return loss

    @property
    def seconds(self) -> float:
        return time.perf_counter() - self.began


def adam(problem: Problem, network: rw.ReLUNetwork, rate: float) -> tuple[float, float]:
    """Least loss and seconds."""
    model = Model(problem, network)
    optimizer = model.torch.optim.Adam(model.parameters, lr=rate)
    for _ in range(STEPS):
        model()
        optimizer.step()
    return model.least, model.seconds


def lbfgs(problem: Problem, network: rw.ReLUNetwork, seconds: float) -> float:
    """Least loss."""
    model, restarts, before = Model(problem, network), 0, np.inf
    search: Callable = model.torch.optim.LBFGS
    optimizer = search(model.parameters, line_search_fn="strong_wolfe")
    while model.seconds < seconds:
        here = optimizer.step(model).item()
        if not here < before:
            restarts += 1
            model.restart(rw.ReLUNetwork.random(problem.widths, seed=1000 + restarts, init="he"))
            optimizer = search(model.parameters, line_search_fn="strong_wolfe")
            here = np.inf
        before = here
    return model.least


def confirmed(fit: rw.TrainingFit) -> int:
    """How many layers are certified; the independent checker raises if it does not confirm one."""
    if fit.certified:
        fit.verify()
    claimed = [k for k, each in enumerate(fit.certificates) if each and each.is_local_minimum]
    for layer in claimed:
        fit.certificates[layer].verify_exact(fit.layer_loss(layer))
    return len(claimed)


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks whole", description=__doc__)
    parser.add_argument("--problems", type=int, default=20, help="so many of them, the last first")
    parser.add_argument("--seed", type=int, default=0, help="of the networks and of train")
    options = parser.parse_args(argv)
    for widths, n in (([4, 5, 4, 2, 1], 60), ([1, 3, 1], 30)):  # load the kernels
        rng = np.random.default_rng(9)
        X, y = rng.normal(size=(n, widths[0])), rng.normal(size=n)
        rw.train(rw.ReLUNetwork.random(widths, init="he"), X, y, rounds=9)
    print(f"{'problem':<14}" + "".join(f"{name:>11}" for name in [*RIVALS, "train"])
          + "  layers  ended        s: Adam  train")  # fmt: skip
    wins = whole = 0
    for problem in list(problems())[::-1][: options.problems]:
        network = rw.ReLUNetwork.random(problem.widths, seed=options.seed, init="he")
        runs = [adam(problem, network, rate) for rate in RATES]
        seconds = min(run[1] for run in runs)
        rivals = [*(run[0] for run in runs), lbfgs(problem, network, seconds)]
        fit = rw.train(network, problem.X, problem.y, time_limit=seconds, seed=options.seed)
        ours, layers = fit.loss / len(problem.y), confirmed(fit)
        wins, whole = wins + (ours < min(rivals)), whole + fit.certified
        print(
            f"{problem.name:<14}"
            + "".join(f"{loss:>11.4f}" for loss in [*rivals, ours])
            + f"{layers:>5}/{network.n_layers}  {fit.status:<11}{seconds:>9.2f}{fit.elapsed:>7.2f}",
            flush=True,
        )
    print(
        f"lower than all rivals on {wins} of {options.problems}; every layer certified on {whole}"
    )
