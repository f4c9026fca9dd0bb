"""How kernels are compiled: entries on their own, small kernels as part of each that calls them.

An *entry* has a signature and is compiled when it is first called, from Python or from another
entry, which calls it by its address: neither contains the other, so each is compiled, optimised
and stored once.  A *kernel* has neither signature nor code of its own; it becomes a part of every
entry that calls it.

Numba keys its cache by the file of the compiled function alone, so a cached caller would keep
running the old code of a callee that lives in another file.  Here the cache folder is named by a
hash of *all* kernel sources, subfolders included: any edit or upgrade starts a fresh folder.
"""

import ctypes
import hashlib
import os
import pkgutil
import sys
import threading
import traceback
from collections.abc import Callable
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any

import llvmlite.binding
import numba
from llvmlite import ir
from numba.core import cgutils, event, types
from numba.core.imputils import lower_constant
from numba.extending import models, register_model, typeof_impl

from ._cache import cache_folder
from ._collector import paused
from ._compiling import COMPILING
from ._workers import CACHE, GROUPS, WORKERS

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


def _folder_name() -> str:
    """Numba's own key does not know how far code is optimised."""
    return source_hash() + ("" if int(config.OPT) == 3 else f"-O{int(config.OPT)}")


CACHE_FOLDER = os.environ.get(CACHE) or str(cache_folder(_folder_name(), config.CACHE_DIR))


def kernel(function: Callable[..., Any]) -> Any:
    """Compile `function` as a part of each entry that calls it."""
    return Kernel(function, fastmath=_FASTMATH)


def inlined(function: Callable[..., Any]) -> Any:
    """Like :func:`kernel`, for the innermost loops: no call is made, whatever LLVM thinks of it."""
    return Kernel(function, fastmath=_FASTMATH, forceinline=True)


def exact_kernel(function: Callable[..., Any]) -> Any:
    """Like :func:`kernel`, every operation rounded as written."""
    return Kernel(function, fastmath=False)


def entry(returns: Any, *takes: Any, precise: bool = False) -> Callable[..., Any]:
    """Decorator: compile a function on its own, for these Numba types, when it is first called.

    `precise`: every operation is rounded as written.  Other threads of Python run while it does.
    """

    def decorate(function: Callable[..., Any]) -> "Entry":
        return Entry(function, returns(*takes), precise)

    return decorate


class Kernel:
    """A function compiled as a part of others: see :func:`kernel`.

    To Numba it is a dispatcher, made when the first entry that calls it has to be compiled.
    """

    def __init__(self, function: Callable[..., Any], **options: Any) -> None:
        self.function = function
        self.options = {**options, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}

    def __call__(self, *arguments: Any) -> Any:  # where NUMBA_DISABLE_JIT is set, and in tests
        return self.function(*arguments)

    @cached_property
    def dispatcher(self) -> Any:
        """Numba's."""
        return _njit(self.function, **self.options)


