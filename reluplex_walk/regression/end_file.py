"""What is known of the end of a fit, and what it is the minimum of, as arrays in files.

Of a proof of the solver the basis is kept, the side of each residual, and the weights of terms
beside the samples: what the solver saw is made of the data again.  Of a sparse one its multipliers.
"""

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import LinearConstraint

from .._files import check_member
from .._validate import real_array
from ..exact.rationals import from_fractions
from ..native.arrays import FREE
from ..proof.certificate import Certificate
from ..proof.witness_file import from_words, to_words
from .beside.beside import Beside
from .beside.linear import Linear
from .beside.noncrossing import held_apart
from .beside.terms import Penalty
from .beside.together import Together
from .data import Data, Posed, slopes_of
from .design import Basis, Samples
from .sparse.check import SparseProof
from .sparse.numbers import Exact

Floats = NDArray[np.float64]
Arrays = Mapping[str, NDArray[Any]]


class Known(NamedTuple):
    """What the rest of a file says."""

    data: Data  # of sparse features too
    tau: float | None
    fit_intercept: bool
    aliased: NDArray[np.int64]
    beside: Beside | None


# ---------------------------------------------------------------- penalty and constraints


def beside_to_arrays(beside: Beside | None) -> dict[str, Any]:
    """Penalty and constraints, in the units of the data."""
    if beside is None:
        return {}
    arrays: dict[str, Any] = {"penalty": beside.penalty.weight}
    if beside.linear is not None:
        arrays |= dict(zip(("A", "lower", "upper"), beside.linear, strict=True))
    return arrays


def beside_from_arrays(arrays: Arrays, p: int) -> Beside | None:
    """The same, of a fit with `p` features; ValueError if they are of none."""
    if "penalty" not in arrays:
        return None
    check_member(arrays, "penalty", "f8", ())
    weight, linear = float(arrays["penalty"]), None
    if not 0.0 <= weight < np.inf:
        raise ValueError(f"penalty: expected a number >= 0, found {weight}")
    if "A" in arrays:
        m = len(arrays["A"])
        for name, shape in (("A", (m, p + 1)), ("lower", (m,)), ("upper", (m,))):
            check_member(arrays, name, "f8", shape)
        linear = Linear.read(LinearConstraint(*(arrays[k] for k in ("A", "lower", "upper"))), p)
        if linear is None or len(linear.A) != m:
            raise ValueError("constraints: some without a bound")
    return Beside(Penalty(weight), linear)


# ---------------------------------------------------------------- the end


def to_arrays(end: Any, beside: Beside | None) -> dict[str, Any]:
    """The end of a fit: its certificate, what the solver has of it, or nothing."""
    if end is None:
        return {}
    if isinstance(end, Certificate):
        return {f"certificate_{name}": value for name, value in end.to_arrays().items()}
    if isinstance(end, SparseProof):
        return _sparse_to_arrays(end)
    arrays = {f"basis_{name}": a for name, a in zip(Basis._fields, end.basis, strict=True)}
    arrays |= {"side": end.side}
    count = 0
    if isinstance(end, Together):
        arrays |= {"taus": end.taus, "pairs": end.pairs}
        count = len(end.pairs)
    elif beside is not None and beside.posed is not None:
        count = len(beside.posed.rows)
    if count:
        arrays["steepness"] = end.samples.w[-count:]
    return arrays


def from_arrays(arrays: Arrays, known: Known) -> tuple[Any, Beside | None]:
    """The inverse, and penalty and constraints as they were posed; ValueError for other arrays.

    A proof of the solver of one quantile comes as a plain tuple of its fields.
    """
    prefix = "certificate_"
    certificate = {k.removeprefix(prefix): a for k, a in arrays.items() if k.startswith(prefix)}
    if certificate:
        plain = {name: a if a.ndim else a.item() for name, a in certificate.items()}
        return Certificate.from_arrays(plain), known.beside
    if "multipliers" in arrays:
        return _sparse_from_arrays(arrays, *known.data.X.shape), known.beside
    if "pairs" in arrays:
        return _together_from_arrays(arrays, known), known.beside
    if known.beside is not None:
        posed, beside = known.beside.pose(known.data.kept(), known.fit_intercept)
    elif "side" in arrays:
        posed, beside = Posed.of(known.data.kept(), known.fit_intercept), None
    else:
        return None, None
    _check_aliased(posed, known)
    if "side" not in arrays:
        return None, beside
    slopes = slopes_of(known.tau)
    samples, units = posed[:2]
    if beside is not None:
        count = 0 if beside.posed is None else len(beside.posed.rows)
        samples = beside.with_terms(posed, slopes, _steepness(arrays, count))
    return (samples, units, slopes, *_basis(arrays, samples)), beside


