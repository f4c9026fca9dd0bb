"""Checks at the border: each names the argument, what was found and what was expected.

What is read as a number stands in `_numbers`, how tables are read in `_frames`.
"""

import math
import numbers
from collections.abc import Iterable, Mapping, Set
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ._frames import check_rows, place_of, read
from ._numbers import Place, UnreadableError, held, short

Floats = NDArray[np.float64]

LARGEST = 1e100
"""Largest size of a number in the data: products of a few of them must not overflow."""

_BLOCK = 2**15  # numbers that the cache holds

_ORDINARY = 1e-50  # the largest weight, if those below 1 / LARGEST are to count as nothing


def real_array(
    name: str,
    value: ArrayLike,
    ndim: int | Iterable[int],
    shape: str = "",
    largest: float = LARGEST,
) -> Floats:
    """`value` as a finite float64 array of one of the dimensions `ndim`, C-contiguous, a copy.

    `shape` describes the expected shape for messages, `largest` bounds the numbers.
    """
    dims = (ndim,) if isinstance(ndim, int) else tuple(ndim)
    array = _finite(name, value, largest=largest)
    if array.ndim not in dims:
        expected = shape or " or ".join(f"{d}-D" for d in dims)
        raise ValueError(f"{name}: expected an array {expected}, found shape {array.shape}")
    return array


def _finite(
    name: str, value: ArrayLike, remedy: str = "", largest: float = LARGEST, least: float = 0.0
) -> Floats:
    """`value` as finite floats, C-contiguous, a copy; `remedy` is for numbers that are not.

    Those below `least` in size become 0.
    """
    given = read(name, value)
    array = np.empty(given.shape)
    fine = [_taken(array[some], given[some], least, largest) for some in _blocks(array)]
    if all(fine):
        return array
    odd = ~np.isfinite(array)
    expected = "finite numbers"
    if not odd.any():
        odd, expected = np.abs(array) > largest, f"numbers up to {largest:g} in size"
        remedy = "; take other units"
    where = tuple(int(k) for k in np.argwhere(odd)[0])
    raise ValueError(
        f"{name}: expected {expected}, found {array[where]:g} "
        f"{place_of(name, value, where)}{remedy}"
    )


def _taken(array: Floats, given: Floats, least: float, largest: float) -> bool:
    """Whether all numbers that were `given` are finite and at most `largest`: now in `array`."""
    array[...] = given
    if not array.size:
        return True
    size = np.abs(array)
    if size.min() < least:
        array[size < least] = 0.0
    return bool(size.max() <= largest)


