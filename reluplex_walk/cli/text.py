"""The text of a table: from a file or stdin, unpacked and decoded, or why it cannot be read."""

from __future__ import annotations

import codecs
import gzip
import sys
import zlib
from pathlib import Path

PARQUET = b"PAR1"

_BOMS = (  # the longer ones first: UTF-32 begins as UTF-16 does
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
    (codecs.BOM_UTF8, "utf-8-sig"),
)
_NO_TEXT = (
    (b"PK\x03\x04", "a zip archive or an Excel workbook: unpack it, or save the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0", "an Excel workbook: save the sheet as CSV"),
    (b"BZh", "packed with bzip2: unpack it first"),
    (b"\xfd7zXZ", "packed with xz: unpack it first"),
    (b"\x28\xb5\x2f\xfd", "packed with zstd: unpack it first"),
    (b"\x89HDF", "an HDF5 file: save the table as CSV or Parquet"),
    (b"%PDF", "a PDF file: save the table as CSV"),
)


def title(source: str) -> str:
    """What the table is called in messages."""
    return "stdin" if source == "-" else source


def stem(source: str) -> str:
    """The name of the table without folder and endings."""
    name = Path(title(source)).name
    return Path(name.removesuffix(".gz")).stem or name


def read_bytes(source: str) -> bytes:
    """The content of the file `source`, of stdin for ``-``; unpacked, if it is packed with gzip."""
    if source == "-":
        data = sys.stdin.buffer.read()
    else:
        try:
            data = Path(source).read_bytes()
        except FileNotFoundError:
            raise FileNotFoundError(f"no file at {source}") from None
        except OSError as error:
            raise ValueError(f"cannot read {source}: {error.strerror or error}") from None
    if not data.startswith(b"\x1f\x8b"):
        return data
    try:
        return gzip.decompress(data)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{title(source)} is a damaged gzip file ({error})") from None


def decode(data: bytes, encoding: str | None, where: str) -> str:
    """`data` as text, by the `encoding`, that of its byte order mark, or UTF-8."""
    for magic, what in _NO_TEXT:
        if data.startswith(magic):
            raise ValueError(f"{where} is no CSV file but {what}")
    codec = encoding or next((name for bom, name in _BOMS if data.startswith(bom)), "utf-8")
    try:
        text = data.decode(codec)
    except LookupError:
        raise ValueError(
            f"--encoding: expected one such as utf-8, latin-1, cp1252 or utf-16, found {codec!r}"
        ) from None
    except UnicodeError as error:
        raise ValueError(f"{where} is not {codec}: {_suspect(data, error, codec)}") from None
    odd = next((c for c in text if c < " " and c not in "\t\n\r\f\v"), None)
    if odd == "\0" and (other := _wide(data)):
        raise ValueError(f"{where} seems to be {other}: --encoding {other}")
    if odd is not None:
        line = text[: text.index(odd)].count("\n") + 1
        raise ValueError(
            f"{where} is no text: it holds the control character {odd!r} in line {line}; "
            "save the table as CSV, or give its --encoding"
        )
    return text.removeprefix("\ufeff")


def _suspect(data: bytes, error: UnicodeError, codec: str) -> str:
    """Where decoding failed, and the encoding it seems to be instead."""
    if other := _wide(data):
        return f"it seems to be {other}: --encoding {other}"
    at = error.start if isinstance(error, UnicodeDecodeError) else 0
    line = data[:at].count(b"\n") + 1
    found = f"line {line} holds the byte 0x{data[at]:02x}" if data else "it is empty"
    if codec not in ("utf-8", "utf-8-sig"):
        return f"{found}; try without --encoding {codec}, or another"
    if any(0x80 <= byte < 0xA0 for byte in data):
        return f"{found}; it seems to be Windows text: --encoding cp1252"
    return f"{found}; it seems to be latin-1: --encoding latin-1"


def _wide(data: bytes) -> str | None:
    """UTF-16 without a byte order mark is seen by its zeros: every second byte, mostly."""
    sample = data[:4000]
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    if max(even, odd) < len(sample) // 5:
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


__all__ = ["PARQUET", "decode", "read_bytes", "stem", "title"]
