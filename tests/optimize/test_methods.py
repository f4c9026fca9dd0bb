"""Each gradient method against its definition, coordinate by coordinate in plain Python.

The definitions are those of PyTorch's documentation (SGD with dampening 0, RMSprop, Adam), and
PyTorch itself where it is installed.
"""

import math

import numpy as np
import pytest

from reluplex_walk.optimize.methods import Adam, Momentum, Nesterov, RMSProp, Sgd

RATE, STEPS = 0.05, 40
START = np.array([1.5, -0.7, 0.0, 3.0])


def gradient(theta):
    """Of a sum of kinks and a bowl: it jumps, and is 0 in the third coordinate at first."""
    return np.sign(theta) * [1.0, 2.0, 0.5, 0.1] + 0.3 * (theta - [0.5, 0.5, 0.0, -1.0])


def sgd(theta, g, memory, t):
    return theta - RATE * g


def momentum(theta, g, memory, t, beta=0.9):
    memory["b"] = g if t == 1 else beta * memory["b"] + g
    return theta - RATE * memory["b"]


def nesterov(theta, g, memory, t):
    memory["b"] = g if t == 1 else 0.8 * memory["b"] + g
    return theta - RATE * (g + 0.8 * memory["b"])


def rmsprop(theta, g, memory, t):
    memory["v"] = 0.99 * memory.get("v", 0.0) + 0.01 * g**2
    return theta - RATE * g / (math.sqrt(memory["v"]) + 1e-8)


def adam(theta, g, memory, t):
    memory["m"] = 0.9 * memory.get("m", 0.0) + 0.1 * g
    memory["v"] = 0.999 * memory.get("v", 0.0) + 0.001 * g**2
    mean, square = memory["m"] / (1 - 0.9**t), memory["v"] / (1 - 0.999**t)
    return theta - RATE * mean / (math.sqrt(square) + 1e-8)


METHODS = {
    "sgd": (Sgd(), sgd),
    "momentum": (Momentum(), momentum),
    "nesterov": (Nesterov(beta=0.8), nesterov),
    "rmsprop": (RMSProp(), rmsprop),
    "adam": (Adam(), adam),
}


@pytest.mark.parametrize("name", METHODS)
def test_steps_are_as_defined(name):
    method, reference = METHODS[name]
    run = method.begin(START, RATE, seed=0)
    theta, memories = START.tolist(), [{} for _ in START]
    for t in range(1, STEPS + 1):
        before, g = run.theta.copy(), gradient(run.theta)
        assert run.step(gradient, left=5) == 1
        moved = gradient(np.array(theta)).tolist()
        theta = [
            reference(x, d, memory, t) for x, d, memory in zip(theta, moved, memories, strict=True)
        ]
        np.testing.assert_allclose(run.theta, theta, rtol=1e-12, atol=1e-14)
        length = np.linalg.norm(run.theta - before) / np.linalg.norm(g)
        assert run.effective_rate == pytest.approx(length, rel=1e-9)
    assert not np.array_equal(run.theta, START)


@pytest.mark.parametrize("name", METHODS)
def test_torch_makes_the_same_steps(name):
    torch = pytest.importorskip("torch")
    theta = torch.tensor(START.copy(), requires_grad=True)
    optimizer = {
        "sgd": lambda p: torch.optim.SGD(p, RATE),
        "momentum": lambda p: torch.optim.SGD(p, RATE, momentum=0.9),
        "nesterov": lambda p: torch.optim.SGD(p, RATE, momentum=0.8, nesterov=True),
        "rmsprop": lambda p: torch.optim.RMSprop(p, RATE),
        "adam": lambda p: torch.optim.Adam(p, RATE),
    }[name]([theta])
    run = METHODS[name][0].begin(START, RATE, seed=0)
    for _ in range(STEPS):
        theta.grad = torch.tensor(gradient(theta.detach().numpy()))
        optimizer.step()
        run.step(gradient, left=1)
        np.testing.assert_allclose(run.theta, theta.detach().numpy(), rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("name", METHODS)
def test_a_run_restored_goes_on_bit_for_bit(name):
    method = METHODS[name][0]
    whole, part = (method.begin(START, RATE, seed=0) for _ in range(2))
    for _ in range(7):
        part.step(gradient, left=1)
    again = method.restore({key: np.asarray(value) for key, value in part.arrays().items()})
    assert again.options == method
    for _ in range(STEPS):
        whole.step(gradient, left=1)
    for _ in range(STEPS - 7):
        again.step(gradient, left=1)
    np.testing.assert_array_equal(again.theta, whole.theta)


def test_a_step_that_does_not_fit_is_not_made():
    run = Adam().begin(START, RATE, seed=0)
    assert run.step(gradient, left=0) == 0
    np.testing.assert_array_equal(run.theta, START)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Momentum(beta=1.0), r"beta: expected a number in \[0, 1\), found 1"),
        (lambda: Adam(beta2=-0.1), r"beta2: expected a number in \[0, 1\)"),
        (lambda: RMSProp(eps=0.0), "eps: expected a number > 0"),
        (lambda: Sgd().begin(START, 0.0), "learning_rate: expected a number > 0"),
    ],
)
def test_bad_options(make, message):
    with pytest.raises(ValueError, match=message):
        make()
