"""Versioned npz archives: the files networks, trajectories and certificates are kept in."""

import hashlib
import os
import tempfile
import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

FORMAT = 3
"""Version of the file format; a file of another one is refused."""


def write_archive(path: str | Path, kind: str, arrays: dict[str, Any], force: bool = False) -> None:
    """Write `arrays` to `path` as an archive of `kind`, all or nothing.

    Raises FileExistsError if `path` exists and `force` is not set.
    """
    target = Path(path)
    if target.exists() and not force:
        raise FileExistsError(f"path: {target} exists; give force=True to overwrite it")
    header = np.array([f"reluplex_walk {kind}", str(FORMAT), _digest(arrays)])
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.", suffix=".part")
    try:
        with os.fdopen(handle, "wb") as stream:
            np.savez_compressed(stream, **{"header": header, **arrays})
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(name, 0o666 & ~umask)
        os.replace(name, target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def open_archive(path: str | Path, kind: str) -> dict[str, NDArray]:
    """Arrays of the archive of `kind` at `path`.

    Raises FileNotFoundError, or ValueError if it is not such an archive, damaged or of another
    version.
    """
    source = Path(path)
    try:
        with open(source, "rb") as stream, np.load(stream, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except FileNotFoundError:
        raise FileNotFoundError(f"path: no file at {source}") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error, AttributeError) as error:
        raise ValueError(
            f"path: expected a reluplex_walk {kind} file, found {source} ({error})"
        ) from None
    header = [str(word) for word in arrays.pop("header", np.array([])).ravel()]
    if len(header) < 2 or header[0] != f"reluplex_walk {kind}":
        found = header[0] if header else "an npz file of other origin"
        raise ValueError(f"path: expected a reluplex_walk {kind} file, found {found} at {source}")
    if header[1] != str(FORMAT):
        raise ValueError(
            f"path: expected file format {FORMAT}, found format {header[1]} at {source}"
        )
    if header[2:] != [_digest(arrays)]:
        raise ValueError(f"path: {source} was changed after it was written (its digest differs)")
    return arrays


def _digest(arrays: dict[str, Any]) -> str:
    """SHA-256 of all members of a file: names, kinds, shapes and contents."""
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name])
        digest.update(f"{name}{array.dtype.str}{np.shape(arrays[name])}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