def _blocks(array: Floats) -> Iterable[Any]:
    """Indices of rows of `array` that stay in the cache: what is done with them costs one pass."""
    if array.size <= _BLOCK:
        return [...]
    rows = max(1, _BLOCK * len(array) // array.size)
    return [slice(low, low + rows) for low in range(0, len(array), rows)]


def inputs(name: str, value: ArrayLike, width: int | None = None) -> Floats:
    """`value` as inputs (n, `width`), a row for each sample; any number of columns if not given.

    Those below 1 / `LARGEST` in size count as 0.
    """
    array = _finite(name, value, _ROWS, least=1.0 / LARGEST)
    if array.ndim == 2 and array.shape[1] == (width or array.shape[1]):
        return array
    remedy = "give a row for each sample and a column for each feature"
    if array.ndim == 1 and width in (None, 1):
        frame = f"{name}.to_frame()" if hasattr(value, "to_frame") else None
        remedy = f"for one feature give {frame or f'np.reshape({name}, (-1, 1))'}"
    elif array.shape == (width,):
        remedy = f"for one sample give np.reshape({name}, (1, -1))"
    elif array.ndim == 2 and len(array) == width:
        remedy = f"if a sample is a column of it give {name}.T"
    raise ValueError(
        f"{name}: expected an array of shape (n, {width or 'p'}), found shape {array.shape}; "
        f"{remedy}"
    )


def samples(
    X: ArrayLike,
    y: ArrayLike,
    sample_weight: ArrayLike | None,
    n_in: int | None = None,
    n_out: int = 1,
) -> tuple[Floats, Floats, Floats]:
    """Inputs (n, `n_in`), targets (n, `n_out`) and weights (n,) of at least one sample."""
    check_rows(X=X, y=y, sample_weight=sample_weight)
    try:
        features = inputs("X", X, n_in)
        n, p = features.shape
        if n == 0 or p == 0:
            raise ValueError(
                f"X: expected an array of shape (n, {n_in or 'p'}) with "
                f"{'n' if n_in else 'n, p'} >= 1, found shape {features.shape}; give some data"
            )
        if not (features[0].all() or features.any(axis=0).all()):
            _check_zeros(X)
        targets = _targets(y, n, n_out)
    except ValueError as error:
        if _swapped(X, y, n_in, n_out):
            raise ValueError(f"{error} (are X and y swapped?)") from None
        raise
    if sample_weight is None:
        return features, targets, np.ones(n)
    return features, targets, weights("sample_weight", sample_weight, n)


_ROWS = "; leave such rows out, or fill them in"


def _check_zeros(X: Any) -> None:
    """ValueError if all of a column of `X` counts as 0, but is not."""
    size = np.abs(read("X", X))
    largest = size.max(axis=0)
    small = np.flatnonzero((largest > 0.0) & (largest < 1.0 / LARGEST))
    if small.size:
        at = int(size[:, small[0]].argmax()), int(small[0])
        raise ValueError(
            f"X: expected columns with numbers from {1.0 / LARGEST:g} on in size, or of 0, found "
            f"none above {size[at]:g} {place_of('X', X, at)}; take other units"
        )


def _targets(y: ArrayLike, n: int, n_out: int) -> Floats:
    """`y` as an array (n, n_out)."""
    array = _finite("y", y, _ROWS)
    if array.shape == (n, n_out):
        return array
    if array.shape == (n,) and n_out == 1:
        return array[:, None]
    remedy = f"; X has {n} rows"
    if array.shape == (1, n):
        remedy = "; give np.ravel(y)"
    elif array.shape == (n_out, n):
        remedy = "; give y.T"
    elif array.ndim == 2 and len(array) == n:
        outputs = "one output" if n_out == 1 else f"{n_out} outputs"
        remedy = f"; choose columns of y: there is {outputs}"
    expected = f"of shape ({n},)" if n_out == 1 else f"of shape ({n}, {n_out})"
    raise ValueError(f"y: expected an array {expected}, found shape {array.shape}{remedy}")


def targets(y: ArrayLike, n: int) -> Floats:
    """`y` as an array (n, 1)."""
    return _targets(y, n, 1)


def _swapped(X: Any, y: Any, n_in: int | None, n_out: int) -> bool:
    """Whether the other way round, `X` and `y` might have the right shapes."""
    x_shape: tuple[int, ...] = getattr(X, "shape", ())
    y_shape: tuple[int, ...] = getattr(y, "shape", ())
    return (
        len(x_shape) in (1, 2)
        and len(y_shape) == 2
        and x_shape[:1] == y_shape[:1]
        and x_shape[1:] in ((), (n_out,))
        and x_shape != y_shape
        and y_shape[1] in (n_in or y_shape[1],)
    )


def weights(name: str, value: ArrayLike, n: int) -> Floats:
    """`value` as `n` weights >= 0, not all of them 0.

    Those below 1 / `LARGEST` count as 0: too small for products, as tails of kernels are.
    """
    weight = _finite(name, value, _ROWS)
    if weight.shape == (n, 1):
        weight = weight[:, 0]
    if weight.shape != (n,):
        raise ValueError(
            f"{name}: expected an array of shape ({n},), found shape {weight.shape}; "
            f"give one weight for each row of X"
        )
    least, most = float(weight.min()), float(weight.max())
    if least < 0 or most == 0:
        raise ValueError(
            f"{name}: expected numbers >= 0, one at least > 0, "
            f"found a minimum of {least:g} and a maximum of {most:g}"
        )
    if least >= 1.0 / LARGEST:
        return weight
    if most < _ORDINARY and ((weight > 0) & (weight < 1.0 / LARGEST)).any():
        raise ValueError(
            f"{name}: expected 0 or numbers from {1.0 / LARGEST:g} on, "
            f"found a maximum of {most:g}; give {name} / np.max({name})"
        )
    return np.where(weight < 1.0 / LARGEST, 0.0, weight)


def integer(name: str, value: Any, low: int | None = None, high: int | None = None) -> int:
    """`value` as an int in ``low..high``."""
    bounds = _bounds("an integer", low, high)
    if isinstance(value, (bool, np.timedelta64)) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name}: expected {bounds}, found {short(value)}")
    number = int(value)
    if (low is not None and number < low) or (high is not None and number > high):
        raise ValueError(f"{name}: expected {bounds}, found {number}")
    return number


