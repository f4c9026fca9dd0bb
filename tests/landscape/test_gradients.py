"""Gradients of whatever kind give the same glass: losses, callables, tensors, closures."""

import numpy as np
import pytest

from reluplex_walk import glass
from reluplex_walk.landscape.gradients import source_of
from tests.problems.random import random_loss


class Tensor:
    """What is asked of a tensor of PyTorch, in a precision of its own."""

    def __init__(self, array, dtype=np.float32):
        self.array, self.grad = np.asarray(array).astype(dtype), None

    shape = property(lambda self: self.array.shape)

    def detach(self):
        shared = Tensor(self.array, self.array.dtype)
        shared.array = self.array
        return shared

    def cpu(self):
        return self

    def numpy(self):
        if self.grad is not None:
            raise RuntimeError("call detach first")
        return self.array

    def new_tensor(self, array):
        return Tensor(array, self.array.dtype)

    def clone(self):
        return Tensor(self.array.copy(), self.array.dtype)

    def copy_(self, other):
        self.array[...] = other.array

    def numel(self):
        return self.array.size


class Loss:
    """A loss that is no LayerLoss, of flat parameters."""

    def __init__(self, loss):
        self.loss = loss

    def gradient(self, theta):
        return self.loss.gradient(theta).ravel()


@pytest.fixture(scope="module")
def loss():
    return random_loss([4, 5, 4, 2, 1], 200, 1)


@pytest.fixture(scope="module")
def expected(loss):
    return glass.estimate(loss, loss.theta, 0.1, 4)


def test_callables_and_objects(loss, expected):
    for gradient, theta in [
        (loss.gradient, loss.theta),
        (lambda t: loss.gradient(t).ravel(), loss.theta.ravel()),
        (Loss(loss), loss.theta.ravel()),
        (Loss(loss), loss.theta.ravel().tolist()),
        (lambda t: loss.gradient(t).tolist(), loss.theta),
    ]:
        found = glass.estimate(gradient, theta, 0.1, 4)
        np.testing.assert_allclose(found.rho, expected.rho, rtol=1e-9)
        np.testing.assert_allclose(found.h, expected.h, rtol=1e-9)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_tensors(loss, expected, dtype):
    theta = Tensor(loss.theta, dtype)
    theta.grad = "to be left alone"

    def gradient(t):
        assert t.array.dtype == dtype
        return t.new_tensor(loss.gradient(t.array))

    found = glass.estimate(gradient, theta, 0.1, 4)
    np.testing.assert_allclose(found.rho, expected.rho, rtol=1e-3 if dtype == np.float32 else 1e-12)
    assert found.rho.dtype == np.float64
    with pytest.raises(ValueError, match=r"^gradient: expected an array of shape \(5, 5\)"):
        glass.estimate(lambda t: t.new_tensor([1.0]), theta, 0.1)


class Patterned(Loss):
    """One that knows its pattern, and whose gradient varies between breakpoints, too."""

    def gradient(self, theta):
        return super().gradient(theta) + 1e-3 * theta

    def pattern(self, theta):
        return self.loss.pattern(theta, 0.0)


def test_losses_with_patterns_count_crossings(loss, expected):
    each, theta = Patterned(loss), loss.theta.ravel()
    found = glass.estimate(each, theta, 0.1, 4)
    assert found.n_crossings == found.sign_changes == expected.n_crossings > 10
    np.testing.assert_allclose(found.rho, expected.rho, rtol=1e-9)
    np.testing.assert_allclose(found.h, expected.h + 1e-3, rtol=1e-6)
    on = loss.theta.copy()
    on[0] = 0.0
    with pytest.raises(ValueError, match=r"^theta: expected a point .* found 200 that do; take"):
        glass.estimate(each, on.ravel(), 0.1)
    with pytest.warns(glass.GlassWarning, match=r"^sigma: of 4 lines of \+-1e-09 4 cross no"):
        assert np.isnan(glass.estimate(each, theta, 1e-9, 4).rho_total)


