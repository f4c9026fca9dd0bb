"""What people pass for arrays: kinds that are read, and kinds that are refused in words.

Each kind makes its value from an array of floats, in one or two dimensions; `None` where there is
no such kind.  What is read says which floats it stands for, what is refused which words say why.
"""

import datetime
import decimal
import fractions
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

Array = np.ndarray

BIG = 2**53 + 1  # no float holds it


class Tensor:
    """An array of another library: NumPy reads it by `__array__`, or is told why not."""

    def __init__(self, array: Array, error: str = "") -> None:
        self.array, self.error = array, error

    def __array__(self, dtype: Any = None, copy: Any = None) -> Array:
        if self.error:
            raise RuntimeError(self.error)
        return self.array


class Pixels:
    """The same by the older protocol."""

    def __init__(self, array: Array) -> None:
        self.__array_interface__ = np.ascontiguousarray(array).__array_interface__
        self.kept = array


class Read(NamedTuple):
    """A kind that is read, as `floats` of the given ones."""

    make: Callable[[Array], Any]
    floats: Callable[[Array], Array] = lambda a: a


class Refused(NamedTuple):
    """A kind that is refused, in words that hold `words`."""

    make: Callable[[Array], Any]
    words: str


def objects(a: Array, number: Callable[[float], Any]) -> Array:
    """An array of objects."""
    made = np.empty(a.shape, object)
    for index in np.ndindex(a.shape):
        made[index] = number(float(a[index]))
    return made


def frame(a: Array, dtype: Any = None) -> Any:
    """A data frame with columns f0, f1, ..., or a series."""
    if a.ndim == 1:
        return pd.Series(a, dtype=dtype)
    names = [f"f{k}" for k in range(a.shape[1])]
    return pd.DataFrame(a, columns=names, dtype=dtype)


def with_last(a: Array, values: Any) -> Any:
    """A data frame or series as `a`, with other `values` in its last column."""
    if a.ndim == 1:
        return pd.Series(values)
    made = frame(a)
    made[made.columns[-1]] = pd.Series(values)
    return made


def with_one(a: Array, value: Any, index: int = 2) -> list[Any]:
    """A nested list as `a`, with another `value` in one place."""
    made = a.tolist()
    if a.ndim == 1:
        made[index] = value
    else:
        made[index % len(made)][-1] = value
    return made


def strided(a: Array) -> Array:
    """The same numbers, each followed by one of no meaning."""
    wide = np.full((*a.shape[:-1], 2 * a.shape[-1]), np.nan)
    wide[..., ::2] = a
    return wide[..., ::2]


def frozen(a: Array) -> Array:
    """A read-only copy."""
    a = a.copy()
    a.flags.writeable = False
    return a


def records(a: Array) -> Array | None:
    """An array of records."""
    return (
        np.rec.fromarrays(a.T, names=[f"f{k}" for k in range(a.shape[1])]) if a.ndim > 1 else None
    )


def rounded(a: Array) -> Array:
    """Whole numbers."""
    return np.rint(a)


def single(a: Array) -> Array:
    """What is left in single precision."""
    return a.astype(np.float32).astype(float)


