"""Alice in PyTorch: the way of Alice in NumPy, and what PyTorch expects of an optimizer.

Skipped where there is no PyTorch; the step `torch` of `.ci/run` has it.
"""

import subprocess
import sys
from itertools import pairwise

import numpy as np
import pytest

import reluplex_walk as rw

from ..problems.kinked import kinked
from ..problems.squares import closure_of_square

torch = pytest.importorskip("torch")

SIZE = 12
VARIANTS = [
    {},
    {"hessian": "rms"},
    {"hessian": "off", "joint": True},
    {"glass": False, "quick_steps": 0},
    {"joint": True, "quick_steps": 1},
    {"bounds": "gradient", "limits": (0.1, 0.5), "betas": (0.8, 0.99)},
    {"bounds": "fixed", "limits": (0.05, 1.0), "omega": 0.7},
    {"bounds": False, "eps": 1e-3},
]


def start(dtype):
    return np.linspace(-1.0, 2.0, SIZE).astype(dtype)


def tensors(flat):
    """The parameters as three tensors, one of them not contiguous."""
    t = torch.from_numpy(flat.copy())
    pieces = t[:2].clone(), t[2:8].reshape(2, 3).t().contiguous().t(), t[8:].reshape(2, 2).clone()
    return [piece.requires_grad_() for piece in pieces]


def flat_of(params):
    return np.concatenate([p.detach().numpy().ravel() for p in params])


def closure_of(params, gradient):
    """A closure that has its gradients of NumPy."""

    def closure():
        g = torch.from_numpy(gradient(flat_of(params)))
        pairs = zip(params, g.split([2, 6, 4]), strict=True)
        loss = sum((p.reshape(-1) * piece).sum() for p, piece in pairs)
        loss.backward()
        return loss

    return closure


# ---------------------------------------------------------------- PyTorch against NumPy


@pytest.mark.parametrize("options", VARIANTS, ids=str)
@pytest.mark.parametrize(("dtype", "close"), [(np.float64, 1e-12), (np.float32, 1e-6)])
def test_goes_the_way_of_numpy(options, dtype, close):
    gradient = kinked(SIZE, seed=4)
    run = rw.Alice(**options).begin(start(dtype), learning_rate=1e-2, seed=7)
    params = tensors(start(dtype))
    optimizer = rw.torch.Alice(params, lr=1e-2, seed=7, **options)
    closure = closure_of(params, gradient)
    for _ in range(200):
        run.step(gradient, 3)
        optimizer.step(closure)
    assert run.theta.dtype == flat_of(params).dtype == dtype
    np.testing.assert_allclose(flat_of(params), run.theta, rtol=0.0, atol=close)
    assert np.abs(run.theta - start(dtype)).max() > 1e-2
    assert optimizer.clip_share == pytest.approx(run.clip_share, abs=1e-6)
    assert optimizer.effective_rate == pytest.approx(run.effective_rate, rel=1e-4)


def network(x, y, sizes, dtype):
    """The mean absolute error of a ReLU network as a gradient in NumPy and a model in PyTorch."""
    torch.manual_seed(1)
    layers = []
    for a, b in pairwise(sizes):
        layers += [torch.nn.Linear(a, b), torch.nn.ReLU()]
    model = torch.nn.Sequential(*layers[:-1]).to(dtype)
    shapes = [p.shape for p in model.parameters()]

    def gradient(theta):
        parts = np.split(theta, np.cumsum([s.numel() for s in shapes])[:-1])
        parts = [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]
        inputs, signals = [x], []
        for w, b in zip(parts[::2], parts[1::2], strict=True):
            signals.append(inputs[-1] @ w.T + b)
            inputs.append(np.maximum(signals[-1], 0.0))
        back = np.sign(signals[-1] - y) / len(x)
        found = []
        for k in reversed(range(len(signals))):
            found = [(back.T @ inputs[k]).ravel(), back.sum(axis=0), *found]
            back = back @ parts[2 * k] * (signals[k - 1] > 0.0) if k else back
        return np.concatenate(found)

    return gradient, model


