"""Gradients from whoever has them, as functions of flat arrays: losses, callables, closures.

Tensors of PyTorch are told by what they can do, and torch is never imported.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._validate import real_array
from ..problem.loss import FLOATS, Floats, LayerLoss
from .jumps import off_breakpoints

Signs = NDArray[np.int8]


@dataclass(frozen=True)
class Source:
    """A gradient as a function of flat parameters (D,).

    ``rounded`` gives parameters as the function sees them: in single precision where it computes in
    that.  ``restore`` puts back what calls have changed.  ``pattern`` gives the signs of all
    breakpoints, of losses that know them.
    """

    theta: Floats  # (D,)
    call: Callable[[Floats], Floats]
    rounded: Callable[[Floats], Floats] = np.copy
    restore: Callable[[], None] = lambda: None
    problem: LayerLoss | None = None
    pattern: Callable[[Floats], Signs] | None = None

    def __call__(self, theta: Floats) -> Floats:
        return self.call(theta)


def source_of(gradient: Any, theta: Any) -> Source:
    """The gradient at and around `theta`; errors name `gradient` or `theta`."""
    if isinstance(gradient, LayerLoss):
        point = gradient.parameters(theta)
        off_breakpoints(gradient, point, "theta")
        return replace(_of_arrays(gradient.gradient, point), problem=gradient)
    function = getattr(gradient, "gradient", gradient)
    if not callable(function):
        raise TypeError(
            f"gradient: expected a function of theta, or a loss with a method gradient, found "
            f"{type(gradient).__name__}"
        )
    if is_tensor(theta):
        return _of_tensor(function, theta)
    if isinstance(theta, Iterable) and not hasattr(theta, "shape"):
        parameters = list(theta)
        if parameters and all(map(is_tensor, parameters)):
            return _of_closure(function, parameters)
    point = real_array("theta", theta, range(1, 9))
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


def is_tensor(value: Any) -> bool:
    """Whether `value` is a tensor of PyTorch, or as good as one."""
    return all(hasattr(value, name) for name in ("detach", "new_tensor", "cpu"))


def _flat(value: Any, shape: tuple[int, ...]) -> Floats:
    """A gradient that somebody returned, checked."""
    array = to_array(value) if is_tensor(value) else value
    found = real_array("gradient", array, range(9), largest=FLOATS)
    if found.shape != shape:
        raise ValueError(
            f"gradient: expected an array of shape {shape}, as theta has, found {found.shape}"
        )
    return found.ravel()


def to_array(tensor: Any) -> NDArray[Any]:
    """A tensor's numbers, on the CPU."""
    return np.asarray(tensor.detach().cpu().numpy(), np.float64)


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

    return Source(point.ravel(), call)


def _of_tensor(function: Callable[[Any], Any], point: Any) -> Source:
    shape = tuple(point.shape)

    def tensor(theta: Floats) -> Any:
        return point.detach().new_tensor(theta.reshape(shape))

    def call(theta: Floats) -> Floats:
        return _flat(function(tensor(theta)), shape)

    flat = real_array("theta", to_array(point), range(9)).ravel()
    return Source(flat, call, lambda theta: to_array(tensor(theta)).ravel())


def _of_closure(closure: Callable[[], Any], parameters: list[Any]) -> Source:
    """Parameters of a model whose closure leaves gradients in them, as torch's optimizers take."""
    theta = np.concatenate([to_array(each).ravel() for each in parameters])
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
        parts = [
            np.zeros(each.numel()) if each.grad is None else to_array(each.grad).ravel()
            for each in parameters
        ]
        return _flat(np.concatenate(parts), theta.shape)

    def restore() -> None:
        for each, (value, grad) in zip(parameters, before, strict=True):
            each.detach().copy_(value)
            each.grad = grad

    def rounded(flat: Floats) -> Floats:
        return np.concatenate([to_array(part).ravel() for part in tensors(flat)])

    return Source(real_array("theta", theta, 1), call, rounded, restore)


__all__ = ["Source", "is_tensor", "source_of"]
