"""Alice in PyTorch: what it refuses, and what is then as before.

Skipped where there is no PyTorch; the step `torch` of `.ci/run` has it.
"""

import copy

import pytest

import reluplex_walk as rw

from ..problems.squares import closure_of_square

torch = pytest.importorskip("torch")


def test_nan_ends_with_an_error_that_says_so():
    params = [torch.ones(3, requires_grad=True), torch.ones(2, 2, requires_grad=True)]
    optimizer = rw.torch.Alice(params, lr=0.1)
    good = closure_of_square(params)
    for _ in range(12):
        optimizer.step(good)
    before = copy.deepcopy((params, optimizer.state_dict()))

    def bad():
        loss = good()
        params[1].grad[0, 1] = float("nan")
        return loss

    words = "found nan in 1 of 4 of those of parameter 1 of group 0 in step 13"
    with pytest.raises(ValueError, match=f"closure: expected finite gradients, {words}"):
        optimizer.step(bad)
    with pytest.raises(ZeroDivisionError):
        optimizer.step(lambda: 1 / 0)
    assert all(torch.equal(p, q) for p, q in zip(params, before[0], strict=True))
    for p, old in zip(params, before[1]["state"].values(), strict=True):
        now = optimizer.state[p]
        assert now["step"] == old["step"] == 12
        assert all(torch.equal(now[name], old[name]) for name in ("delta", "glass", "square"))
    optimizer.step(good)
    assert optimizer.state[params[0]]["step"] == 13


@pytest.mark.parametrize(
    ("scale", "words"),
    [
        (1e25, r"gradients whose squares torch.float32 holds, found up to 2e\+25"),
        (float("inf"), "finite gradients, found inf"),
    ],
)
def test_gradients_that_are_too_large(scale, words):
    params = [torch.ones(3, requires_grad=True)]
    optimizer = rw.torch.Alice(params, lr=1e-6)

    def closure():
        loss = 2.0 * scale * params[0].sum()
        loss.backward()
        return loss

    with pytest.raises(ValueError, match=words):
        optimizer.step(closure)


def test_a_rate_below_the_rounding_of_a_parameter():
    params = [("bias", torch.ones(3, requires_grad=True))]
    optimizer = rw.torch.Alice(params, lr=1e-9)
    with pytest.raises(ValueError, match=r"lr: .* changes bias, which has 1 in torch.float32"):
        optimizer.step(closure_of_square([params[0][1]]))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"lr": 0.0}, "lr: expected a number > 0"),
        ({"hessian": "full"}, "hessian: expected one of abs, rms, off"),
        ({"betas": (1.0, 0.9)}, "betas: expected two numbers in"),
        ({"seed": -1}, "seed: expected an integer >= 0"),
        ({"eps": 1e-60}, "eps: expected a number > 0 in torch.float32"),
        ({"params": [torch.ones(2, dtype=torch.bfloat16)]}, "params: .* found torch.bfloat16"),
        ({"params": [{"params": [torch.ones(2)]}, {"params": [torch.zeros(2)], "quick_steps": 1}]},
         "quick_steps: expected the same in all groups, found 3 and 1"),
    ],
    ids=str,
)  # fmt: skip
def test_arguments_that_do_not_fit(arguments, words):
    with pytest.raises(ValueError, match=words):
        rw.torch.Alice(**{"params": [torch.ones(2, requires_grad=True)], **arguments})


def test_closures_that_do_not_fit():
    params = [torch.ones(2, requires_grad=True)]
    optimizer = rw.torch.Alice(params)
    with pytest.raises(TypeError, match=r"closure: expected a callable .* found None"):
        optimizer.step()
    with pytest.raises(ValueError, match="closure: expected one that calls backward"):
        optimizer.step(lambda: (params[0] ** 2).sum())
    params[0].requires_grad_(False)
    with pytest.raises(ValueError, match="params: expected one at least that requires a gradient"):
        optimizer.step(lambda: 0.0)
    table = torch.nn.Embedding(5, 2, sparse=True)

    def sparse():
        loss = table(torch.tensor([1])).sum()
        loss.backward()
        return loss

    with pytest.raises(ValueError, match="closure: expected dense gradients"):
        rw.torch.Alice(table.parameters()).step(sparse)


def test_a_group_that_does_not_fit_is_not_added():
    optimizer = rw.torch.Alice([torch.ones(2, requires_grad=True)])
    with pytest.raises(ValueError, match="seed: expected the same in all groups"):
        optimizer.add_param_group({"params": [torch.ones(1, requires_grad=True)], "seed": 5})
    assert len(optimizer.param_groups) == 1
