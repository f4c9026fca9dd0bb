"""Versioned npz archives: the files networks, trajectories and certificates are kept in.

A file is taken as it was written or not at all.  Nothing that it says is believed before it was
compared with what there is: members have the bytes that their headers announce, headers the form
that they are written in, and a digest covers them all.  Nothing in it is run: there are no pickles,
and no header is evaluated.
"""

import hashlib
import io
import re
import struct
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ._errors import DamagedFileError
from ._memory import require_memory
from ._whole import whole_file

FORMAT = 3
"""Version of the file format; a file of another one is refused."""

_MOST_DEFLATED = 1032  # bytes that one byte can stand for in the format of zip files

Arrays = dict[str, NDArray[Any]]
T = TypeVar("T")


def write_archive(path: str | Path, kind: str, arrays: dict[str, Any], force: bool = False) -> None:
    """Write `arrays` to `path` as an archive of `kind`, all or nothing.

    Equal arrays make equal files.  Raises FileExistsError if `path` exists and `force` is not set.
    """
    target = Path(path)
    if target.exists() and not force:
        raise FileExistsError(f"path: {target} exists; give force=True to overwrite it")
    with whole_file(target) as stream:
        _write(stream, kind, arrays, zipfile.ZIP_DEFLATED)


def pack(kind: str, arrays: dict[str, Any]) -> bytes:
    """An archive of `kind` in memory, not compressed: a hundred of them are packed in a moment."""
    stream = io.BytesIO()
    _write(stream, kind, arrays, zipfile.ZIP_STORED)
    return stream.getvalue()


def unpack(packed: bytes, kind: str, build: Callable[[Arrays], T]) -> T:
    """What `build` makes of the arrays that :func:`pack` packed; DamagedFileError if it cannot."""
    try:
        return build(_read(io.BytesIO(packed), len(packed), kind, Path(f"{kind} in memory")))
    except Exception as error:
        raise DamagedFileError(f"damaged {kind} ({_words(error)})") from None


def _write(stream: Any, kind: str, arrays: dict[str, Any], compression: int) -> None:
    members = {name: np.asarray(value, order="C") for name, value in arrays.items()}
    header = np.array([f"reluplex_walk {kind}", str(FORMAT), _digest(members)])
    with zipfile.ZipFile(stream, "w") as archive:
        for name, array in {"header": header, **members}.items():
            info = zipfile.ZipInfo(f"{name}.npy")  # of 1980: the time of writing is no content
            info.compress_type = compression
            with archive.open(info, "w", force_zip64=True) as member:
                member.write(_npy_header(array.dtype.str, array.shape))
                member.write(_bytes(array))


def open_archive(path: str | Path, kind: str) -> Arrays:
    """Arrays of the archive of `kind` at `path`.

    Raises FileNotFoundError if there is none, ValueError if something else is there, and
    DamagedFileError (a ValueError) if it is damaged, was changed, or is of another kind or version.
    """
    source = Path(path)
    wanted = f"path: expected a reluplex_walk {kind} file, found"
    if source.is_dir():
        raise ValueError(f"{wanted} the folder {source}")
    if not source.exists():
        raise FileNotFoundError(f"path: no file at {source}")
    if not source.is_file():
        raise ValueError(f"{wanted} {source}, which is no regular file")
    try:
        with open(source, "rb") as stream:
            start = stream.read(2)
            if not start:
                raise DamagedFileError(f"{wanted} {source}, which is empty")
            if start != b"PK" and not zipfile.is_zipfile(stream):
                raise ValueError(f"{wanted} {source}, which is no npz archive")
            return _read(stream, source.stat().st_size, kind, source)
    except OSError as error:
        raise ValueError(f"{wanted} {source}, which cannot be read ({error})") from None


def load_archive(path: str | Path, kind: str, build: Callable[[Arrays], T]) -> T:
    """What `build` makes of the arrays at `path`; it may raise whatever wrong arrays lead to.

    Raises what :func:`open_archive` does, DamagedFileError if they are no arrays of a `kind`.
    """
    arrays = open_archive(path, kind)
    try:
        return build(arrays)
    except Exception as error:  # the digest is right: written by another program, or forged
        raise DamagedFileError(f"path: damaged {kind} file {path} ({_words(error)})") from None


def kind_of(path: str | Path) -> str | None:
    """What the archive at `path` says it is, such as ``network``; None where it says nothing."""
    try:
        with zipfile.ZipFile(path) as archive:
            header = _directory(archive, Path(path).stat().st_size)["header"]
            maker, _, kind = str(_array(archive, header).ravel()[0]).partition(" ")
    except Exception:  # zipfile and zlib raise a dozen kinds
        return None
    return kind if maker == "reluplex_walk" else None


def check_member(
    arrays: Mapping[str, Any], name: str, dtype: str, shape: tuple[int, ...] | None = None
) -> None:
    """ValueError unless array `name` has that `shape` and a `dtype` such as ``f8``; ``U``: any."""
    if name not in arrays:
        raise ValueError(f"no {name}")
    array = np.asarray(arrays[name])
    found = array.dtype.kind if len(dtype) == 1 else array.dtype.str[1:]
    if found != dtype:
        raise ValueError(f"{name}: expected dtype {dtype}, found {array.dtype}")
    if shape is not None and array.shape != shape:
        raise ValueError(f"{name}: expected shape {shape}, found {array.shape}")