class Entry:
    """A function compiled on its own: see :func:`entry`."""

    def __init__(self, function: Callable[..., Any], signature: Any, precise: bool) -> None:
        self.name = f"{function.__module__.rpartition('.')[2]}.{function.__name__}"
        self.signature = signature
        self.function = function
        self.options = {"nogil": True, "fastmath": False if precise else _FASTMATH}
        self.ready = bool(config.DISABLE_JIT)  # compiled, or loaded
        self._call = function if self.ready else self._first_call
        self.__doc__ = function.__doc__
        _ENTRIES[function] = self

    def __call__(self, *arguments: Any) -> Any:
        result = self._call(*arguments)
        if _HELD and threading.current_thread() is threading.main_thread():
            raise _HELD.pop()
        return result

    def _first_call(self, *arguments: Any) -> Any:
        self.compile()
        return self._call(*arguments)

    @cached_property
    def dispatcher(self) -> Any:
        """Numba's."""
        return _njit(self.function, **self.options)

    @property
    def result(self) -> Any:
        """What Numba made of it, once it is compiled."""
        return self.dispatcher.overloads[self.signature.args]

    @property
    def address(self) -> int:
        """For C, once it is compiled."""
        made = self.result
        return made.library.get_pointer_to_function(made.fndesc.llvm_cfunc_wrapper_name)

    def compile(self) -> None:
        """Compile, or load from the cache, where that was not done."""
        if self.ready:
            return
        try:
            with COMPILING, _LOCK, paused():
                if not self.ready:
                    self._wait_for_workers()
                    self._compile()
        except KeyboardInterrupt:
            WORKERS.stop()
            raise

    def _compile(self) -> None:
        try:
            self.dispatcher.compile(self.signature)
        except Exception as error:
            if not _of_cache(error):
                raise
            # A full disk, or a damaged cache: without one.
            if self.signature.args not in self.dispatcher.overloads:
                self.dispatcher = _njit(self.function, cache=False, **self.options)
                self.dispatcher.compile(self.signature)
        self.dispatcher.disable_compile()
        # Numba takes 2 us to see the type of a record, which looks at it itself.
        arrays = any(isinstance(taken, types.Array) for taken in self.signature.args)
        self._call = self.dispatcher if arrays else self.result.entry_point
        self.ready = True

    def _wait_for_workers(self) -> None:
        """While one of them compiles this, compile others that will be needed."""
        while not WORKERS.take(self.name):
            other = WORKERS.next()
            if other is None:
                WORKERS.wait(self.name)
            else:
                find(other).compile()


_ENTRIES: dict[Any, Entry] = {}  # by their functions
_LOCK = threading.RLock()  # one thread compiles at a time
_HELD: list[BaseException] = []  # until the entry that Python called returns: see `_find`


def _of_cache(error: BaseException) -> bool:
    """Whether it was raised while Numba read or wrote its cache."""
    frames = traceback.walk_tb(error.__traceback__)
    return any(frame.f_globals.get("__name__") == "numba.core.caching" for frame, _ in frames)


def _after_fork() -> None:
    """In a child, which has no other thread than that which forked."""
    global _LOCK
    _LOCK = threading.RLock()
    WORKERS.__init__()  # type: ignore[misc]
    WORKERS.off = True
    COMPILING.__init__()  # type: ignore[misc]


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class _Listener(event.Listener):
    """Hears of entries that the cache lacks: tells the user, and starts workers on their group.

    Or on the rest of a `plan`, if there is one.
    """

    def __init__(self) -> None:
        self.plan: list[str] = []

    def on_start(self, event: Any) -> None:
        entry = _ENTRIES.get(event.data["dispatcher"].py_func)
        if entry is not None:
            COMPILING.begin(entry.name)
            groups = [self.plan] if self.plan else GROUPS.values()
            for group in groups:
                if entry.name in group:
                    others = [name for name in group if name != entry.name]
                    WORKERS.start([each for each in others if not find(each).ready], CACHE_FOLDER)

    def on_end(self, event: Any) -> None:
        if event.data["dispatcher"].py_func in _ENTRIES:
            COMPILING.tell(None)


_LISTENER = _Listener()
event.register("numba:compile", _LISTENER)


def find(name: str) -> Entry:
    """The entry with this name, as ``walk.run``."""
    module, _, function = name.rpartition(".")
    return getattr(import_module(f"{__package__}.{module}"), function)


def entries() -> list[Entry]:
    """All of them, those of groups first."""
    for module in pkgutil.iter_modules([str(Path(__file__).parent)]):
        import_module(f"{__package__}.{module.name}")
    grouped = [find(name) for group in GROUPS.values() for name in group]
    return list(dict.fromkeys([*grouped, *_ENTRIES.values()]))