def test_offsets_below_single_precision(loss):
    exact, single = (Tensor(1000.0 + loss.theta, dtype) for dtype in (np.float64, np.float32))
    with pytest.raises(ValueError, match=r"^sigma: 1e-05 is lost in the rounding of parameters"):
        glass.estimate(lambda t: t, single, 1e-5)
    with pytest.warns(glass.GlassWarning):
        assert glass.estimate(lambda t: t, exact, 1e-5).h.shape == (25,)


def test_rounding_of_single_precision_is_no_glass(loss):
    """Gradients of 1 + theta in single precision jump by rounding, at every theta."""

    def gradient(t):
        return t.new_tensor(1.0 + t.array)

    for sigma in (1e-4, 1e-5):
        with pytest.warns(glass.GlassWarning, match="no breakpoint that can be seen"):
            found = glass.estimate(gradient, Tensor(np.full(25, 0.01)), sigma, 4)
        assert np.isnan(found.rho_total)


def test_gradients_with_chance_are_refused(loss):
    """Dropout, or other samples each time, would be a glass of their own."""
    rng = np.random.default_rng(0)
    weights = Tensor(loss.theta, np.float64)

    def closure():
        kept = rng.random((5, 5)) < 0.9
        weights.grad = Tensor(loss.gradient(weights.array) * kept, np.float64)

    def gradient(theta):
        return loss.gradient(theta) * (1.0 + 1e-6 * rng.normal())

    for points in (3, 4):
        for function, theta in ((closure, [weights]), (gradient, loss.theta)):
            with pytest.raises(ValueError, match=r"^gradient: expected the same at the same theta"):
                glass.estimate(function, theta, 0.1, points=points)
    np.testing.assert_array_equal(weights.array, loss.theta)

    def rounds(theta):  # as sums do that are not always added up in one order
        return loss.gradient(theta) * (1.0 + 1e-15 * rng.normal())

    assert glass.estimate(rounds, loss.theta, 0.1).rho_total > 0.0


def test_functions_that_take_something_else_are_named(loss):
    weights = Tensor(loss.theta, np.float64)
    for function, theta in ((lambda: 1.0, weights), (lambda: 1.0, loss.theta)):
        with pytest.raises(TypeError, match=r"^gradient: expected a function of theta, found one "):
            glass.estimate(function, theta, 0.1)
    with pytest.raises(TypeError, match=r"^gradient: expected a closure without arguments, since"):
        glass.estimate(lambda theta: theta, [weights], 0.1)


def test_tensors_that_numpy_does_not_have_are_named(loss):
    class BFloat16(Tensor):
        dtype = "torch.bfloat16"

        def detach(self):
            return self

        def numpy(self):
            raise TypeError("Got unsupported ScalarType BFloat16")

    odd = BFloat16(loss.theta)
    for theta in (odd, [odd]):
        with pytest.raises(TypeError, match=r"^theta: expected dense .* found torch.bfloat16; com"):
            glass.estimate(lambda *theta: None, theta, 0.1)
    with pytest.raises(TypeError, match=r"^gradient: expected dense .* found torch.bfloat16"):
        glass.estimate(lambda theta: odd, Tensor(loss.theta), 0.1)
    with pytest.raises(TypeError, match=r"^theta: expected tensors of floats, found int64"):
        glass.estimate(lambda theta: theta, Tensor([1, 2], np.int64), 10.0)


def test_closures_have_to_leave_gradients(loss):
    weights, bias = Tensor(loss.theta, np.float64), Tensor([1.0], np.float64)
    with pytest.raises(ValueError, match=r"^gradient: expected a closure that calls backward"):
        glass.estimate(lambda: 1.0, [weights, bias], 0.1)

    def closure():  # in which the bias has no part
        weights.grad = Tensor(loss.gradient(weights.array), np.float64)

    assert glass.estimate(closure, [weights, bias], 0.1).rho[-1] == 0.0


