"""Tasks on an executor: this process, processes, threads, or a cluster, all by one call.

Whatever they share (a loss, options) is sent to a worker once: a task carries its checksum, and a
worker that does not know it asks for it.  A worker that dies is replaced where the executor can do
that, and its tasks are done by another one; which worker does what decides nothing.
"""

import ctypes
import hashlib
import os
import pickle
import socket
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    wait,
)
from contextlib import ExitStack, nullcontext
from importlib.util import find_spec
from typing import Any, NamedTuple

from ._extras import need
from ._limits import Limits
from ._numbers import short
from ._threads import LOOK
from ._validate import integer
from ._version import __version__

_AHEAD = 2  # tasks that are sent to each worker, so that it need not wait for the next one
_MOST_DEATHS = 5  # one after the other, without a task done: something is wrong
_COUNTED = 2.0  # seconds for which the number of workers of a cluster is taken to be the same
_KEPT = 4  # shared values that a worker keeps, the last ones
_IDLE = 60.0  # seconds after which own processes end
_KEEP = {-1: 64 << 20, -3: 16 << 20}  # M_TRIM_THRESHOLD and M_MMAP_THRESHOLD of malloc.h, in bytes
_ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), "1"
)

Function = Callable[[Any, Any, float | None], Any]


class Workers:
    """The workers of an `executor`, for ``function(shared, task, seconds)``.

    Parameters
    ----------
    executor : None, int, Executor or dask.distributed.Client
        None: this process.  An int: so many processes of their own.
    function : callable
        Of a module; `seconds` is the time that is left (None: any).
    shared : object
        What all tasks need; it is pickled.

    Notes
    -----
    Sums of several threads of BLAS depend on their number, so that tasks are done with one.
    """

    def __init__(self, executor: Any, function: Function, shared: Any) -> None:
        self.function = function
        self.shared = shared
        self._kind = kind_of(executor)
        self._given = executor
        self._executor: Executor | None = None
        self._payload = b"" if executor is None else _pickled(shared)
        self._token = hashlib.sha256(self._payload).hexdigest()
        self.sent = 0  # tasks: the first ones go with what all share
        self._counted: tuple[Limits, int] | None = None  # workers of a cluster, and when
        self._stack = ExitStack()

    def __enter__(self) -> "Workers":
        self._stack.enter_context(one_thread(not self.here))
        self._executor = self._started()
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    @property
    def here(self) -> bool:
        """Whether tasks are done in this process, one after the other."""
        return self._kind == "here"

    @property
    def size(self) -> int:
        """How many tasks are done at a time."""
        if self.here:
            return 1
        if self._kind == "processes":
            return int(self._given)
        if self._kind == "dask":
            if self._counted is None or self._counted[0].elapsed > _COUNTED:
                self._counted = Limits(), self._threads()
            return self._counted[1]
        return int(getattr(self._given, "_max_workers", None) or os.cpu_count() or 1)

    def _threads(self) -> int:
        """Of all workers of a cluster, one at least: they may be on their way."""
        try:
            return max(1, sum(self._given.nthreads().values()))
        except Exception as error:  # whatever a client says without its scheduler
            raise RuntimeError(
                f"executor: the scheduler of the Dask client does not answer ({short(error)})"
            ) from error

    def run(self, tasks: Iterable[Any], limits: Limits) -> Generator[tuple[Any, Any], None, None]:
        """(task, result) of all `tasks`, as they are done; where `limits` are over, of some.

        RuntimeError where workers die that are not replaced; what a task raises is raised.
        """
        if self._executor is None:
            for task in tasks:
                if limits.over is not None:
                    return
                yield task, self.function(self.shared, task, limits.remaining)
            return
        flight = _Flight(self, limits)
        try:
            yield from flight.results(iter(tasks))
        finally:
            self._abandon(list(flight.running))

    def submit(self, task: Any, limits: Limits, with_shared: bool) -> "Future[Any]":
        """Send a task, and what all share if asked."""
        payload = self._payload if with_shared else None
        call = (self.function, self._token, payload, task, limits.remaining, _here())
        assert self._executor is not None
        try:
            return self._executor.submit(_call, *call)
        except BrokenExecutor:
            self.replace()
            return self._executor.submit(_call, *call)

    def replace(self) -> None:
        """After the death of a worker: others in its place."""
        if self._kind == "given":
            raise RuntimeError(
                "executor: one of its processes died, and it takes no further tasks; give their "
                "number (executor=2): processes that die are then replaced"
            )
        if self._kind == "processes":
            self._executor = self._started()

    def _started(self) -> Any:
        if self._kind == "here":
            return None
        if self._kind == "given":
            return self._given
        if self._kind == "dask":
            return self._given.get_executor(pure=False)
        return need("loky", "executor:").get_reusable_executor(
            max_workers=self.size, timeout=_IDLE, initializer=_leave_ctrl_c, env=_ONE_THREAD
        )

    def _abandon(self, running: list["Future[Any]"]) -> None:
        """Nothing that runs is wanted any more."""
        busy = [future for future in running if not future.cancel()]
        if busy and self._kind == "processes" and self._executor is not None:
            self._executor.shutdown(wait=True, kill_workers=True)  # type: ignore[call-arg]


