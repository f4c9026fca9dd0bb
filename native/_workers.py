"""Processes that compile entries into the cache, side by side with this one.

The first entry of a group that the cache lacks starts them on the rest of the group.  An entry that
is needed while a worker compiles it is waited for, and its time spent on another one of the group.
"""

import multiprocessing
import os
import subprocess
import sys
import threading
from pathlib import Path

from ._compiling import COMPILING

MOST = 4  # processes that compile at once, this one among them
CACHE = "_RELUPLEX_WALK_KERNELS"  # variable that names the cache folder to workers

GROUPS = {
    "data": ("decimals.decimal_places", "rows.number_rows"),
    "ties": ("pivot.blocking_tie", "pivot.pivot_at_vertex", "walk.leap"),
    "walk": (  # what a walk of adjacent steps calls, the dearest first
        "basis.price_far",
        "basis.exchange",
        "basis.flip",
        "pivot.depart",
        "pivot.pivot",
        "refresh.scales",
        "walk.run",
        "refresh.reconcile",
        "walk.half_edges",
        "refresh.settle",
        "factorise.normals",
        "basis.price_near",
        "walk.choose",
        "ratio.advance_all",
        "ratio.first_of_all",
        "ratio.tangent_all",
        "refresh.loss_and_gradient",
        "refresh.values",
    ),
    "trace": (  # beside those of a fit
        "lad_parametric.trace",
        "lad_parametric.look",
        "lad_parametric.record",
    ),
    "lad": (
        "lad.move",
        "lad.sweep",
        "lad.meet",
        "lad.descend",
        "lad_rounding.judge",
        "lad_rounding.nearest",
        "lad.stop",
        "lad_rounding.error_bounds",
        "lad_rounding.sides",
        "lad_rounding.residual",
        "lad.rescale",
        "lad_sizes.powers",
        "lad.measure",
    ),
    "bootstrap": ("lad_bootstrap.resample",),
    "sparse": (
        "lad_sparse_interior.weigh",
        "lad_sparse.move",
        "lad_sparse.peel",
        "lad_sparse.direct",
        "lad_sparse_interior.begin",
        "lad_sparse.settle",
        "lad_sparse_interior.step",
        "lad_sparse_interior.predict",
        "lad_sparse.reduced",
        "lad_sparse_interior.advance",
        "lad_sparse_interior.correct",
        "lad_sparse.residuals",
        "lad_sparse.meet",
        "lad_sparse.part",
        "lad_sparse_sums.sums",
        "lad_sparse.gradient",
    ),
    "regions": (
        "region_split.split",
        "region_output.record",
        "subdivide.sift",
        "region_output.cross",
        "region_output.advance",
        "region_affine.affine",
        "region_output.centre",
        "subdivide.descend",
        "subdivide.branch",
        "subdivide.probe",
    ),
}
"""Entries that are needed together, each by its module and name; tests compare."""


def processors() -> int:
    """How many this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def useful() -> bool:
    """Whether there is a Python to start, and this is not itself a worker of some pool."""
    python = sys.executable and Path(sys.executable).name.lower().startswith("python")
    alone = multiprocessing.parent_process() is None and "PYTEST_XDIST_WORKER" not in os.environ
    return bool(python) and alone and not getattr(sys, "frozen", False)


class Workers:
    """The queue of entries to be compiled, and the threads that hand them to processes."""

    def __init__(self) -> None:
        self.queue: list[str] = []
        self.busy: set[str] = set()
        self.done: set[str] = set()
        self.changed = threading.Condition()
        self.running = 0
        self.off = not useful()

    def start(self, names: list[str], cache: str) -> None:
        """Have these compiled into the folder `cache`, in this order, if processors are free."""
        if self.off:
            return
        with self.changed:
            known = {*self.queue, *self.busy, *self.done}
            self.queue += [name for name in names if name not in known]
            wanted = min(MOST, processors(), 1 + len(self.queue)) - 1 - self.running
            self.running += max(wanted, 0)
        for left in range(wanted, 0, -1):
            try:
                threading.Thread(target=self._feed, args=[cache], daemon=True).start()
            except RuntimeError:  # no more threads: this process compiles what is left
                with self.changed:
                    self.running -= left
                break

    def stop(self) -> None:
        """Hand nothing more over."""
        with self.changed:
            self.queue.clear()

    def next(self) -> str | None:
        """Take the first of the queue."""
        with self.changed:
            return self.queue.pop(0) if self.queue else None

    def take(self, name: str) -> bool:
        """Take `name` off the queue; False if a worker has it now."""
        with self.changed:
            if name in self.queue:
                self.queue.remove(name)
            return name not in self.busy

    def wait(self, name: str) -> None:
        """Until no worker has `name` any more."""
        with self.changed:
            while name in self.busy:
                self.changed.wait(0.1)  # where a wait without end would not hear of Ctrl-C

    def join(self) -> None:
        """Until all workers have ended."""
        with self.changed:
            while self.running:
                self.changed.wait(0.1)

    def _feed(self, cache: str) -> None:
        """Hand names to a process and hear when each is done, until none is left or it fails."""
        name = None
        try:
            with _process(cache) as process:
                names, answers = process.stdin, process.stdout
                assert names is not None
                assert answers is not None
                while name := self._hand_over(name):
                    names.write(name + "\n")
                    names.flush()
                    while (answer := answers.readline()).strip() != name:
                        if not answer:
                            raise OSError
                names.close()
        except OSError:
            pass  # this process compiles what is left
        finally:
            with self.changed:
                self.busy.discard(name)
                self.running -= 1
                self.changed.notify_all()
            COMPILING.tell(None)

    def _hand_over(self, done: str | None) -> str | None:
        """The next of the queue for a worker that has `done` one."""
        with self.changed:
            if done:
                self.busy.remove(done)
                self.done.add(done)
                self.changed.notify_all()
            if not self.queue:
                return None
            self.busy.add(self.queue[0])
            COMPILING.begin(self.queue[0])
            return self.queue.pop(0)


def _process(cache: str) -> "subprocess.Popen[str]":
    """A worker: it reads names and answers each, done or not, by repeating it."""
    code = f"import sys; sys.path[:] = {sys.path!r}\nfrom {__package__}._jit import serve; serve()"
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, CACHE: cache},
        # Ctrl-C is for this process alone.
        start_new_session=True,
        creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)
        | getattr(subprocess, "CREATE_NO_WINDOW", 0),
    )


WORKERS = Workers()

__all__ = ["CACHE", "GROUPS", "WORKERS", "Workers", "processors"]