def _read(stream: Any, length: int, kind: str, source: Path) -> Arrays:
    """Arrays of the archive of `length` bytes in `stream`; messages call it `source`."""
    with _damage(kind, source):
        archive = zipfile.ZipFile(stream)
        members = _directory(archive, length)
        header = members.pop("header", None)
        words = _array(archive, header) if header else np.array([])
    _check_header([str(word) for word in words.ravel()], kind, source)
    size = sum(member.file_size for member in members.values())
    require_memory(f"path: {source}", size, "load it on a larger machine")
    with _damage(kind, source):
        arrays = {name: _array(archive, member) for name, member in members.items()}
    right = np.array([*words.ravel()[:2], _digest(arrays)])
    if (words.dtype, words.shape) != (right.dtype, right.shape) or (words != right).any():
        raise DamagedFileError(
            f"path: {source} was changed after it was written (its digest differs)"
        )
    return arrays


def _check_header(words: list[str], kind: str, source: Path) -> None:
    expected = f"path: expected a reluplex_walk {kind} file, found"
    if not words or not words[0].startswith("reluplex_walk "):
        raise ValueError(f"{expected} an npz file of other origin at {source}")
    if words[0] != f"reluplex_walk {kind}":
        raise DamagedFileError(f"{expected} {words[0]} at {source}")
    found = words[1] if len(words) > 1 else "none"
    if found != str(FORMAT):
        raise DamagedFileError(
            f"path: expected file format {FORMAT}, found format {found} at {source}, "
            "which another version of reluplex_walk has written"
        )


@contextmanager
def _damage(kind: str, source: Path) -> Iterator[None]:
    """Whatever goes wrong with the bytes of a file is one error."""
    try:
        yield
    except Exception as error:  # zipfile and zlib raise a dozen kinds
        raise DamagedFileError(
            f"path: expected a reluplex_walk {kind} file, found {source} damaged ({_words(error)})"
        ) from None


def _directory(archive: zipfile.ZipFile, length: int) -> dict[str, zipfile.ZipInfo]:
    """The members of an archive of `length` bytes, by the names of their arrays."""
    members: dict[str, zipfile.ZipInfo] = {}
    for member in archive.infolist():
        name = member.filename.removesuffix(".npy")
        if name == member.filename:
            raise ValueError(f"{name!r} among its members")
        if name in members:
            raise ValueError(f"two members {name!r}")
        if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"{name!r} compressed in another way")
        if member.file_size > _MOST_DEFLATED * (member.compress_size + 1):
            raise ValueError(f"{name!r} announces more than its bytes can hold")
        members[name] = member
    if sum(member.compress_size for member in members.values()) > length:
        raise ValueError("members that overlap")
    return members


_MAGIC = b"\x93NUMPY\x01\x00"
_HEADER = re.compile(
    rb"\{'descr': '([<|](?:b1|[iuf][1248]|[US][1-9]\d{0,9}))', "
    rb"'fortran_order': (False|True), 'shape': \(((?:\d{1,18}, )*\d{1,18},?)?\), \} *\n"
)


def _npy_header(descr: str, shape: tuple[int, ...], fortran: bool = False) -> bytes:
    """The header of an array in the NPY format, byte for byte as NumPy has it since 1.24."""
    text = f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}"
    if shape:
        text += " " * (21 - len(str(shape[-1 if fortran else 0])))  # room to grow
    text += " " * (64 - (len(_MAGIC) + 2 + len(text) + 1) % 64) + "\n"
    return _MAGIC + struct.pack("<H", len(text)) + text.encode()


def _array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    """A member, if its header is as we write it and announces the bytes that follow."""
    with archive.open(member) as stream:
        start = stream.read(len(_MAGIC) + 2)
        length = int.from_bytes(start[-2:], "little")
        head = stream.read(length)
        found = _HEADER.fullmatch(head)
        if not start.startswith(_MAGIC) or found is None:
            raise ValueError(f"{member.filename}: a header of no array of numbers or words")
        descr, fortran = found[1].decode(), found[2] == b"True"
        shape = tuple(int(part) for part in (found[3] or b"").split(b",") if part)
        dtype = np.dtype(descr)
        count = 1
        for part in shape:
            count *= part
        announced = len(start) + len(head) + count * dtype.itemsize
        if announced != member.file_size:
            raise ValueError(
                f"{member.filename}: {member.file_size} bytes, its header announces {announced}"
            )
        array = np.empty(count, dtype)
        _fill(array.view(np.uint8), stream)
    array = array.reshape(shape, order="F" if fortran else "C")
    if start + head != _npy_header(descr, shape, not array.flags.c_contiguous):
        raise ValueError(f"{member.filename}: a header in another form")
    return array


def _fill(target: NDArray[np.uint8], stream: Any) -> None:
    """All that is left of a stream, to its very end, where zipfile compares the checksum."""
    at, block = 0, 1 << 20
    while data := stream.read(block):
        target[at : at + len(data)] = np.frombuffer(data, np.uint8)
        at += len(data)
    if at != target.size:
        raise ValueError(f"{stream.name}: cut short")


def _digest(arrays: Arrays) -> str:
    """SHA-256 of all members of a file: names, kinds, shapes and contents."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name}{array.dtype.str}{np.shape(arrays[name])}".encode())
        digest.update(_bytes(array))
    return digest.hexdigest()


def _bytes(array: NDArray[Any]) -> memoryview:
    """The memory of an array, without a copy."""
    return array.ravel().view(np.uint8).data


def _words(error: Exception) -> str:
    """An error in one line."""
    text = " ".join(str(error).split())[:200]
    return (
        text if isinstance(error, ValueError) and text else f"{type(error).__name__} {text}".strip()
    )


__all__ = [
    "check_member",
    "kind_of",
    "load_archive",
    "open_archive",
    "pack",
    "unpack",
    "write_archive",
]
