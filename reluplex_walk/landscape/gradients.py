"""Gradients from whoever has them, as functions of flat arrays: losses, callables, closures.

Tensors of PyTorch are told by what they can do, and torch is never imported.
"""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._validate import real_array
from ..problem.either import Loss, free_of, passes_of, weighed
from ..problem.loss import FLOATS, Floats, LayerLoss
from ..problem.network_loss import NetworkLoss
from .vanishing import off_breakpoints

Bools = NDArray[np.bool_]
Signs = NDArray[np.int8]

DOUBLE = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Source:
    """A gradient as a function of flat parameters (D,).

    ``free`` are the parameters that lines move, of the others the gradient is 0.  ``eps`` is the
    precision that gradients have, and ``rounded`` gives parameters as the function sees them: in
    single precision where it computes in that.  ``restore`` puts back what calls have changed.
    ``pattern`` gives the signs of all breakpoints, of losses that know them.  ``ours``: there is
    no chance in it.
    """

    theta: Floats  # (D,)
    call: Callable[[Floats], Floats]
    free: Bools  # (D,)
    rounded: Callable[[Floats], Floats] = np.copy
    restore: Callable[[], None] = lambda: None
    problem: LayerLoss | None = None
    pattern: Callable[[Floats], Signs] | None = None
    eps: float = DOUBLE
    ours: bool = False

    def __call__(self, theta: Floats) -> Floats:
        return self.call(theta)


def source_of(gradient: Any, theta: Any) -> Source:
    """The gradient at and around `theta`; errors name `gradient` or `theta`."""
    owner = getattr(gradient, "__self__", None)
    if owner is not None and gradient == getattr(owner, "gradient", None):
        gradient = owner  # a loss knows more than its method
    if isinstance(gradient, LayerLoss | NetworkLoss):
        return _of_loss(gradient, gradient.parameters(theta))
    function = getattr(gradient, "gradient", gradient)
    if not callable(function):
        raise TypeError(
            f"gradient: expected a function of theta, or a loss with a method gradient, found "
            f"{type(gradient).__name__}"
        )
    if is_tensor(theta):
        _check_takes(function, 1)
        return _of_tensor(function, theta)
    if isinstance(theta, Iterable) and not hasattr(theta, "shape"):
        theta = list(theta)
        if theta and all(map(is_tensor, theta)):
            _check_takes(function, 0)
            return _of_closure(function, theta)
    point = real_array("theta", theta, range(1, 9))
    _check_takes(function, 1)
    source, pattern = _of_arrays(function, point), getattr(gradient, "pattern", None)
    if not callable(pattern):
        return source
    signs = _flat_pattern(pattern, point.shape)
    if not signs(source.theta).all():
        raise ValueError(
            f"theta: expected a point at which no breakpoint vanishes, found "
            f"{(signs(source.theta) == 0).sum()} that do; take one beside it"
        )
    return replace(source, pattern=signs)


def _check_takes(function: Callable[..., Any], count: int) -> None:
    """TypeError if `function` cannot be called with so many arguments."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # of compiled functions nothing may be known
        return
    try:
        signature.bind(*[None] * count)
    except TypeError:
        expected = (
            "expected a function of theta, found one that takes no theta; a closure goes with a "
            "list of tensors as theta"
            if count
            else "expected a closure without arguments, since theta is a list of tensors, found "
            "one with arguments"
        )
        raise TypeError(f"gradient: {expected}") from None


def _of_loss(loss: Loss, point: Floats) -> Source:
    """One of our losses, without checks at each call."""
    free = free_of(loss)
    off_breakpoints(loss, point, "theta", free)
    passes = passes_of(loss)
    rows = weighed(loss, passes)

    def call(theta: Floats) -> Floats:
        return _flat(passes.value_and_gradient(theta, rows)[1], theta.shape) * free

    def pattern(theta: Floats) -> Signs:
        return passes.signs(theta, rows).ravel()

    if isinstance(loss, LayerLoss):  # within a region its gradient is constant: that is enough
        return Source(point.ravel(), call, free, problem=loss, ours=True)
    return Source(point.ravel(), call, free, pattern=pattern, ours=True)


def is_tensor(value: Any) -> bool:
    """Whether `value` is a tensor of PyTorch, or as good as one."""
    return all(hasattr(value, name) for name in ("detach", "new_tensor", "cpu"))


def _flat(value: Any, shape: tuple[int, ...]) -> Floats:
    """A gradient that somebody returned, checked."""
    array = to_array("gradient", value) if is_tensor(value) else value
    found = real_array("gradient", array, range(9), largest=FLOATS)
    if found.shape != shape:
        raise ValueError(
            f"gradient: expected an array of shape {shape}, as theta has, found {found.shape}"
        )
    return found.ravel()


def to_array(name: str, tensor: Any) -> NDArray[Any]:
    """A tensor's numbers, on the CPU."""
    return np.asarray(_on_cpu(name, tensor), np.float64)


