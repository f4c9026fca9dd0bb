"""Fits as files: the fields of a `QuantileFit` in an npz archive, and back.

Of the proof the basis is kept, and the side of each residual: what the solver saw of the samples is
made of them again.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._files import check_member, load_archive, write_archive
from .._validate import real_array
from ..ended import Ended
from ..native.arrays import FREE
from ..proof.certificate import Certificate
from ..simplex.records import WalkStatus
from .data import Data, Posed, slopes_of
from .design import Basis
from .tables import names_file

_ARRAYS = ("coefficients", "dual", "X", "y", "sample_weight", "aliased")
_WORDS = ("status", "ended")
_NUMBERS = ("loss", "n_pivots", "fit_intercept")
_KNOWN = {*_ARRAYS, *_WORDS, *_NUMBERS, "tau", "_end", "names"}


def write(parts: Mapping[str, Any], path: str | Path, force: bool) -> None:
    """Write the fields `parts` of a fit to `path`; ValueError if there is more than files hold."""
    more = [name for name, value in parts.items() if name not in _KNOWN and value is not None]
    if more or not isinstance(parts["X"], np.ndarray):
        raise ValueError(
            f"{more[0] if more else 'X'}: expected none in a fit to be saved, or an array for X, "
            f"found {type(parts[more[0] if more else 'X']).__name__}; pickle holds such fits"
        )
    arrays: dict[str, Any] = {name: parts[name] for name in _ARRAYS}
    arrays |= {name: parts[name].name for name in _WORDS}
    arrays |= {name: parts[name] for name in _NUMBERS}
    arrays["tau"] = np.array([] if parts["tau"] is None else [parts["tau"]], np.float64)
    end = parts["_end"]
    if isinstance(end, Certificate):
        arrays |= {f"certificate_{name}": value for name, value in end.to_arrays().items()}
    elif end is not None:
        basis = zip(Basis._fields, end.basis, strict=True)
        arrays |= {f"basis_{name}": value for name, value in basis}
        arrays["side"] = end.side
    names = names_file.to_arrays(parts["names"])
    arrays |= {f"names_{name}": value for name, value in names.items()}
    write_archive(path, "fit", arrays, force)


def read(path: str | Path) -> dict[str, Any]:
    """The fields that :func:`write` wrote; a proof of the solver as its fields, a tuple.

    Raises FileNotFoundError if there is no file, ValueError if it is another one or damaged.
    """
    return load_archive(path, "fit", _fields)


def _fields(arrays: Mapping[str, NDArray[Any]]) -> dict[str, Any]:
    def part(prefix: str) -> dict[str, NDArray[Any]]:
        return {k.removeprefix(prefix): a for k, a in arrays.items() if k.startswith(prefix)}

    _check(arrays)
    tau = float(arrays["tau"][0]) if arrays["tau"].size else None
    intercept = bool(arrays["fit_intercept"])
    data = Data.of(arrays["X"], arrays["y"], arrays["sample_weight"])
    return {
        **{name: arrays[name] for name in _ARRAYS},
        "loss": float(arrays["loss"]),
        "status": WalkStatus[str(arrays["status"])],
        "ended": Ended[str(arrays["ended"])],
        "tau": tau,
        "n_pivots": int(arrays["n_pivots"]),
        "fit_intercept": intercept,
        "_end": _end(arrays, part, data, tau, intercept),
        "names": names_file.from_arrays(part("names_"), len(data.y)),
    }


def _end(
    arrays: Mapping[str, NDArray[Any]], part: Any, data: Data, tau: float | None, intercept: bool
) -> Any:
    """What is known of the end: a certificate, the fields of a proof, or nothing."""
    certificate = part("certificate_")
    if certificate:
        plain = {name: a if a.ndim else a.item() for name, a in certificate.items()}
        return Certificate.from_arrays(plain)
    if "side" not in arrays:
        return None
    samples, units, aliased = Posed.of(data.kept(), intercept)
    if not np.array_equal(aliased, arrays["aliased"]):
        raise ValueError("aliased: other columns are aliased")
    q, n = samples.x.shape
    shapes = {"rows": ("i8", (q,)), "edges": ("f8", (q, q)), "theta": ("f8", (q,))}
    for name, (dtype, shape) in shapes.items():
        check_member(arrays, f"basis_{name}", dtype, shape)
    check_member(arrays, "side", "f8", (n,))
    basis = Basis(*(arrays[f"basis_{name}"] for name in Basis._fields))
    if not ((basis.rows >= FREE) & (basis.rows < n)).all():
        raise ValueError(f"basis_rows: expected samples below {n}")
    return samples, units, slopes_of(tau), basis, arrays["side"]


def _check(arrays: Mapping[str, NDArray[Any]]) -> None:
    """ValueError if the arrays of a file are not those of a fit."""
    for name in _WORDS:
        check_member(arrays, name, "U", ())
    for name, dtype in (("loss", "f8"), ("n_pivots", "i8"), ("fit_intercept", "b1")):
        check_member(arrays, name, dtype, ())
    check_member(arrays, "X", "f8")
    if arrays["X"].ndim != 2:
        raise ValueError(f"X: expected shape (n, p), found {arrays['X'].shape}")
    n, p = arrays["X"].shape
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
