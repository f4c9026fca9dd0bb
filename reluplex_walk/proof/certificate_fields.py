"""The arrays that a certificate is written as: their types and shapes."""

from collections.abc import Mapping
from typing import Any

from .._files import check_member
from .._validate import real_array

_TYPES = {
    "method": "U",
    "theta": "f8",
    "slopes": "f8",
    "active": "i8",
    "tied": "i8",
    "sides": "i1",
    "is_global": "b1",
    "slope_tolerances": "f8",
    "zero_tolerance": "f8",
    "fingerprint": "U",
    "point": "S",
    "aliased": "i8",
    "combination": "S",
    "given_aliased": "b1",
    "fit_intercept": "b1",
    "witness": "U",
    "reason": "U",
    "digest": "U",
}

_OPTIONAL = (
    *("point", "aliased", "combination", "given_aliased", "fit_intercept"),
    *("witness", "reason", "digest"),
)


def check_fields(arrays: Mapping[str, Any]) -> None:
    """ValueError if `arrays`, as :meth:`.Certificate.to_arrays` has them, are of no certificate."""
    for name, dtype in _TYPES.items():
        if name in arrays or name not in _OPTIONAL:
            check_member(arrays, name, dtype)
    for name in arrays:
        if name != "loss" and name not in _TYPES:
            raise ValueError(f"{name}: no part of a certificate")
    check_member(arrays, "loss", "S" if "point" in arrays else "f8", ())
    h, q = _shape(arrays, "theta", 2)
    r, k = _shape(arrays, "active", 2)[0], _shape(arrays, "tied", 2)[0]
    shapes: dict[str, tuple[int, ...]] = {
        "slopes": (2 * r,),
        "slope_tolerances": (2 * r,),
        "active": (r, 3),
        "tied": (k, 3),
        "sides": (r + k,),
    }
    if "point" in arrays:
        shapes["point"] = (h, q)
    if "aliased" in arrays:
        shapes["aliased"] = _shape(arrays, "combination", 2)[:1]
    for name, dtype in _TYPES.items():
        if name in arrays and name not in ("theta", "combination"):
            check_member(arrays, name, dtype, shapes.get(name, ()))
    real_array("theta", arrays["theta"], 2)


def _shape(arrays: Mapping[str, Any], name: str, ndim: int) -> tuple[int, ...]:
    shape: tuple[int, ...] = arrays[name].shape
    if len(shape) != ndim:
        raise ValueError(f"{name}: expected {ndim} dimensions, found shape {shape}")
    return shape


__all__ = ["check_fields"]
