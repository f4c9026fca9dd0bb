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

GROUPS = {
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
    python = sys.executable and Path(sys.executable).name.lower().startswith(("python", "pypy"))
    alone = multiprocessing.parent_process() is None
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

    def start(self, names: list[str]) -> None:
        """Have these compiled, where there are processors for it, in this order."""
        if self.off:
            return
        with self.changed:
            known = {*self.queue, *self.busy, *self.done}
            self.queue += [name for name in names if name not in known]
            wanted = min(MOST, processors(), 1 + len(self.queue)) - 1 - self.running
            self.running += max(wanted, 0)
        for _ in range(wanted):
            threading.Thread(target=self._feed, daemon=True).start()

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
                self.changed.wait()

    def _feed(self) -> None:
        """Hand names to a process and hear when each is done, until none is left or it fails."""
        name = None
        try:
            with _process() as process:
                names, answers = process.stdin, process.stdout
                assert names is not None
                assert answers is not None
                while name := self._hand_over(name):
                    names.write(name + "\n")
                    names.flush()
                    if not answers.readline():
                        raise OSError
                    COMPILING.count += 1
                names.close()
        except OSError:
            pass  # this process compiles what is left
        finally:
            with self.changed:
                self.busy.discard(name)
                self.running -= 1
                self.changed.notify_all()

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
            return self.queue.pop(0)


def _process() -> "subprocess.Popen[str]":
    """A worker: it reads names and answers each, done or not, with a line."""
    code = f"import sys; sys.path[:] = {sys.path!r}\nfrom {__package__}._jit import serve; serve()"
    return subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,  # Ctrl-C is for this process
    )


WORKERS = Workers()

__all__ = ["GROUPS", "WORKERS", "Workers", "processors"]