class _Flight:
    """The tasks that were sent, and those to be sent again."""

    def __init__(self, workers: Workers, limits: Limits) -> None:
        self.workers = workers
        self.limits = limits
        self.running: dict[Future[Any], Any] = {}
        self.again: deque[Any] = deque()
        self.deaths = 0  # since a task was done

    def results(self, tasks: Iterator[Any]) -> Iterator[tuple[Any, Any]]:
        while self.limits.over is None:
            self._send(tasks)
            if not self.running:
                return
            wait(self.running, timeout=LOOK, return_when=FIRST_COMPLETED)
            yield from self._arrived()
        yield from self._arrived()

    def _arrived(self) -> Iterator[tuple[Any, Any]]:
        """What is done; tasks whose worker died or did not know enough are sent again."""
        death: BaseException | None = None
        for future in [future for future in self.running if future.done()]:
            task = self.running.pop(future)
            try:
                found = future.result()
            except (BrokenExecutor, CancelledError) as error:
                death = error
                self.again.append(task)
            except Exception as error:
                if type(error).__name__ != "KilledWorker":  # of dask, after several deaths
                    raise  # of the task
                death = error
                self.again.append(task)
            else:
                if isinstance(found, _Unknown):
                    self._submit(task, with_shared=True)
                    continue
                self.deaths = 0
                yield task, found.result
        if death is not None:
            self._replace(death)

    def _send(self, tasks: Iterator[Any]) -> None:
        """Tasks to workers, as many as they can be given."""
        size = self.workers.size
        while len(self.running) < _AHEAD * size:
            if self.again:
                task = self.again.popleft()
            else:
                try:
                    task = next(tasks)
                except StopIteration:
                    return
            self.workers.sent += 1
            self._submit(task, with_shared=self.workers.sent <= size)

    def _submit(self, task: Any, with_shared: bool) -> None:
        self.running[self.workers.submit(task, self.limits, with_shared)] = task

    def _replace(self, death: BaseException) -> None:
        """After the death of workers: others, unless they die, too."""
        self.deaths += 1
        if self.deaths > _MOST_DEATHS:
            raise RuntimeError(
                f"executor: workers die without doing a task ({short(death)}); look at their "
                "memory and their logs"
            ) from death
        self.workers.replace()


class _Process(NamedTuple):
    """A process that has tasks done, or does them."""

    machine: str
    process: int
    version: str


class _Unknown(NamedTuple):
    """The answer of a worker that does not have what the tasks share."""


class _Done(NamedTuple):
    result: Any


_SHARED: "OrderedDict[str, Any]" = OrderedDict()
_LOCK = threading.Lock()


def _call(
    function: Function,
    token: str,
    payload: bytes | None,
    task: Any,
    seconds: float | None,
    client: _Process,
) -> _Done | _Unknown:
    """A task, in a worker."""
    if client.version != __version__:
        raise RuntimeError(
            f"executor: expected workers with reluplex_walk {client.version}, as here, "
            f"found {__version__}"
        )
    with _LOCK:
        if token not in _SHARED:
            if payload is None:
                return _Unknown()
            if client != _here():  # a process of its own, for good
                one_thread(True)
                _keep_memory()
            _SHARED[token] = pickle.loads(payload)
        _SHARED.move_to_end(token)
        while len(_SHARED) > _KEPT:
            _SHARED.popitem(last=False)
        shared = _SHARED[token]
    try:
        return _Done(function(shared, task, seconds))
    except Exception as error:
        raise _sendable(error) from None


def _sendable(error: Exception) -> Exception:
    """The error, or where it cannot be sent, one that says the same."""
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:
        return RuntimeError(f"{type(error).__name__}: {error}")
    return error


def _here() -> _Process:
    return _Process(socket.gethostname(), os.getpid(), __version__)


def one_thread(needed: bool = False) -> Any:
    """From now on, or as long as it is entered, one thread of BLAS in this process.

    ImportError if that is `needed` and threadpoolctl is missing.
    """
    if not needed and find_spec("threadpoolctl") is None:
        return nullcontext()
    import numpy  # noqa: F401  # what is not loaded is not limited
    import scipy.linalg  # noqa: F401

    return need("threadpoolctl", "executor:").threadpool_limits(1, "blas")


def _keep_memory() -> None:
    """Let malloc keep some freed memory for what follows, where it is that of glibc.

    Dask has it give all back at once; arrays that come and go then cost a fault for each page.
    """
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (AttributeError, OSError, TypeError):  # another one
        return
    for name, most in _KEEP.items():
        mallopt(name, most)


def _leave_ctrl_c() -> None:
    """Ctrl-C reaches all processes of a terminal: the first one decides."""
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _pickled(shared: Any) -> bytes:
    """`shared`, with functions of notebooks and scripts where cloudpickle is there."""
    try:
        from cloudpickle import dumps
    except ImportError:
        return pickle.dumps(shared)
    return bytes(dumps(shared))


def kind_of(executor: Any) -> str:
    """``here``, ``processes``, ``given`` or ``dask``.

    TypeError or ValueError if it is none of them, ImportError if what it needs is missing.
    """
    if executor is None:
        return "here"
    if isinstance(executor, Executor):
        return "given"
    if hasattr(executor, "get_executor") and hasattr(executor, "nthreads"):
        return "dask"
    expected = "None, a number of processes, a concurrent.futures.Executor or a dask Client"
    try:
        integer("executor", executor, 1)
    except TypeError:
        raise TypeError(f"executor: expected {expected}, found {short(executor)}") from None
    need("loky", "executor:")
    return "processes"


__all__ = ["Workers", "kind_of", "one_thread"]