def warm_up(wanted: list[Entry], stop: Callable[[], bool] = lambda: False) -> int:
    """Compile those that the cache lacks, load the others; how many were compiled.

    Between two of them `stop` is asked whether to go on.
    """
    before = COMPILING.count
    with _LOCK:
        _LISTENER.plan = [entry.name for entry in wanted]
        try:
            for entry in wanted:
                if stop():
                    WORKERS.stop()
                    break
                entry.compile()
            else:
                WORKERS.join()
        finally:
            _LISTENER.plan = []
    return COMPILING.count - before


def serve() -> None:
    """Compile the entries named on stdin, as one of the processes of :mod:`._workers`."""
    WORKERS.off, COMPILING.tell = True, lambda text: None
    for line in sys.stdin:
        find(line.strip()).compile()
        print(line, end="", flush=True)


def _njit(function: Callable[..., Any], **options: Any) -> Any:
    before = config.CACHE_DIR
    options = {"cache": True, **options, "_nrt": False, "error_model": "numpy"}
    config.CACHE_DIR = CACHE_FOLDER  # read by numba while it decorates, and only then
    try:
        return numba.njit(**options)(function)
    finally:
        config.CACHE_DIR = before


# ---------------------------------------------------------------- calls of entries in kernels


class EntryType(types.ExternalFunctionPointer):
    """Numba's type of an entry that a kernel calls: a pointer found at the first call."""

    def __init__(self, entry: Entry) -> None:
        self.entry_name = entry.name
        super().__init__(entry.signature, get_pointer=None)  # type: ignore[arg-type]

    @property
    def key(self) -> Any:
        return self.entry_name


register_model(EntryType)(models.ExternalFuncPointerModel)


@typeof_impl.register(Entry)
def _typeof_entry(entry, c):
    return EntryType(entry)


@typeof_impl.register(Kernel)
def _typeof_kernel(kernel, c):
    return types.Dispatcher(kernel.dispatcher)


_FIND = "reluplex_walk_entry"
_WORD, _TEXT = ir.IntType(64), ir.IntType(8).as_pointer()


@ctypes.CFUNCTYPE(None, ctypes.c_char_p, ctypes.c_void_p)
def _find(name: bytes, place: int) -> None:
    """Put the address of an entry where a kernel that is about to call it asks for that.

    The kernel cannot go on without it, nor can an exception pass through it: those of signals, as
    of Ctrl-C, are held back until the entry that Python called returns.
    """
    failed = False
    while True:
        try:
            found = find(name.decode())
            found.compile()
            ctypes.c_size_t.from_address(place).value = found.address
            return
        except BaseException as error:
            if failed and isinstance(error, Exception):  # not of a signal: it would fail for ever
                traceback.print_exc()
                os.abort()
            failed = isinstance(error, Exception)
            _HELD.append(error)


llvmlite.binding.add_symbol(_FIND, ctypes.cast(_find, ctypes.c_void_p).value)


@lower_constant(EntryType)
def _address(context, builder, entry_type, entry):
    """Code for: the address kept in a variable of the caller, which asks for it while it is 0."""
    name = f"{_FIND}.{entry.name}"
    kept = builder.module.globals.get(name)
    if kept is None:
        kept = cgutils.add_global_variable(builder.module, _WORD, name)
        kept.linkage, kept.initializer = "internal", ir.Constant(_WORD, 0)
    signature = ir.FunctionType(ir.VoidType(), [_TEXT, _WORD.as_pointer()])
    find_it = cgutils.get_or_insert_function(builder.module, signature, _FIND)
    ask, known = (builder.append_basic_block(part) for part in ("ask", "known"))

    def branch():
        builder.cbranch(cgutils.is_null(builder, builder.load(kept)), ask, known)

    branch()
    with builder.goto_block(ask):
        builder.call(find_it, [context.insert_const_string(builder.module, entry.name), kept])
        branch()
    builder.position_at_end(known)
    return builder.inttoptr(builder.load(kept), context.get_function_pointer_type(entry_type))


__all__ = [
    "CACHE_FOLDER",
    "Entry",
    "entries",
    "entry",
    "exact_kernel",
    "find",
    "inlined",
    "kernel",
    "source_hash",
    "warm_up",
]
