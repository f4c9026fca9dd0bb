"""Processes as files: the fields of a `QuantileProcess` in an npz archive, and back."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..._files import check_member, load_archive, write_archive
from ..._validate import real_array
from ...ended import Ended
from ...simplex.records import WalkStatus
from ..tables import names_file

_FLOATS = ("taus", "coefficients", "X", "y", "sample_weight")
_WORDS = ("status", "ended")
_NUMBERS = ("n_pivots", "fit_intercept")


def write(parts: Mapping[str, Any], path: str | Path, force: bool) -> None:
    """Write the fields `parts` of a process to `path`."""
    arrays: dict[str, Any] = {name: parts[name] for name in (*_FLOATS, "aliased", *_NUMBERS)}
    arrays |= {name: parts[name].name for name in _WORDS}
    names = names_file.to_arrays(parts["names"])
    arrays |= {f"names_{name}": value for name, value in names.items()}
    write_archive(path, "process", arrays, force)


def read(path: str | Path) -> dict[str, Any]:
    """The fields that :func:`write` wrote.

    Raises FileNotFoundError if there is no file, ValueError if it is another one or damaged.
    """
    return load_archive(path, "process", _fields)


def _fields(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    for name in _WORDS:
        check_member(arrays, name, "U", ())
    check_member(arrays, "n_pivots", "i8", ())
    check_member(arrays, "fit_intercept", "b1", ())
    n, p = arrays["X"].shape
    m = arrays["taus"].size
    shapes: dict[str, tuple[int, ...]] = {"taus": (m,), "coefficients": (m, p + 1), "X": (n, p)}
    shapes |= {"y": (n,), "sample_weight": (n,)}
    for name, shape in shapes.items():
        check_member(arrays, name, "f8", shape)
        real_array(name, arrays[name], len(shape), largest=np.inf)
    if (np.diff(arrays["taus"]) < 0.0).any():
        raise ValueError("taus: expected an ascending order")
    check_member(arrays, "aliased", "i8", (arrays["aliased"].size,))
    names = {
        name.removeprefix("names_"): value
        for name, value in arrays.items()
        if name.startswith("names_")
    }
    return {
        **{name: arrays[name] for name in (*_FLOATS, "aliased")},
        "status": WalkStatus[str(arrays["status"])],
        "ended": Ended[str(arrays["ended"])],
        "n_pivots": int(arrays["n_pivots"]),
        "fit_intercept": bool(arrays["fit_intercept"]),
        "names": names_file.from_arrays(names, n),
    }


__all__ = ["read", "write"]