def _on_cpu(name: str, tensor: Any) -> NDArray[Any]:
    """The same, in their precision."""
    try:
        array = np.asarray(tensor.detach().cpu().numpy())
    except TypeError:  # NumPy has no bfloat16, and no sparse arrays
        kinds = [str(getattr(tensor, each, "")) for each in ("dtype", "layout")]
        raise TypeError(
            f"{name}: expected dense tensors of float64, float32 or float16, found "
            f"{' '.join(kinds).strip()}; compute in float32"
        ) from None
    if array.dtype.kind != "f":
        raise TypeError(f"{name}: expected tensors of floats, found {array.dtype}")
    return array


def _precision(tensors: Iterable[Any]) -> float:
    """The coarsest of the tensors' precisions."""
    return max(float(np.finfo(_on_cpu("theta", each).dtype).eps) for each in tensors)


def _flat_pattern(
    pattern: Callable[[Floats], Any], shape: tuple[int, ...]
) -> Callable[[Floats], Signs]:
    return lambda theta: np.concatenate([np.ravel(s) for s in pattern(theta.reshape(shape))])


def _of_arrays(function: Callable[[Floats], Any], point: Floats) -> Source:
    if not point.size:
        raise ValueError(f"theta: expected at least one parameter, found shape {point.shape}")
    shape = point.shape

    def call(theta: Floats) -> Floats:
        return _flat(function(theta.reshape(shape)), shape)

    return Source(point.ravel(), call, np.ones(point.size, np.bool_))


def _of_tensor(function: Callable[[Any], Any], point: Any) -> Source:
    shape = tuple(point.shape)

    def tensor(theta: Floats) -> Any:
        return point.detach().new_tensor(theta.reshape(shape))

    def call(theta: Floats) -> Floats:
        return _flat(function(tensor(theta)), shape)

    flat = real_array("theta", to_array("theta", point), range(9)).ravel()
    return Source(
        flat,
        call,
        np.ones(flat.size, np.bool_),
        lambda theta: to_array("theta", tensor(theta)).ravel(),
        eps=_precision([point]),
    )


def _of_closure(closure: Callable[[], Any], parameters: list[Any]) -> Source:
    """Parameters of a model whose closure leaves gradients in them, as torch's optimizers take."""
    theta = np.concatenate([to_array("theta", each).ravel() for each in parameters])
    before = [(each.detach().clone(), each.grad) for each in parameters]
    ends = np.cumsum([each.numel() for each in parameters])

    def tensors(flat: Floats) -> list[Any]:
        parts = zip(np.split(flat, ends[:-1]), parameters, strict=True)
        return [each.detach().new_tensor(part.reshape(tuple(each.shape))) for part, each in parts]

    def call(flat: Floats) -> Floats:
        for each, value in zip(parameters, tensors(flat), strict=True):
            each.detach().copy_(value)  # shares the storage of the parameter
            each.grad = None
        closure()
        if all(each.grad is None for each in parameters):
            raise ValueError(
                "gradient: expected a closure that calls backward(), found no gradient in theta"
            )
        parts = [
            np.zeros(each.numel()) if each.grad is None else to_array("gradient", each.grad).ravel()
            for each in parameters
        ]
        return _flat(np.concatenate(parts), theta.shape)

    def restore() -> None:
        for each, (value, grad) in zip(parameters, before, strict=True):
            each.detach().copy_(value)
            each.grad = grad

    def rounded(flat: Floats) -> Floats:
        return np.concatenate([to_array("theta", part).ravel() for part in tensors(flat)])

    point = real_array("theta", theta, 1)
    free = np.ones(point.size, np.bool_)
    return Source(point, call, free, rounded, restore, eps=_precision(parameters))


__all__ = ["Source", "is_tensor", "source_of"]
