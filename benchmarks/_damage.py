"""Damage to npz files: changes of bytes, of members, of headers, of what a file is.

Each takes a generator and the bytes of a file and gives other bytes, None where it cannot be done.
"""

import io
import pickle
import struct
import zipfile
from collections.abc import Callable

import numpy as np

Damage = Callable[[np.random.Generator, bytes], bytes]


def members(data: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def packed(parts: dict[str, bytes], compression: int = zipfile.ZIP_DEFLATED) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", compression) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return stream.getvalue()


def npy(array: np.ndarray, allow_pickle: bool = False) -> bytes:
    stream = io.BytesIO()
    np.lib.format.write_array(stream, array, allow_pickle=allow_pickle)
    return stream.getvalue()


def headed(text: str, content: bytes = b"", version: bytes = b"\x01\x00") -> bytes:
    """A member with a header of that text."""
    size = "<H" if version == b"\x01\x00" else "<I"
    raw = (text + "\n").encode()
    if len(raw) > 0xFFFF and size == "<H":
        return headed(text, content, b"\x02\x00")
    return b"\x93NUMPY" + version + struct.pack(size, len(raw)) + raw + content


def some(rng: np.random.Generator, parts: dict[str, bytes]) -> str:
    return str(rng.choice([name for name in parts if name != "header.npy"]))


# ---------------------------------------------------------------- of bytes


def flipped_bits(rng: np.random.Generator, data: bytes) -> bytes:
    changed = bytearray(data)
    for at in rng.integers(0, 8 * len(data), int(rng.integers(1, 9))):
        changed[at // 8] ^= 1 << (at % 8)
    return bytes(changed)


def flipped_at_the_end(rng: np.random.Generator, data: bytes) -> bytes:
    """In the directory of the archive, where its sizes, offsets and methods are."""
    changed = bytearray(data)
    length = min(len(data), 60 * (len(members(data)) + 1) + 22)
    for at in len(data) - 1 - rng.integers(0, length, int(rng.integers(1, 5))):
        changed[at] ^= 1 << int(rng.integers(8))
    return bytes(changed)


def overwritten(rng: np.random.Generator, data: bytes) -> bytes:
    at = int(rng.integers(len(data)))
    length = int(rng.integers(1, 1 + len(data) - at))
    fill = rng.bytes(length) if rng.random() < 0.5 else bytes(length)
    return data[:at] + fill + data[at + length :]


def cut(rng: np.random.Generator, data: bytes) -> bytes:
    return data[: int(rng.integers(len(data)))]


def hole(rng: np.random.Generator, data: bytes) -> bytes:
    at = int(rng.integers(len(data)))
    return data[:at] + data[at + int(rng.integers(1, 200)) :]


def inserted(rng: np.random.Generator, data: bytes) -> bytes:
    at = int(rng.integers(len(data) + 1))
    return data[:at] + rng.bytes(int(rng.integers(1, 200))) + data[at:]


def twice(rng: np.random.Generator, data: bytes) -> bytes:
    return data[: int(rng.integers(len(data)))] + data


# ---------------------------------------------------------------- of members


def removed(rng: np.random.Generator, data: bytes) -> bytes:
    parts = members(data)
    del parts[str(rng.choice(list(parts)))]
    return packed(parts)


def renamed(rng: np.random.Generator, data: bytes) -> bytes:
    parts, name = members(data), ""
    name = some(rng, parts)
    other = str(
        rng.choice(["x.npy", name[:-4], name + ".npy", "../" + name, name.upper(), "\u00e9"])
    )
    return packed({(other if key == name else key): part for key, part in parts.items()})


def swapped(rng: np.random.Generator, data: bytes) -> bytes:
    parts = members(data)
    a, b = some(rng, parts), some(rng, parts)
    parts[a], parts[b] = parts[b], parts[a]
    return packed(parts)


def added(rng: np.random.Generator, data: bytes) -> bytes:
    return packed({**members(data), "extra.npy": npy(rng.normal(size=3))})


def doubled(rng: np.random.Generator, data: bytes) -> bytes:
    stream = io.BytesIO(data)
    name = some(rng, members(data))
    with zipfile.ZipFile(stream, "a") as archive:
        archive.fp.seek(0, 2)
        archive.NameToInfo.clear()  # without a warning
        archive.writestr(name, npy(rng.normal(size=2)))
    return stream.getvalue()


def compressed_otherwise(rng: np.random.Generator, data: bytes) -> bytes:
    return packed(members(data), int(rng.choice([zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])))


def changed_value(rng: np.random.Generator, data: bytes) -> bytes:
    """One byte of one member, with the right checksum of the archive."""
    parts = members(data)
    name = str(rng.choice(list(parts)))
    part = bytearray(parts[name])
    part[int(rng.integers(len(part)))] ^= 1 << int(rng.integers(8))
    return packed({**parts, name: bytes(part)})


def other_array(rng: np.random.Generator, data: bytes) -> bytes:
    """One member is another array, with the digest of the old one."""
    parts = members(data)
    return packed({**parts, some(rng, parts): npy(odd_array(rng))})


def odd_array(rng: np.random.Generator) -> np.ndarray:
    arrays = [
        np.zeros(0), np.zeros((0, 3)), np.array(np.nan), np.array([np.inf]), np.array("word"),
        np.array(-1), np.array(2**62), rng.normal(size=(3, 2)), rng.integers(-9, 9, 5),
        np.array([b"1/0"]), np.array(True), np.zeros((1, 1, 1, 1)), np.arange(4, dtype=">f8"),
        np.zeros(3, complex), np.zeros(2, "M8[s]"), np.zeros(2, [("a", "f8"), ("b", "i4")]),
        np.array(""), rng.normal(size=(2, 3)).T, np.zeros(2, "V7"), np.float16(1), np.longdouble(1),
    ]  # fmt: skip
    return np.asarray(arrays[int(rng.integers(len(arrays)))])


# ---------------------------------------------------------------- of headers

HEADERS = (
    "{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (10000000000000000000000,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (4294967296, 4294967296), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (1.5,), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': 3, }",
    "{'descr': '<f8', 'fortran_order': 1, 'shape': (), }",
    "{'descr': '|O', 'fortran_order': False, 'shape': (1,), }",
    "{'descr': '<U999999999', 'fortran_order': False, 'shape': (), }",
    "{'descr': '<U99999999999999999999', 'fortran_order': False, 'shape': (), }",
    "{'descr': 'nonsense', 'fortran_order': False, 'shape': (), }",
    "{'descr': '<f8', 'fortran_order': False, }",
    "{'descr': [('a', '<f8')], 'fortran_order': False, 'shape': (), }",
    "{'descr': '<f8', 'fortran_order': False, 'shape': (), 'more': 1}",
    "__import__('os').abort()",
    "(" * 2000 + ")" * 2000,
    "[" * 60000 + "]" * 60000,
    "{" * 100,
    "9" * 5000,
    "\x00",
    "",
)


def absurd_header(rng: np.random.Generator, data: bytes) -> bytes:
    parts = members(data)
    name = str(rng.choice(list(parts)))
    content = rng.bytes(int(rng.integers(0, 64)))
    return packed({**parts, name: headed(str(rng.choice(HEADERS)), content)})


def same_in_another_form(rng: np.random.Generator, data: bytes) -> bytes:
    """Equal arrays, in members of other bytes."""
    parts = members(data)
    name = str(rng.choice(list(parts)))
    length = int.from_bytes(parts[name][8:10], "little")
    text, content = parts[name][10 : 10 + length].decode(), parts[name][10 + length :]
    way = int(rng.integers(4))
    if way == 0:
        return packed({**parts, name: headed(text.rstrip() + " " * int(rng.integers(99)), content)})
    if way == 1:
        return packed({**parts, name: headed(text[:-1] + 64 * " ", content)})
    if way == 2:
        return packed({**parts, name: headed(text[:-1], content, b"\x02\x00")})
    return packed({**parts, name: headed(text[:-1].replace("': ", "':"), content)})


def pickled(rng: np.random.Generator, data: bytes) -> bytes:
    parts = members(data)
    name = str(rng.choice(list(parts)))
    part = npy(np.array([1, None], object), True) if rng.random() < 0.5 else pickle.dumps([1, 2])
    return packed({**parts, name: part})


def bomb(rng: np.random.Generator, data: bytes) -> bytes:
    """Members that grow a thousandfold."""
    parts = members(data)
    name = some(rng, parts)
    count = int(rng.integers(1, 5)) * 1_000_000
    text = f"{{'descr': '<f8', 'fortran_order': False, 'shape': ({count},), }}"
    return packed({**parts, name: headed(text, bytes(8 * count))})


def crowd(rng: np.random.Generator, data: bytes) -> bytes:
    """Very many members."""
    more = {f"weights_{k}.npy": npy(np.zeros((1, 1))) for k in range(2000)}
    return packed({**members(data), **more})


def lie(rng: np.random.Generator, data: bytes) -> bytes:
    """A directory that tells of another size."""
    at = data.rfind(b"PK\x01\x02")
    at = data.find(b"PK\x01\x02", int(rng.integers(max(1, at))))
    size = struct.pack("<I", int(rng.choice([0, 1, 2**31, 2**32 - 2, 2**32 - 1])))
    offset = int(rng.choice([20, 24, 42]))
    return data[: at + offset] + size + data[at + offset + 4 :]


def flagged(rng: np.random.Generator, data: bytes) -> bytes:
    """A member that is said to be encrypted, patched, or compressed in an unknown way."""
    changed = bytearray(data)
    at = data.find(b"PK\x01\x02", int(rng.integers(max(1, data.rfind(b"PK\x01\x02")))))
    offset, value = [(8, 0x01), (8, 0x20), (8, 0x40), (10, 99), (6, 99)][int(rng.integers(5))]
    changed[at + offset] |= value
    return bytes(changed)


# ---------------------------------------------------------------- of what it is


def other_version(rng: np.random.Generator, data: bytes) -> bytes:
    """Another format, or a header of another kind."""
    parts = members(data)
    kind, version, digest = np.lib.format.read_array(io.BytesIO(parts["header.npy"]))
    headers = [
        [kind, str(rng.choice(["1", "2", "4", "999", "", "3.0", " 3", "\u0663"])), digest],
        [str(rng.choice(["reluplex_walk", "reluplex_walk region", "", "x"])), version, digest],
        [kind, version, digest[::-1]], [kind, version, ""], [kind, version], [kind],
        [[kind, version, digest]], [kind, version, digest, digest],
    ]  # fmt: skip
    found = headers[int(rng.integers(len(headers)))]
    arrays = [np.array(found)] * 5 + [np.zeros(3), np.array(kind), np.array(0), np.array([], "U1")]
    return packed({**parts, "header.npy": npy(arrays[int(rng.integers(len(arrays)))])})


def something_else(rng: np.random.Generator, data: bytes) -> bytes:
    others = [
        b"", b"PK", b"PK\x03\x04", b"PK\x05\x06" + bytes(18), b"a,b\n1,2\n", rng.bytes(300),
        npy(rng.normal(size=5)), pickle.dumps({"a": 1}), packed({}), packed({"a.txt": b"hello"}),
        packed({"a.npy": npy(rng.normal(size=5))}), b"\x1f\x8b" + rng.bytes(50), b"\x93NUMPY",
        npy(np.array([None]), True), packed({"header.npy": b""}), bytes(1000),
    ]  # fmt: skip
    return others[int(rng.integers(len(others)))]


DAMAGES: tuple[Damage, ...] = (
    *(flipped_bits, flipped_at_the_end, overwritten, cut, hole, inserted, twice),
    *(removed, renamed, swapped, added, doubled, compressed_otherwise, changed_value, other_array),
    *(absurd_header, same_in_another_form, pickled, bomb, crowd, lie, flagged),
    *(other_version, something_else),
)

__all__ = ["DAMAGES", "members", "npy", "odd_array", "packed", "some"]