@pytest.mark.parametrize("joint", [False, True])
def test_a_network_goes_the_way_of_numpy(joint):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(60, 3))
    y = np.abs(x).sum(axis=1, keepdims=True)
    gradient, model = network(x, y, [3, 8, 4, 1], torch.float64)
    theta = torch.nn.utils.parameters_to_vector(model.parameters()).detach().numpy()
    run = rw.Alice(joint=joint).begin(theta, learning_rate=1e-2, seed=5)
    optimizer = rw.torch.Alice(model.parameters(), lr=1e-2, joint=joint, seed=5)
    inputs, targets = torch.from_numpy(x), torch.from_numpy(y)
    losses = []

    def closure():
        loss = (model(inputs) - targets).abs().mean()
        loss.backward()
        losses.append(loss.item())
        return loss

    for _ in range(200):
        run.step(gradient, 3)
        optimizer.step(closure)
    end = torch.nn.utils.parameters_to_vector(model.parameters()).detach().numpy()
    np.testing.assert_allclose(end, run.theta, rtol=0.0, atol=1e-12)
    assert losses[-1] < 0.5 * losses[0]


# ---------------------------------------------------------------- what PyTorch expects


def noisy(seed=0):
    """A network with dropout, its data, and a closure maker."""
    torch.manual_seed(seed)
    model = torch.nn.Sequential(
        torch.nn.Linear(2, 16), torch.nn.ReLU(), torch.nn.Dropout(0.3), torch.nn.Linear(16, 1)
    )
    x = torch.randn(40, 2)

    def closure_for(model):
        def closure():
            loss = (model(x) - x.prod(dim=1, keepdim=True)).abs().mean()
            loss.backward()
            return loss

        return closure

    return model, closure_for


@pytest.mark.parametrize("joint", [False, True])
def test_goes_on_bit_for_bit(tmp_path, joint):
    model, closure_for = noisy()
    groups = [
        {"params": model[0].parameters(), "lr": 3e-3},
        {"params": model[3].parameters(), "hessian": "rms"},
    ]
    optimizer = rw.torch.Alice(groups, lr=1e-2, joint=joint, seed=3)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 20, 0.5)
    for _ in range(33):
        optimizer.step(closure_for(model))
        scheduler.step()
    saved = {
        "model": model.state_dict(),
        "optimizer": optimizer.state_dict(),
        "random": torch.get_rng_state(),
    }
    torch.save(saved, tmp_path / "run.pt")
    losses = [optimizer.step(closure_for(model)).item() for _ in range(40)]

    again, _ = noisy(seed=9)
    groups = [{"params": again[0].parameters()}, {"params": again[3].parameters()}]
    other = rw.torch.Alice(groups)  # options come from the file
    loaded = torch.load(tmp_path / "run.pt", weights_only=True)
    again.load_state_dict(loaded["model"])
    other.load_state_dict(loaded["optimizer"])
    torch.set_rng_state(loaded["random"])
    assert [other.step(closure_for(again)).item() for _ in range(40)] == losses
    for p, q in zip(model.parameters(), again.parameters(), strict=True):
        assert torch.equal(p, q)


def test_dropout_is_the_same_for_the_gradients_of_a_step():
    model, closure_for = noisy()
    optimizer = rw.torch.Alice(model.parameters(), quick_steps=1)
    masks = []
    model[2].register_forward_hook(lambda _, inputs, output: masks.append(output == 0.0))
    dropped = torch.nn.Dropout(0.3)
    drawn = []

    def closure():
        drawn.append(dropped(torch.ones(50)))
        return closure_for(model)()

    torch.manual_seed(4)
    for _ in range(3):
        optimizer.step(closure)
    after = torch.rand(1)
    for k in (0, 3, 6):
        assert torch.equal(drawn[k], drawn[k + 1])
        assert torch.equal(drawn[k], drawn[k + 2])
    assert not torch.equal(drawn[0], drawn[3])
    torch.manual_seed(4)  # a step takes as many random numbers as one call does
    for _ in range(3):
        closure()
    assert torch.equal(after, torch.rand(1))


def test_the_model_rests_at_mu_and_keeps_the_last_gradient():
    params = [torch.tensor([1.0, -2.0], requires_grad=True)]
    optimizer = rw.torch.Alice(params, lr=0.1)
    seen = []

    def closure():
        seen.append(params[0].detach().clone())
        loss = (params[0] ** 2).sum()
        loss.backward()
        return loss

    for _ in range(10):
        optimizer.step(closure)
        assert torch.equal(params[0], torch.tensor([1.0, -2.0]))
    assert len(seen) == 30
    assert torch.equal(seen[0] + seen[1], 2.0 * seen[2])  # +, -, middle
    optimizer.step(closure)
    optimizer.step(closure)
    ahead = params[0].detach().clone()  # mu = previous + 0.1 delta
    assert (ahead != seen[-1]).all()
    assert torch.equal(params[0].grad, 2.0 * seen[-1])


