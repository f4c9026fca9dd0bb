"""Rows as they are handed over: what is proved of a vertex holds for all walks that end there."""

from collections.abc import Collection

from .._files import unpack
from ..proof.certificate import Certificate
from .rows import Row
from .run import Seen, holds_for
from .store import PASSES, Store


def assembled(store: Store, wanted: Collection[int], n_free: int) -> list[Row]:
    """A row for each walk with a `wanted` seed, in the order of seeds."""
    chosen = frozenset(wanted)
    first = {row.seed: row for row in store.rows("walks") if row.seed in chosen}
    again = {row.seed: row for row in store.rows("proofs") if row.seed in chosen}
    leads: dict[str, Row] = {}  # the walk of the lowest seed to each end
    rows: list[Row] = []
    for seed in sorted(first):
        row = first[seed]
        lead = row if row.key is None else leads.setdefault(row.key, row)
        proved = again.get(lead.seed)
        if proved is not None and seed != lead.seed and _holds_for(row, lead, proved, n_free):
            row = row._replace(
                status=proved.status,
                reason=proved.reason,
                key=proved.key,
                rank=proved.rank,
                theta=proved.theta,
                loss=proved.loss,
            )
        elif seed in again:
            moved = again[seed].pivots != row.pivots
            row = again[seed]._replace(figures=(again[seed] if moved else row).figures)
        rows.append(row)
    return rows


def _holds_for(row: Row, lead: Row, proved: Row, n_free: int) -> bool:
    return holds_for(Seen.of(row), Seen.of(lead), Seen.of(proved), n_free)


def certificate_of(store: Store, wanted: Collection[int], seed: int) -> Certificate | None:
    """The proof that the walk of a seed rests on; None if it has none of its own.

    That of the pass with proofs if it was made again.
    """
    for which in reversed(PASSES):
        packed = store.certificate(which, seed) if seed in wanted else None
        if packed is not None:
            return unpack(packed, "certificate", Certificate.from_arrays)
    return None


__all__ = ["assembled", "certificate_of"]
