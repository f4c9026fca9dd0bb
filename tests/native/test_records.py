"""Records, which kernels take by address: what they are made of, and how they are checked."""

import pickle
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk.native._record import Floats2, Ints1, Record
from reluplex_walk.native.lad_arrays import Fit
from reluplex_walk.native.refresh import new_state, values
from reluplex_walk.regression.design import Basis, new_fit


@dataclass(frozen=True, eq=False, init=False)
class Pair(Record):
    a: Floats2
    b: Ints1
    c: float


def test_records_are_checked_when_they_are_handed_over():
    good = np.zeros((2, 3)), np.zeros(4, np.int64), 1.5
    assert Pair(*good).address
    assert list(Pair(c=1.5, a=good[0], b=good[1])) == list(good)
    for bad in (
        np.zeros((2, 3), np.float32),
        np.zeros(3),
        np.zeros((4, 6))[::2],
        np.zeros((3, 2)).T,
    ):
        with pytest.raises(TypeError, match="expected"):
            _ = Pair(bad, *good[1:]).address
    for wrong in (good[:2], (*good, 1.0)):
        with pytest.raises(TypeError, match="expected a, b, c; found a, b"):
            Pair(*wrong)
    with pytest.raises(TypeError, match="found a, b, other"):
        Pair(*good[:2], other=1.5)


def test_rows_of_a_matrix_are_counted():
    samples = np.zeros((8, 3))
    parts = list(new_fit(Basis.free(2), np.ones(3)))
    assert Fit(*parts).address
    parts[[part.shape for part in parts].index(samples.shape)] = samples[:7]
    with pytest.raises(TypeError, match="of_samples: expected 8 rows, found 7"):
        _ = Fit(*parts).address


def test_records_may_hold_arrays_that_are_empty_or_not_to_be_written_to():
    a = np.zeros((2, 3))
    a.setflags(write=False)
    assert Pair(a, np.zeros(0, np.int64), 0.0).address


def test_records_travel_without_their_addresses():
    loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 2, 1]), [[0.0], [1.0]], [0.0, 1.0])
    state = new_state(loss.kernel)
    values(loss.kernel, state, True)
    other = pickle.loads(pickle.dumps(state))
    assert other.address != state.address
    assert all(np.array_equal(mine, its) for mine, its in zip(state, other, strict=True))


def test_kernels_take_no_other_record():
    loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 2, 1]), [[0.0], [1.0]], [0.0, 1.0])
    state = new_state(loss.kernel)
    with pytest.raises(TypeError, match=r"expected a record reluplex_walk\.native\.arrays"):
        values(state, loss.kernel, True)
    with pytest.raises(AttributeError):
        values(3, state, True)
    with pytest.raises(TypeError):
        values(SimpleNamespace(address="x"), state, True)