def integers(name: str, value: ArrayLike, low: int, high: int) -> NDArray[np.int64]:
    """`value` as ints in ``low..high``, of any shape; not the True and False of a mask."""
    array = np.asarray(read(name, value))
    items = np.asarray(value)
    if items.dtype == bool or any(isinstance(item, bool | np.bool_) for item in _objects(items)):
        raise TypeError(
            f"{name}: expected {_bounds('integers', low, high)}, found True or False; "
            f"np.flatnonzero({name}) gives the indices of a mask"
        )
    odd = ~((array >= low) & (array <= high) & (array == np.rint(array)))
    if odd.any():
        found = array[odd].flat[0]
        raise ValueError(f"{name}: expected {_bounds('integers', low, high)}, found {found:g}")
    return array.astype(np.int64)


def _objects(array: NDArray[Any]) -> Iterable[Any]:
    """The items of an array of Python's objects; none of any other."""
    return array.flat if array.dtype == object else ()


def sequence(name: str, value: Any) -> list[Any]:
    """The items of `value`, which may be an iterator, but neither a string nor without order."""
    if isinstance(value, (str, bytes, Mapping, Set)) or not isinstance(value, Iterable):
        raise TypeError(f"{name}: expected a list, found {short(value)}")
    return list(value)


def _bounds(kind: str, low: float | None, high: float | None) -> str:
    if low is not None and high is not None:
        return f"{kind} in {low}..{high}"
    if low is not None:
        return f"{kind} >= {low}"
    return kind if high is None else f"{kind} <= {high}"


def real(name: str, value: Any) -> float:
    """`value` as a finite float."""
    if isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name}: expected a number, found {value!r}")
    try:
        number = held(value, Place(name))
    except UnreadableError as reason:
        if reason.error is TypeError:
            raise TypeError(f"{name}: expected a number, found {short(value)}") from None
        raise ValueError(
            f"{name}: expected a number that a float holds, found {short(value)}; "
            f"float({name}) rounds it"
        ) from None
    if not math.isfinite(number):
        raise ValueError(f"{name}: expected a finite number, found {value}")
    return number


def share(name: str, value: Any) -> float:
    """`value` as a float in (0, 1)."""
    number = real(name, value)
    if not 0.0 < number < 1.0:
        raise ValueError(f"{name}: expected a number in (0, 1), found {value}")
    return number


def positive(name: str, value: Any) -> float:
    """`value` as a finite float > 0."""
    number = real(name, value)
    if number <= 0.0:
        raise ValueError(f"{name}: expected a number > 0, found {value}")
    return number


def instance(name: str, value: Any, kind: type) -> None:
    """Check that `value` is a `kind`, a class whose name begins with a consonant."""
    if not isinstance(value, kind):
        raise TypeError(f"{name}: expected a {kind.__name__}, found {type(value).__name__}")


def flag(name: str, value: Any) -> bool:
    """`value` as a bool."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name}: expected True or False, found {short(value)}")
    return bool(value)


def function(name: str, value: Any) -> None:
    """Check that `value`, if given, can be called."""
    if value is not None and not callable(value):
        raise TypeError(f"{name}: expected a callable, found {type(value).__name__}")


def choice(name: str, value: Any, options: Iterable[str]) -> str:
    """`value` if it is one of `options`."""
    options = tuple(options)
    if not isinstance(value, str) or value not in options:
        raise ValueError(f"{name}: expected one of {', '.join(options)}, found {short(value)}")
    return str(value)
