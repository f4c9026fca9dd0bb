"""How an ensemble is made: all walks, then proofs of their distinct ends.

With ``proof="distinct"`` walks are made without proofs first.  Walks whose ends are vertices with
the same key (the same breakpoints vanish, all others lie on the same sides) end at one point: the
first of them is made once more with proofs, and what is proved there holds for all.  Where nothing
is proved, that walk goes on further down, or the end lies on a face, on which each walk has a point
of its own, each of them is made again.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from typing import NamedTuple

import numpy as np

from .._executors import Workers
from .._limits import Limits
from ..ended import Ended
from ..tolerances import ENSEMBLES
from .progress import EnsembleProgress
from .rows import Row, Task
from .store import Store
from .unseen import coverage

_BATCH_SECONDS = 1.0  # a task: long beside what it costs to send it, short beside the whole
_MOST = 200  # walks in a task
_ROUND = 100  # walks between two looks at `stop`, whatever the executor


Stop = float | Callable[[EnsembleProgress], bool]


class Seen(NamedTuple):
    """What is remembered of a walk, beside its row in the store."""

    key: str | None
    loss: float
    pivots: int
    rank: int
    proved: bool

    @classmethod
    def of(cls, row: Row) -> "Seen":
        """Of the walk of a row."""
        return cls(row.key, row.loss, row.pivots, row.rank, row.proved)


class Run:
    """The walks made so far, and those to be made."""

    def __init__(
        self,
        seeds: list[int],
        n_free: int,
        proof: str,
        stop: Stop | None,
        store: Store,
        workers: Workers,
    ) -> None:
        self.seeds = seeds
        self.n_free = n_free
        self.proof = proof
        self.stop = stop
        self.store = store
        self.workers = workers
        self.limits = Limits()
        self.seen: dict[int, Seen] = {}
        self.keys: set[str] = set()  # of their ends
        self.least = np.inf
        self.again: dict[int, Seen] = {}  # walks made with proofs
        self.before = 0  # walks of earlier runs
        self.n_to_prove = 0
        wanted = set(seeds)
        for row in store.rows("walks"):
            if row.seed in wanted:
                self._see(row)
        for row in store.rows("proofs"):
            if row.seed in wanted:
                self._prove_one(row)
        self.before = len(self.seen)

    def go(self, limits: Limits) -> tuple[list[int], Ended]:
        """Make all walks, up to `limits`; the seeds that were wanted, and why no more were."""
        self.limits = limits
        seeds, ended = self._walks()
        if ended is None and self.proof == "distinct":
            ended = self._prove(seeds)
        if ended is None:
            stopped = len(seeds) < len(self.seeds)
            ended = Ended.STOPPED if stopped else Ended.FINISHED
        return seeds, ended

    @property
    def progress(self) -> EnsembleProgress:
        """How far it is."""
        elapsed = self.limits.elapsed
        made = len(self.seen) - self.before
        return EnsembleProgress(
            n_walks=len(self.seen),
            n_total=len(self.seeds),
            n_minima=len(self.keys),
            loss=float(self.least),
            rate=made / elapsed if elapsed > 0.0 else 0.0,
            elapsed=elapsed,
            n_proofs=len(self.again) if self.n_to_prove else 0,
            n_to_prove=self.n_to_prove,
        )

    def _see(self, row: Row) -> None:
        self.seen[row.seed] = Seen.of(row)
        self.least = min(self.least, row.loss)
        if row.key is not None:
            self.keys.add(row.key)

    # ------------------------------------------------------------ the walks

    def _walks(self) -> tuple[list[int], Ended | None]:
        """The seeds of all walks, or of those up to a `stop`, and the limit that was over."""
        size = len(self.seeds) if self.stop is None else _ROUND
        for begin in range(0, len(self.seeds), size):
            due = [s for s in self.seeds[begin : begin + size] if s not in self.seen]
            proof = "on" if self.proof == "all" else "off"
            if (ended := self._make("walks", due, proof, self._see)) is not None:
                return self.seeds, ended
            if self._enough(self.seeds[: begin + size]):
                return self.seeds[: begin + size], None
        return self.seeds, None

    def _enough(self, seeds: list[int]) -> bool:
        """Whether `stop` is reached by the walks of these seeds, and no others."""
        if self.stop is None:
            return False
        part = [self.seen[seed] for seed in seeds]
        keys = [each.key for each in part if each.key is not None]
        _, counts = np.unique(keys, return_counts=True)
        if callable(self.stop):
            return bool(
                self.stop(
                    self.progress._replace(
                        n_walks=len(part),
                        n_minima=len(counts),
                        loss=min(each.loss for each in part),
                    )
                )
            )
        return len(keys) > 0 and 1.0 - coverage(counts) <= self.stop

    def _make(
        self, which: str, due: list[int], proof: str, see: Callable[[Row], None]
    ) -> Ended | None:
        """Make the walks of these seeds; the limit that was over before all were."""
        ended: Ended | None = self.limits.over
        while due and ended is None:
            left = set(due)
            before = {s: self.seen[s].pivots for s in due if s in self.seen}
            batches = _Batches(due, proof, before, self.workers)
            with closing(self.workers.run(batches, self.limits)) as arriving:
                for _, rows in arriving:
                    batches.took(rows)
                    self.store.add(which, rows)
                    for row in rows:
                        see(row)
                        left.discard(row.seed)
                    ended = ended or self.limits.look(0, self.progress)
                    if self.limits.called_off:
                        break
            ended = ended or (self.limits.over if left else None)
            if len(left) == len(due) and ended is None:
                raise RuntimeError(f"executor: its workers stop before the end of walk {due[0]}")
            due = sorted(left)
        self.store.flush()
        return ended

    # ------------------------------------------------------------ the proofs

    def _prove(self, seeds: list[int]) -> Ended | None:
        """Make the first walk to each end again, with proofs, and the others where it goes on."""
        groups = self._groups(seeds)
        firsts = [group[0] for group in groups]
        self.n_to_prove = len(firsts)
        due = [seed for seed in firsts if seed not in self.again]
        ended = self._make("proofs", due, "on", self._prove_one)
        if ended is not None:
            return ended
        others = [
            seed
            for first, *rest in groups
            for seed in rest
            if not holds_for(self.seen[seed], self.seen[first], self.again[first], self.n_free)
        ]
        self.n_to_prove += len(others)
        due = [seed for seed in others if seed not in self.again]
        return self._make("proofs", due, "on", self._prove_one)

    def _prove_one(self, row: Row) -> None:
        self.again[row.seed] = Seen.of(row)
        self.least = min(self.least, row.loss)

    def _groups(self, seeds: list[int]) -> list[list[int]]:
        """The seeds of walks to one end, the lowest first."""
        groups: dict[str, list[int]] = {}
        for seed in sorted(seeds):
            key = self.seen[seed].key
            if key is not None:
                groups.setdefault(key, []).append(seed)
        return list(groups.values())


def holds_for(one: Seen, first: Seen, proved: Seen, n_free: int) -> bool:
    """Whether what is proved at the end of the `first` walk to it holds for another `one`, too.

    `proved` is the first walk with proofs: it must not have gone on, and its end must be a vertex,
    which is one point, up to the rounding of floats.
    """
    vertex = proved.proved and proved.rank == n_free
    if not vertex or proved.pivots != first.pivots or one.key != first.key:
        return False
    near = ENSEMBLES.same_loss * max(abs(first.loss), abs(one.loss))
    return bool(abs(one.loss - first.loss) <= near)


class _Batches:
    """Tasks of so many walks as take about a second, by the time that the last ones took."""

    def __init__(
        self, due: list[int], proof: str, before: dict[int, int], workers: Workers
    ) -> None:
        self.due = due
        self.proof = proof
        self.before = before  # pivots of walks that were made without proofs
        self.workers = workers
        self.seconds, self.made = 0.0, 0.0

    def __iter__(self) -> Iterator[Task]:
        at = 0
        while at < len(self.due):
            count = self._count(len(self.due) - at)
            seeds = tuple(self.due[at : at + count])
            yield Task(seeds, self.proof, tuple(self.before[s] for s in seeds if s in self.before))
            at += count

    def took(self, rows: Iterable[Row]) -> None:
        """Learn from the walks of a task."""
        for row in rows:
            self.seconds, self.made = 0.9 * self.seconds + row.seconds, 0.9 * self.made + 1.0

    def _count(self, left: int) -> int:
        """How many walks the next task has; in this process one, so that none is kept waiting."""
        if self.made == 0 or self.workers.here:
            return 1
        fair = -(-left // (4 * self.workers.size))  # the last tasks are small, to end together
        wanted = _BATCH_SECONDS * self.made / max(self.seconds, 1e-9)
        return int(np.clip(wanted, 1, min(fair, _MOST)))


__all__ = ["Run", "Stop", "holds_for"]