def test_gradients_of_earlier_calls_do_not_add_up():
    """The closure need not set them to None."""
    params = [torch.ones(2, requires_grad=True)]
    params[0].grad = torch.full((2,), 100.0)
    optimizer = rw.torch.Alice(params)
    optimizer.step(closure_of_square(params))
    assert torch.equal(optimizer.state[params[0]]["gradient"], torch.full((2,), 2.0))


def test_gradients_may_lie_in_memory_that_is_used_again():
    """As those of distributed models do."""
    ends = []
    for shared in (False, True):
        params = [torch.linspace(-1.0, 2.0, 4).requires_grad_()]
        optimizer = rw.torch.Alice(params, lr=0.1)
        memory = torch.zeros(4)

        def closure(params=params, memory=memory, shared=shared):
            loss = (params[0] ** 4).sum()
            loss.backward()
            if shared:
                params[0].grad = memory.copy_(params[0].grad)
            return loss

        for _ in range(30):
            optimizer.step(closure)
        ends.append(optimizer.state[params[0]]["hessian"])
    assert torch.equal(*ends)


@pytest.mark.parametrize("bounds", [True, False])
def test_joint_glass_does_not_depend_on_units(bounds):
    """A group in other units, with the learning rate in the same ones, moves as far."""
    gradient = kinked(SIZE, seed=4)
    flat = torch.from_numpy(start(np.float64))
    ends = []
    for unit in (1.0, 8.0):  # a power of two: products are exact
        a, b = flat[:5].clone().requires_grad_(), (unit * flat[5:]).requires_grad_()
        groups = [{"params": [a], "lr": 0.01}, {"params": [b], "lr": 0.01 * unit}]
        optimizer = rw.torch.Alice(groups, joint=True, bounds=bounds, eps=1e-40)

        def closure(a=a, b=b, unit=unit):
            point = torch.cat([a, b / unit])
            loss = (torch.from_numpy(gradient(point.detach().numpy())) * point).sum()
            loss.backward()
            return loss

        for _ in range(60):
            optimizer.step(closure)
        ends.append(torch.cat([a, b / unit]))
    torch.testing.assert_close(ends[0], ends[1], rtol=0.0, atol=1e-11)
    assert (ends[0] - flat).abs().max() > 1e-2


def test_groups_have_their_own_rates_and_join_later():
    slow, fast, late = (torch.full((2,), 3.0, requires_grad=True) for _ in range(3))
    optimizer = rw.torch.Alice([{"params": [slow], "lr": 1e-3}, {"params": [fast]}], lr=1e-1)
    for _ in range(20):
        optimizer.step(closure_of_square([slow, fast]))
    assert 50.0 < (3.0 - fast).sum() / (3.0 - slow).sum() < 150.0
    optimizer.add_param_group({"params": [late]})
    square, calls = closure_of_square([slow, fast, late]), []

    def counted():
        calls.append(1)
        return square()

    for k in range(1, 11):
        optimizer.step(counted)
        assert len(calls) == 3 * k
        assert torch.equal(late, torch.full((2,), 3.0))  # its own burn-in
    optimizer.step(closure_of_square([slow, fast, late]))
    assert (late < 3.0).all()


def test_what_is_frozen_or_unused_stays():
    params = [torch.ones(2, requires_grad=True) for _ in range(3)]
    params[1].requires_grad_(False)
    optimizer = rw.torch.Alice(params, lr=0.1)
    for _ in range(15):
        optimizer.step(closure_of_square(params[:1]))
    assert (params[0] < 1.0).all()
    assert torch.equal(params[1], torch.ones(2))
    assert torch.equal(params[2], torch.ones(2))


ALONE = """
import sys, torch
import reluplex_walk as rw
theta = torch.ones(3, requires_grad=True)
optimizer = rw.torch.Alice([theta])
def closure():
    loss = (theta ** 2).sum()
    loss.backward()
    return loss
for _ in range(12):
    optimizer.step(closure)
print(*(name for name in ("numba", "scipy", "networkx") if name in sys.modules), "alone")
"""


def test_nothing_else_of_the_library_is_loaded():
    done = subprocess.run([sys.executable, "-c", ALONE], capture_output=True, text=True, check=True)
    assert done.stdout == "alone\n"
