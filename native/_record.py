"""Records of arrays that kernels take as one word: the address of a table of their arrays.

Numba hands a tuple over array by array, seven words or more for each, and types, links and
optimises them again at every level of calls: the sixty arrays of a walk made most of the time that
its kernels took to compile.  A `Record` keeps a table of where its arrays lie and how long they
are; kernels get the address of the table and read from it what they use.
"""

import ctypes
import zlib
from array import array
from collections.abc import Iterator
from typing import Annotated, Any, ClassVar, NamedTuple, get_args, get_type_hints

import numpy as np
from llvmlite import ir
from numba import float64, from_dtype
from numba.core import cgutils, types
from numba.core.typing.templates import AttributeTemplate
from numba.extending import (
    NativeValue,
    infer_getattr,
    lower_getattr_generic,
    models,
    register_model,
    typeof_impl,
    unbox,
)
from numba.np.arrayobj import make_array, populate_array
from numpy.typing import NDArray

Floats1 = Annotated[NDArray[np.float64], 1]
Floats2 = Annotated[NDArray[np.float64], 2]
Floats3 = Annotated[NDArray[np.float64], 3]
Ints1 = Annotated[NDArray[np.int64], 1]
Ints2 = Annotated[NDArray[np.int64], 2]
Halves1 = Annotated[NDArray[np.int32], 1]
Signs1 = Annotated[NDArray[np.int8], 1]
Bytes2 = Annotated[NDArray[np.uint8], 2]
Words1 = Annotated[NDArray[np.uint64], 1]
Words2 = Annotated[NDArray[np.uint64], 2]
Bools1 = Annotated[NDArray[np.bool_], 1]
"""Fields of records: the type of an array and the number of its dimensions.

Names in place of that number are those of the rows of a matrix, each of which reads like a field of
its own: one array to be made and handed over in place of many.
"""


WORD = ir.IntType(64)


class Field(NamedTuple):
    """A field of a record: an array, or a float (dtype None)."""

    name: str
    dtype: Any
    ndim: int
    rows: tuple[str, ...]  # names of the rows of a matrix

    @classmethod
    def of(cls, name: str, hint: Any) -> "Field":
        """That which an annotation names."""
        if hint is float:
            return cls(name, None, 0, ())
        array, form = get_args(hint)
        (scalar,) = get_args(get_args(array)[1])
        ndim, rows = (2, form) if isinstance(form, tuple) else (form, ())
        return cls(name, np.dtype(scalar), ndim, rows)

    @property
    def type(self) -> Any:
        """Numba's."""
        return (
            float64 if self.dtype is None else types.Array(from_dtype(self.dtype), self.ndim, "C")
        )


class RecordType(types.Type):
    """Numba's type of a record; `members` {name: (type, place in the table, row or -1)}."""

    def __init__(self, name: str, layout: list["Field"]) -> None:
        super().__init__(name)
        self.members, at = {}, 1
        self.mark = zlib.crc32(name.encode())  # the first word of the table
        for field in layout:
            typ = field.type
            self.members[field.name] = typ, at, -1
            for row, member in enumerate(field.rows):
                self.members[member] = typ.copy(ndim=1), at, row
            at += 1 + field.ndim
        self.words = at

    @property
    def table(self) -> ir.Type:
        """What LLVM takes the address of."""
        return ir.ArrayType(WORD, self.words).as_pointer()


_exported, _address_of = ctypes.c_char.from_buffer, ctypes.addressof


def _row(field: str, row: int) -> property:
    return property(lambda record: record.__dict__[field][row])