def test_closures_leave_parameters_as_they_were(loss, expected):
    weights, biases = (Tensor(part, np.float64) for part in (loss.theta[:, :-1], loss.theta[:, -1]))
    weights.grad = before = Tensor(np.ones((5, 4)))
    calls = []

    def closure():
        assert weights.grad is None  # nothing is added to what was there
        theta = np.column_stack([weights.array, biases.array])
        g = loss.gradient(theta)
        weights.grad, biases.grad = Tensor(g[:, :-1], np.float64), Tensor(g[:, -1], np.float64)
        calls.append(1)
        return loss(theta)

    found = glass.estimate(closure, iter([weights, biases]), 0.1, 4)
    assert len(calls) == found.gradients == 10  # one of them twice
    np.testing.assert_array_equal(weights.array, loss.theta[:, :-1])
    np.testing.assert_array_equal(biases.array, loss.theta[:, -1])
    assert weights.grad is before
    assert biases.grad is None
    order = np.argsort(np.r_[np.arange(25).reshape(5, 5)[:, :-1].ravel(), np.arange(4, 25, 5)])
    source = source_of(closure, [weights, biases])
    np.testing.assert_allclose(source(source.theta)[order], loss.gradient(loss.theta).ravel())
    assert found.rho_total == pytest.approx(expected.rho_total, rel=1.0)  # in another order


def test_parameters_come_back_after_an_error(loss):
    weights = Tensor(loss.theta, np.float64)
    calls = []

    def closure():
        calls.append(1)
        weights.grad = Tensor(np.full((5, 5), np.nan if len(calls) == 3 else 1.0), np.float64)

    with pytest.raises(ValueError, match=r"^gradient: expected finite numbers, found nan"):
        glass.estimate(closure, [weights], 0.1)
    np.testing.assert_array_equal(weights.array, loss.theta)
    assert weights.grad is None


def test_torch():
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    torch.set_num_threads(1)
    model = torch.nn.Sequential(torch.nn.Linear(3, 6), torch.nn.ReLU(), torch.nn.Linear(6, 1))
    model = model.double()
    X, y = torch.randn(200, 3).double(), torch.randn(200, 1).double()
    before = [p.detach().clone() for p in model.parameters()]

    def closure():
        model.zero_grad()
        error = (model(X) - y).abs().sum()
        error.backward()
        return error

    found = glass.estimate(closure, model.parameters(), 0.1, 6)
    assert found.rho.shape == (31,)
    assert found.rho_total > 0
    assert all((a == b).all() for a, b in zip(before, model.parameters(), strict=True))

    flat = torch.nn.utils.parameters_to_vector(model.parameters()).detach()

    def gradient(theta):
        theta.requires_grad_(True)
        parts, at = {}, 0
        for name, p in model.named_parameters():
            parts[name] = theta[at : at + p.numel()].reshape(p.shape)
            at += p.numel()
        error = (torch.func.functional_call(model, parts, (X,)) - y).abs().sum()
        return torch.autograd.grad(error, theta)[0]

    same = glass.estimate(gradient, flat, 0.1, 6)
    np.testing.assert_allclose(same.rho, found.rho, rtol=1e-9)

    model.append(torch.nn.Dropout(0.1))
    with pytest.raises(ValueError, match=r"^gradient: expected the same .* switch dropout off"):
        glass.estimate(closure, model.parameters(), 0.1)
    model.eval()
    assert glass.estimate(closure, model.parameters(), 0.1, 6).rho_total == found.rho_total

    model, X, y = model.float(), X.float(), y.float()
    for sigma in (1e-5, 1e-6):
        with pytest.warns(glass.GlassWarning):
            assert np.isnan(glass.estimate(closure, model.parameters(), sigma).rho_total)
    with pytest.raises(TypeError, match=r"^theta: expected dense .* found torch.bfloat16"):
        glass.estimate(lambda theta: theta, flat.bfloat16(), 0.1)
    with pytest.raises(TypeError, match=r"^gradient: expected dense .* found .*sparse"):
        glass.estimate(lambda theta: theta.to_sparse(), flat, 0.1)