def _together_from_arrays(arrays: Arrays, known: Known) -> Together:
    check_member(arrays, "taus", "f8", arrays["taus"].shape)
    check_member(arrays, "pairs", "i8", (len(arrays["pairs"]), 2))
    taus, pairs = real_array("taus", arrays["taus"], 1), arrays["pairs"]
    posed = Posed.of(known.data.kept(), known.fit_intercept)
    _check_aliased(posed, known)
    most = np.array([len(taus) - 1, posed.samples.y.size])
    if not ((taus > 0.0) & (taus < 1.0)).all() or known.tau not in taus.tolist():
        raise ValueError(f"taus: expected {known.tau} among others in (0, 1), found {taus}")
    if not ((pairs >= 0) & (pairs < most)).all() or not len(pairs):
        raise ValueError("pairs: expected neighbouring quantiles and samples")
    levels = tuple(taus.tolist())
    whole = held_apart(posed, levels, pairs, _steepness(arrays, len(pairs)))
    return Together(*whole, *_basis(arrays, whole[0]), pairs, levels, posed.units.fitted)


def _check_aliased(posed: Posed, known: Known) -> None:
    if not np.array_equal(posed.aliased, known.aliased):
        raise ValueError("aliased: other columns are aliased")


def _steepness(arrays: Arrays, count: int) -> Floats:
    """Weights of the terms of constraints."""
    if not count:
        return np.zeros(0)
    check_member(arrays, "steepness", "f8", (count,))
    found = arrays["steepness"]
    if not ((found > 0.0) & (found < np.inf)).all():
        raise ValueError("steepness: expected numbers > 0")
    return found


def _basis(arrays: Arrays, samples: Samples) -> tuple[Basis, Floats]:
    """The basis, and the side of each residual."""
    q, n = samples.x.shape
    shapes = {"rows": ("i8", (q,)), "edges": ("f8", (q, q)), "theta": ("f8", (q,))}
    for name, (dtype, shape) in shapes.items():
        check_member(arrays, f"basis_{name}", dtype, shape)
    check_member(arrays, "side", "f8", (n,))
    basis = Basis(*(arrays[f"basis_{name}"] for name in Basis._fields))
    if not ((basis.rows >= FREE) & (basis.rows < n)).all():
        raise ValueError(f"basis_rows: expected samples below {n}")
    return basis, arrays["side"]


# ---------------------------------------------------------------- sparse features


def sparse_to_arrays(X: Any) -> dict[str, Any]:
    """A matrix by its columns."""
    return {
        "X_data": X.data,
        "X_indices": X.indices.astype(np.int64),
        "X_indptr": X.indptr.astype(np.int64),
        "X_shape": np.array(X.shape, np.int64),
    }


def sparse_from_arrays(arrays: Arrays) -> Any:
    """The matrix; ValueError if the arrays are of none."""
    check_member(arrays, "X_shape", "i8", (2,))
    check_member(arrays, "X_data", "f8", arrays["X_data"].shape)
    for name in ("X_indices", "X_indptr"):
        check_member(arrays, name, "i8", arrays[name].shape)
    shape = tuple(arrays["X_shape"].tolist())
    parts = tuple(arrays[f"X_{name}"] for name in ("data", "indices", "indptr"))
    X = sparse.csc_array(parts, shape=shape)
    X.check_format(full_check=True)
    return X


def _sparse_to_arrays(end: SparseProof) -> dict[str, Any]:
    return {
        "fitted": end.fitted,
        "point": to_words(end.coefficients.fractions()),
        "active": end.active,
        "multipliers": to_words(end.multipliers.fractions()),
        "above": end.above,
    }


def _sparse_from_arrays(arrays: Arrays, n: int, p: int) -> SparseProof:
    for name, most in (("fitted", p + 1), ("active", n)):
        check_member(arrays, name, "i8", arrays[name].shape)
        found = arrays[name]
        if found.ndim != 1 or not ((found >= 0) & (found < most)).all():
            raise ValueError(f"{name}: expected numbers below {most}")
        if len(np.unique(found)) != len(found):
            raise ValueError(f"{name}: expected different numbers")
    check_member(arrays, "above", "b1", (n,))
    exact = []
    for name, like in (("point", "fitted"), ("multipliers", "active")):
        check_member(arrays, name, "S", arrays[like].shape)
        numbers = from_fractions(from_words(arrays[name]))
        exact.append(Exact(numbers.num.tolist(), int(numbers.den)))
    return SparseProof(arrays["fitted"], exact[0], arrays["active"], exact[1], arrays["above"])


__all__ = [
    "Known",
    "beside_from_arrays",
    "beside_to_arrays",
    "from_arrays",
    "sparse_from_arrays",
    "sparse_to_arrays",
    "to_arrays",
]
