"""The benchmark of studies prints every figure that it names, from few walks as from many."""

import numpy as np
import pytest

import reluplex_walk as rw

pytest.importorskip("pandas")

from benchmarks import _walks, studies
from reluplex_walk import measures


def test_tables_of_few_walks(capsys, monkeypatch):
    monkeypatch.setattr(studies, "HIDDEN", [(5, 4), (5, 4, 2)])
    studies.main(
        "--walks 7 --problems 2 --workers 0 --segments 2 --controls 1".split()  # noqa: SIM905
    )
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith("hidden 5-4: 7 walks on 2 problems")
    rows = [line.strip("| ").split(" | ") for line in out if " | " in line]
    figures = [row for row in rows if row[1] != "hidden 5-4"]
    named = [label for table in studies.TABLES.values() for label in table]
    assert [row[0] for row in figures] == named
    assert {len(row) for row in rows} == {3}
    losses = [_walks.problem("teacher", (5, 4), seed) for seed in (2000, 2001)]
    walks = [rw.walk(losses[0], seed=seed, proof="off") for seed in range(4)]
    walks += [rw.walk(losses[1], seed=seed, proof="off") for seed in range(3)]
    half = np.median([measures.decay(walk)["decay_half"] for walk in walks])
    (row,) = (row for row in figures if row[0] == "half of the decrease made at")
    assert row[1].startswith(f"{half:.3g} [")


def test_exponential_is_judged_as_the_other_estimates_are():
    traj = rw.walk(_walks.problem("teacher", (8,), 2001), seed=1, proof="off")
    found = studies.plain_exponential(traj)
    k = round(0.75 * traj.n_pivots)
    guess = studies.exponential(traj, k)
    error = abs(guess - traj.loss) / (traj.losses[k] - traj.loss)
    assert found["exponential_error_75"] == pytest.approx(error, rel=1e-12)
    assert list(found) == [f"exponential_error_{p}" for p in (25, 50, 75, 90)]
