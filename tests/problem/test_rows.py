"""Distinct rows by hashes, against a dictionary."""

import numpy as np
import pytest

from reluplex_walk.problem import rows


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("collide", [False, True])
def test_distinct_rows(seed, collide, monkeypatch):
    if collide:  # all hashes are the same
        monkeypatch.setattr(rows, "_ODD", 0)
    rng = np.random.default_rng(seed)
    table = rng.integers(0, 3, (rng.integers(1, 40), rng.integers(1, 4))).astype(float)
    if seed % 4 == 0:
        table = rng.normal(size=table.shape)
    first, number = rows.distinct_rows(table)
    seen = {}
    for k, row in enumerate(table.tolist()):
        assert number[k] == seen.setdefault(tuple(row), len(seen))
    assert first.tolist() == [table.tolist().index(list(row)) for row in seen]


def test_no_columns():
    first, number = rows.distinct_rows(np.zeros((3, 0)))
    assert (first.tolist(), number.tolist()) == ([0], [0, 0, 0])


def test_hashes_of_integers_differ_in_the_bits_that_count():
    # Floats of small integers end in zeros: a table by their last bits would take minutes.
    first, number = rows.distinct_rows(np.arange(200_000.0)[::-1, None])
    assert len(first) == 200_000
    assert number.tolist() == list(range(200_000))
