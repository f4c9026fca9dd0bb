"""The decorators of all kernels: ``numba.njit`` with a disk cache an edited callee cannot fool.

Numba keys its cache by the file of the compiled function alone, so a cached caller keeps running
the old code of a callee that lives in another file.  Here the cache folder is named by a hash of
*all* kernel sources, subfolders included: any edit or upgrade starts a fresh folder.
"""

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from numba.core import event

from ._cache import cache_folder

config: Any = numba.config

# The kernels allocate nothing, so they go without Numba's reference counts ('_nrt'): an atomic
# operation for each array looked up in a record made pricing a hundred times slower.
# No 'ninf': infinities stay meaningful.  'reassoc' and 'contract' let reductions use vector
# instructions; the result depends on the machine's vector width, not on the run.
_FASTMATH = {"nnan", "nsz", "reassoc", "contract"}


def source_hash(folder: Path = Path(__file__).parent) -> str:
    """Of the names and contents of all Python sources under `folder`."""
    sources = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.py")}
    digest = hashlib.sha256()
    for name, path in sorted(sources.items()):
        digest.update(name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


CACHE_FOLDER = str(cache_folder(source_hash(), config.CACHE_DIR))


class Announcement(event.Listener):
    """Says once, on stderr, why a first call takes its time."""

    silent = False

    def on_start(self, event: Any) -> None:
        compiled = event.data["dispatcher"].py_func.__module__
        if not self.silent and compiled.startswith(__package__):
            self.silent = True
            print(
                "reluplex_walk: compiling its kernels, once; up to a minute",
                file=sys.stderr,
                flush=True,
            )

    def on_end(self, event: Any) -> None:
        pass


ANNOUNCEMENT = Announcement()
event.register("numba:compile", ANNOUNCEMENT)


def entry(function: Callable[..., Any]) -> Any:
    """Compile `function` in nopython mode, cached in :data:`CACHE_FOLDER`, to call from Python.

    Other threads of Python run while it does.
    """
    return _compile(function, nogil=True)


def precise(function: Callable[..., Any]) -> Any:
    """Like :func:`entry`, every operation rounded as written: for arithmetic that needs it."""
    return _compile(function, nogil=True, fastmath=False)


def kernel(function: Callable[..., Any]) -> Any:
    """Like :func:`entry`, for functions that only other kernels call.

    They come without the wrappers for Python, which take half of the compile time.
    """
    return _compile(function, no_cpython_wrapper=True, no_cfunc_wrapper=True)


def inlined(function: Callable[..., Any]) -> Any:
    """Like :func:`kernel`, always inlined.

    A call hands over every array of both records, some 400 words: more than a small function does.
    """
    return _compile(function, no_cpython_wrapper=True, no_cfunc_wrapper=True, forceinline=True)


def _compile(function: Callable[..., Any], **options: Any) -> Any:
    before = config.CACHE_DIR
    options = {"fastmath": _FASTMATH, **options, "_nrt": False, "error_model": "numpy"}
    config.CACHE_DIR = CACHE_FOLDER  # read by numba while it decorates, and only then
    try:
        return numba.njit(cache=True, **options)(function)
    finally:
        config.CACHE_DIR = before