ACCEPTED = {
    "list": Read(lambda a: a.tolist()),
    "tuples": Read(lambda a: tuple(map(tuple, a.tolist())) if a.ndim > 1 else tuple(a.tolist())),
    "list of arrays": Read(list),
    "Fortran order": Read(np.asfortranarray),
    "strided": Read(strided),
    "reversed": Read(lambda a: a[::-1].copy()[::-1]),
    "read-only": Read(frozen),
    "big-endian": Read(lambda a: a.astype(">f8")),
    "float32": Read(lambda a: a.astype(np.float32), single),
    "float16": Read(lambda a: a.astype(np.float16), lambda a: a.astype(np.float16).astype(float)),
    "long double": Read(lambda a: a.astype(np.longdouble)),
    "int64": Read(lambda a: np.rint(a).astype(np.int64), rounded),
    "int8": Read(lambda a: np.rint(a).astype(np.int8), rounded),
    "integers": Read(lambda a: np.rint(a).astype(int).tolist(), rounded),
    "bool": Read(lambda a: a > 1.0, lambda a: (a > 1.0).astype(float)),
    "objects": Read(lambda a: objects(a, float)),
    "decimals": Read(lambda a: objects(a, lambda v: decimal.Decimal(repr(v)))),
    "fractions": Read(lambda a: objects(a, lambda v: fractions.Fraction(repr(v)))),
    "mixed objects": Read(lambda a: objects(a, lambda v: int(v) if v == int(v) else np.float64(v))),
    "large integers": Read(
        lambda a: (np.rint(a) * 2**55).astype(np.int64), lambda a: rounded(a) * 2.0**55
    ),
    "matrix": Read(lambda a: np.matrix(a) if a.ndim == 2 else None),
    "no mask": Read(lambda a: np.ma.masked_greater(a, 1e9)),
    "tensor": Read(Tensor),
    "array interface": Read(Pixels),
    "records": Read(records),
    "frame": Read(frame),
    "frame of integers": Read(lambda a: frame(np.rint(a).astype(int)), rounded),
    "frame of float32": Read(lambda a: frame(a, np.float32), single),
    "frame of Float64": Read(lambda a: frame(a, "Float64")),
    "frame of Int64": Read(lambda a: frame(np.rint(a).astype(int), "Int64"), rounded),
    "frame of boolean": Read(
        lambda a: frame(a > 1.0, "boolean"), lambda a: (a > 1.0).astype(float)
    ),
    "frame of objects": Read(lambda a: frame(a, object)),
    "frame of mixed": Read(lambda a: with_last(a, np.ones(len(a), int)), lambda a: last_one(a)),
    "sparse columns": Read(lambda a: frame(a, pd.SparseDtype(float, np.nan))),
}


def last_one(a: Array) -> Array:
    """Ones in the last column."""
    a = a.copy()
    a[..., -1:] = 1.0
    return np.ones(len(a)) if a.ndim == 1 else a


DAYS = pd.date_range("2020-02-28", periods=99)
ROWS = "leave such rows out, or fill them in"


def cycling(values: Any) -> Callable[[Array], Any]:
    """A frame or series whose last column cycles through `values`."""
    return lambda a: with_last(a, pd.Series(values).take(np.arange(len(a)) % len(values)).array)