class Record:
    """Base of the frozen dataclasses that kernels take: C-contiguous arrays, and floats.

    The arrays of a record stay where they are as long as it lives.
    """

    type: ClassVar[RecordType]
    layout: ClassVar[list[Field]]
    names: ClassVar[dict[str, None]]  # of the fields

    def __init_subclass__(cls) -> None:
        hints = get_type_hints(cls, include_extras=True).items()
        cls.layout = [
            Field.of(name, hint) for name, hint in hints if name not in Record.__annotations__
        ]
        cls.names = dict.fromkeys(field.name for field in cls.layout)
        for field in cls.layout:
            for row, name in enumerate(field.rows):
                setattr(cls, name, _row(field.name, row))
        cls.type = RecordType(f"{cls.__module__}.{cls.__qualname__}", cls.layout)

    def __init__(self, *values: Any, **named: Any) -> None:
        """From all fields, in order or by name: a dataclass's own takes as long as a small fit."""
        fields = vars(self)
        if values:
            fields.update(zip(self.names, values, strict=False))
        fields.update(named)
        if fields.keys() != self.names.keys() or len(values) > len(self.names):
            raise TypeError(f"expected {', '.join(self.names)}; found {', '.join(fields)}")

    def __getattr__(self, name: str) -> Any:
        """The address of the table, when it is asked for first."""
        if name != "address":
            raise AttributeError(f"{type(self).__name__} has no field {name!r}")
        table = vars(self).setdefault("table", self._table())  # one, whatever threads do meanwhile
        vars(self)["address"] = table.buffer_info()[0]
        return self.address

    def _table(self) -> "array[int]":
        """The address and the shape of each array, and the floats, bit by bit."""
        words = [self.type.mark]
        fields = vars(self)
        for name, dtype, ndim, rows in self.layout:
            value = fields[name]
            if dtype is None:
                words += np.float64(value).view(np.int64)[None].tolist()
                continue
            shape = value.shape
            if (value.dtype is not dtype and value.dtype != dtype) or len(shape) != ndim:
                raise TypeError(f"{name}: expected {dtype} in {ndim} dimensions")
            if rows and shape[0] != len(rows):
                raise TypeError(f"{name}: expected {len(rows)} rows, found {shape[0]}")
            try:
                words.append(_address_of(_exported(value)))  # the fastest of ways
            except (TypeError, ValueError):  # not to be written to, empty, or strided
                if not value.flags.c_contiguous:
                    raise TypeError(f"{name}: expected a C-contiguous array") from None
                words.append(value.ctypes.data)
            words += shape
        return array("q", words)

    def __reduce__(self) -> tuple[Any, ...]:
        """Without the addresses, which hold in one process alone."""
        return type(self), tuple(self)

    def __iter__(self) -> Iterator[Any]:
        fields = vars(self)
        return (fields[field.name] for field in self.layout)


# ---------------------------------------------------------------- what Numba has to know


@typeof_impl.register(Record)
def _typeof(record, c):
    return record.type


@register_model(RecordType)
class _Model(models.PrimitiveModel):
    def __init__(self, manager, record_type):
        super().__init__(manager, record_type, record_type.table)


@unbox(RecordType)
def _unbox(record_type, record, c):
    address = c.pyapi.object_getattr_string(record, "address")
    table = cgutils.alloca_once(c.builder, record_type.table)
    failed = cgutils.alloca_once_value(c.builder, cgutils.true_bit)
    with cgutils.if_likely(c.builder, cgutils.is_not_null(c.builder, address)):
        pointer = c.builder.bitcast(c.pyapi.long_as_voidptr(address), record_type.table)
        c.pyapi.decref(address)
        c.builder.store(pointer, table)
        with cgutils.if_likely(c.builder, cgutils.is_not_null(c.builder, pointer)):
            mark = c.builder.load(c.builder.bitcast(pointer, WORD.as_pointer()))
            other = c.builder.icmp_unsigned("!=", mark, ir.Constant(WORD, record_type.mark))
            c.builder.store(other, failed)
            with cgutils.if_unlikely(c.builder, other):
                c.pyapi.err_set_string("PyExc_TypeError", f"expected a record {record_type.name}")
    return NativeValue(c.builder.load(table), is_error=c.builder.load(failed))


@infer_getattr
class _Members(AttributeTemplate):
    key = RecordType

    def generic_resolve(self, record_type, name):
        if name in record_type.members:
            return record_type.members[name][0]
        return None


@lower_getattr_generic(RecordType)
def _member(context, builder, record_type, table, name):
    member, at, row = record_type.members[name]
    typed = record_type.table != WORD.as_pointer()  # else all pointers look alike
    for argument in builder.function.args:
        # LLVM may read the table ahead, before conditions and loops.
        if typed and argument.type == record_type.table:
            argument.attributes.dereferenceable = 8 * record_type.words
            argument.attributes.align = 8

    def word(k, kind=WORD):
        place = builder.gep(table, [ir.Constant(WORD, 0), ir.Constant(WORD, at + k)], inbounds=True)
        loaded = builder.load(builder.bitcast(place, kind.as_pointer()))
        # What the table holds never changes: stores to arrays do not make LLVM read it again.
        loaded.set_metadata("invariant.load", builder.module.add_metadata([]))
        return loaded

    if member is float64:
        return word(0, ir.DoubleType())
    array = make_array(member)(context, builder)
    shape = [word(1 + k + (row >= 0)) for k in range(member.ndim)]
    size = ir.Constant(WORD, context.get_abi_sizeof(context.get_data_type(member.dtype)))
    strides = [size]
    for length in reversed(shape[1:]):
        strides.insert(0, builder.mul(strides[0], length))
    data = word(0, array.data.type)
    if row > 0:
        data = builder.gep(data, [builder.mul(shape[0], ir.Constant(WORD, row))])
    populate_array(array, data=data, shape=shape, strides=strides, itemsize=size, meminfo=None)
    return array._getvalue()


__all__ = ["Record", "RecordType"]
