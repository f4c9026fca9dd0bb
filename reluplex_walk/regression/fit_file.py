"""Fits as files: the fields of a `QuantileFit` in an npz archive, and back."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._files import check_member, load_archive, write_archive
from .._validate import real_array
from ..ended import Ended
from ..simplex.records import WalkStatus
from . import end_file
from .data import Data
from .sparse.data import SparseData, is_sparse
from .tables import names_file

_ARRAYS = ("coefficients", "dual", "y", "sample_weight", "aliased")
_WORDS = ("status", "ended")
_NUMBERS = ("loss", "n_pivots", "fit_intercept")


def write(parts: Mapping[str, Any], path: str | Path, force: bool) -> None:
    """Write the fields `parts` of a fit to `path`."""
    arrays: dict[str, Any] = {name: parts[name] for name in _ARRAYS}
    X = parts["X"]
    arrays |= end_file.sparse_to_arrays(X) if is_sparse(X) else {"X": X}
    arrays |= {name: parts[name].name for name in _WORDS}
    arrays |= {name: parts[name] for name in _NUMBERS}
    arrays["tau"] = np.array([] if parts["tau"] is None else [parts["tau"]], np.float64)
    arrays |= end_file.beside_to_arrays(parts["beside"])
    arrays |= end_file.to_arrays(parts["_end"], parts["beside"])
    names = names_file.to_arrays(parts["names"])
    arrays |= {f"names_{name}": value for name, value in names.items()}
    write_archive(path, "fit", arrays, force)


def read(path: str | Path) -> dict[str, Any]:
    """The fields that :func:`write` wrote; a proof of the solver as its fields, a tuple.

    Raises FileNotFoundError if there is no file, ValueError if it is another one or damaged.
    """
    return load_archive(path, "fit", _fields)


def _fields(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    data = _data(arrays)
    n, p = data.X.shape
    _check(arrays, n, p)
    tau = float(arrays["tau"][0]) if arrays["tau"].size else None
    intercept, aliased = bool(arrays["fit_intercept"]), arrays["aliased"]
    beside = end_file.beside_from_arrays(arrays, p)
    end, beside = end_file.from_arrays(
        arrays, end_file.Known(data, tau, intercept, aliased, beside)
    )
    names = {k.removeprefix("names_"): a for k, a in arrays.items() if k.startswith("names_")}
    return {
        **{name: arrays[name] for name in _ARRAYS},
        "X": data.X,
        "loss": float(arrays["loss"]),
        "status": WalkStatus[str(arrays["status"])],
        "ended": Ended[str(arrays["ended"])],
        "tau": tau,
        "n_pivots": int(arrays["n_pivots"]),
        "fit_intercept": intercept,
        "_end": end,
        "names": names_file.from_arrays(names, n),
        "beside": beside,
    }


def _data(arrays: Mapping[str, NDArray[Any]]) -> Any:
    """The checked data, of sparse features too."""
    if "X_shape" in arrays:
        X = end_file.sparse_from_arrays(arrays)
        return SparseData.of(X, arrays["y"], arrays["sample_weight"])
    check_member(arrays, "X", "f8")
    if arrays["X"].ndim != 2:
        raise ValueError(f"X: expected shape (n, p), found {arrays['X'].shape}")
    return Data.of(arrays["X"], arrays["y"], arrays["sample_weight"])


def _check(arrays: Mapping[str, NDArray[Any]], n: int, p: int) -> None:
    """ValueError if the arrays of a file are not those of a fit."""
    for name in _WORDS:
        check_member(arrays, name, "U", ())
    for name, dtype in (("loss", "f8"), ("n_pivots", "i8"), ("fit_intercept", "b1")):
        check_member(arrays, name, dtype, ())
    for name, shape in (("coefficients", (p + 1,)), ("dual", (n,)), ("y", (n,))):
        check_member(arrays, name, "f8", shape)
        real_array(name, arrays[name], 1, largest=np.inf)
    check_member(arrays, "sample_weight", "f8", (n,))
    check_member(arrays, "tau", "f8")
    if (
        arrays["tau"].shape not in ((0,), (1,))
        or not ((arrays["tau"] > 0) & (arrays["tau"] < 1)).all()
    ):
        raise ValueError(f"tau: expected none or one in (0, 1), found {arrays['tau']}")
    check_member(arrays, "aliased", "i8", arrays["aliased"].shape)
    if not ((arrays["aliased"] >= 0) & (arrays["aliased"] < p)).all():
        raise ValueError(f"aliased: expected columns below {p}")


__all__ = ["read", "write"]
