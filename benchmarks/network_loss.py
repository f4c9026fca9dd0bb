"""Gradient, Hessian-vector product and Hessian of all layers, against PyTorch.

    python -m benchmarks network_loss [--samples 500] [--alone]   # needs the extra bench (PyTorch)

Networks 4-5-4-2-1, 4-20-1 and 10-32-32-32-1 on random data, L1 loss, double precision, one core.
Rivals: autograd's backward; its double backward; the Hessian of torch.func, all rows at once.  All
results are compared before they are timed.  Each time is the least of seven runs, of which each
takes 0.05 s.  --alone leaves PyTorch out.
"""

import argparse
import time
from collections.abc import Callable
from typing import Any

import numpy as np

import reluplex_walk as rw

from ._extra import need

NETWORKS = [[4, 5, 4, 2, 1], [4, 20, 1], [10, 32, 32, 32, 1]]
WORK = {
    "gradient": lambda loss, v: loss.gradient(loss.theta),
    "product": lambda loss, v: loss.hvp(loss.theta, v),
    "Hessian": lambda loss, v: loss.hessian(loss.theta),
}


class Torch:
    """The same loss in PyTorch, as a function of the flat parameters."""

    def __init__(self, loss: rw.NetworkLoss) -> None:
        self.torch: Any = need("torch")
        self.torch.set_num_threads(1)
        self.widths = loss.network.widths
        self.X, self.y = (self.torch.from_numpy(part.copy()) for part in (loss.X, loss.y))
        self.theta = self.torch.from_numpy(loss.theta).requires_grad_()

    def __call__(self, theta: Any) -> Any:
        functional, out, at = self.torch.nn.functional, self.X, 0
        for k, (inputs, neurons) in enumerate(zip(self.widths, self.widths[1:], strict=False)):
            layer = theta[at : at + neurons * (inputs + 1)].reshape(neurons, inputs + 1)
            out = self.torch.relu(out) if k else out
            out = functional.linear(out, layer[:, :-1], layer[:, -1])
            at += neurons * (inputs + 1)
        return (out - self.y).abs().sum()

    def gradient(self, v: np.ndarray) -> Any:
        return self.torch.autograd.grad(self(self.theta), self.theta)[0]

    def product(self, v: np.ndarray) -> Any:
        grad = self.torch.autograd.grad
        first = grad(self(self.theta), self.theta, create_graph=True)[0]
        return grad(first, self.theta, self.torch.from_numpy(v))[0]

    def hessian(self, v: np.ndarray) -> Any:
        return self.torch.func.hessian(self)(self.theta.detach())


def main(argv: list[str]) -> None:
    parser = argparse.ArgumentParser(prog="benchmarks network_loss", description=__doc__)
    parser.add_argument("--samples", type=int, default=500)
    parser.add_argument("--alone", action="store_true")
    options = parser.parse_args(argv)
    print(f"{'network':<16}{'D':>6}  {'':<10}{'us':>10}{'PyTorch':>12}{'ratio':>8}")
    for widths in NETWORKS:
        loss = _loss(widths, options.samples)
        v = np.random.default_rng(1).normal(size=loss.dim)
        rival = None if options.alone else Torch(loss)
        for name, ours in WORK.items():
            row = f"{'-'.join(map(str, widths)):<16}{loss.dim:>6}  {name:<10}"
            mine = _microseconds(ours, loss, v)
            if rival is None:
                print(f"{row}{mine:>10.1f}")
                continue
            theirs = getattr(rival, name.lower())
            np.testing.assert_allclose(ours(loss, v), theirs(v), rtol=1e-8, atol=1e-8)
            other = _microseconds(theirs, v)
            print(f"{row}{mine:>10.1f}{other:>12.1f}{other / mine:>8.1f}")


def _loss(widths: list[int], n: int) -> rw.NetworkLoss:
    rng = np.random.default_rng(0)
    network = rw.ReLUNetwork.random(widths, seed=0)
    return rw.NetworkLoss(network, rng.uniform(-3, 3, (n, widths[0])), rng.uniform(-3, 3, n))


def _microseconds(call: Callable[..., Any], *given: Any) -> float:
    runs, seconds = 7, 0.05
    began = time.perf_counter()
    call(*given)
    repeats = max(1, int(seconds / max(time.perf_counter() - began, 1e-6)))
    best = np.inf
    for _ in range(runs):
        began = time.perf_counter()
        for _ in range(repeats):
            call(*given)
        best = min(best, (time.perf_counter() - began) / repeats)
    return 1e6 * best