REFUSED = {
    "None": Refused(lambda a: with_one(a, None), f"None.*{ROWS}"),
    "NA": Refused(lambda a: with_one(a, pd.NA), f"<NA>.*{ROWS}"),
    "nan": Refused(lambda a: np.array(with_one(a, np.nan)), "finite numbers, found nan at index"),
    "inf": Refused(lambda a: np.array(with_one(a, -np.inf)), "finite numbers, found -inf at index"),
    "nan of decimals": Refused(lambda a: with_one(a, decimal.Decimal("NaN")), "found nan"),
    "1e200": Refused(lambda a: np.array(with_one(a, 1e200)), "up to 1e.100.*take other units"),
    "10**400": Refused(lambda a: with_one(a, 10**400), "large number.*take other units"),
    "2**53 + 1": Refused(lambda a: with_one(a, BIG), f"{BIG}, which no float holds.*rounds"),
    "2**64 - 1": Refused(lambda a: with_one(a, 2**64 - 1), "no float holds.*np.asarray"),
    "int64": Refused(lambda a: np.array(with_one(np.rint(a).astype(int), BIG)), "no float holds"),
    "third": Refused(lambda a: with_one(a, fractions.Fraction(1, 3)), "1/3, which no float holds"),
    "long decimal": Refused(lambda a: with_one(a, 1 / decimal.Decimal(3)), "no float holds"),
    "long double": Refused(lambda a: a.astype(np.longdouble) / 3, "no float holds.*rounds"),
    "complex": Refused(lambda a: a + 0j, "complex number.*np.real"),
    "text": Refused(lambda a: a.astype(str), "text.*convert it: np.asarray"),
    "one text": Refused(lambda a: with_one(a, "n/a"), r"text \('n/a'\) at index"),
    "bytes": Refused(lambda a: a.astype("S"), "text.*convert it"),
    "dates": Refused(lambda a: with_one(a, datetime.date(2020, 2, 28)), "a date.*'M8.us.'"),
    "times": Refused(lambda a: np.rint(a).astype("M8[s]"), "a date .1970.*'M8.us.'"),
    "time differences": Refused(lambda a: np.rint(a).astype("m8[s]"), "a time difference.*m8.us"),
    "timedeltas": Refused(lambda a: with_one(a, datetime.timedelta(1)), "a time difference"),
    "ragged": Refused(lambda a: [*a.tolist(), [1.0, 2.0, 3.0, 4.0, 5.0]], "rows of one length"),
    "nested": Refused(lambda a: objects(a, lambda v: [v]), "type list"),
    "records in a list": Refused(lambda a: [{"f0": v} for v in a.tolist()], "type dict.*give a"),
    "dict": Refused(lambda a: {"f0": a}, r"type dict.*np.column_stack\(list"),
    "set": Refused(lambda a: {1.0, 2.0}, r"type set.*list\("),
    "generator": Refused(lambda a: (row for row in a), r"type generator.*list\("),
    "map": Refused(lambda a: map(float, range(3)), r"type map.*list\("),
    "text alone": Refused(lambda a: "data.csv", "text .'data.csv'. instead of an array"),
    "nothing": Refused(lambda a: object(), "type object.*give a number, or an array of numbers"),
    "mask": Refused(lambda a: np.ma.masked_equal(a, a.flat[2]), "a masked one at index.*filled"),
    "masked rows": Refused(lambda a: list(np.ma.masked_equal(a, a.flat[2])), "masked one|rows of"),
    "sparse": Refused(lambda a: sparse.csr_matrix(np.atleast_2d(a)), r"sparse csr.*toarray\(\)"),
    "sparse array": Refused(lambda a: sparse.coo_array(np.atleast_2d(a)), r"sparse coo.*toarray"),
    "tensor with gradients": Refused(lambda a: Tensor(a, "use detach()"), "Tensor.*use detach"),
    "empty": Refused(lambda a: a[:0], "expected an array .*found shape"),
    "no columns": Refused(lambda a: a[..., :0], "expected an array .*found shape"),
    "four dimensions": Refused(lambda a: a[None, None, None], "expected an array .*found shape"),
    "frame of text": Refused(cycling(list("uv")), r"text \('u'\)"),
    "frame of numbers in text": Refused(cycling(["1.5"]), r"convert it: np.asarray\("),
    "frame of categories": Refused(cycling(pd.Categorical(["u", "v"])), "categor.*encode|where"),
    "frame of numbered categories": Refused(cycling(pd.Categorical([3, 4])), "categor.*np.asarray"),
    "frame of dates": Refused(cycling(DAYS), "a date .2020.*'M8.us.'"),
    "frame of dates in a zone": Refused(cycling(DAYS.tz_localize("UTC")), "a date"),
    "frame of periods": Refused(cycling(DAYS.to_period("D")), "to_timestamp"),
    "frame of time differences": Refused(cycling(DAYS - DAYS[0]), "time diff"),
    "frame of NaT": Refused(cycling([pd.NaT]), "a date"),
    "frame of intervals": Refused(cycling(pd.interval_range(0, 9)), "Interval"),
    "frame with NA": Refused(cycling(pd.array([1, None], "Int64")), "nan|NA"),
    "frame with a large integer": Refused(cycling([BIG, 1]), "no float holds"),
    "frame of complex": Refused(cycling([1j]), "complex"),
}  # fmt: skip
