"""What was sent to another process: arrays stay read-only, and kernels are those compiled here."""

import pickle
import sys

import joblib
import numpy as np
from numba.core import types
from numba.core.dispatcher import Dispatcher

import reluplex_walk as rw

from .test_border import LOSS, NET, THETA, U, V, X, Y


def test_what_is_read_only_stays_so():
    data = rw.datasets.load_engel()
    for made in (pickle.loads(pickle.dumps((data, LOSS))), (data, LOSS)):
        arrays = [made[0].X, made[0].y, made[1].X, made[1].y, made[1].sample_weight]
        for array in (*arrays, *made[1].network.weights, *made[1].network.biases):
            assert not array.flags.writeable
    assert type(pickle.loads(pickle.dumps(data))) is type(data)


def test_kernels_are_not_compiled_for_mapped_arrays(tmp_path):
    """As joblib hands over the arguments of its workers."""

    def mapped(value):
        joblib.dump(value, tmp_path / "value")
        return joblib.load(tmp_path / "value", mmap_mode="r")

    walk = rw.walk(LOSS, max_pivots=3)
    for loss in (mapped(rw.LayerLoss(NET, X, Y)), mapped(LOSS)):
        assert isinstance(loss.X, np.memmap)
        again = rw.walk(loss, max_pivots=3)
        assert (again.vertices == walk.vertices).all()
        assert len(rw.slice(loss, THETA, U, V)) == len(rw.slice(LOSS, THETA, U, V))
    further = rw.walk(LOSS, resume=walk, max_pivots=9)
    assert (rw.walk(LOSS, resume=mapped(walk), max_pivots=9).vertices == further.vertices).all()
    assert mapped(rw.lad(X, Y)).certificate.is_local_minimum
    data = rw.datasets.load_stackloss()  # its arrays are read-only
    weights = np.arange(1.0, 22.0)
    weights.flags.writeable = False
    assert rw.lad(data.X, data.y, sample_weight=weights).certificate.is_local_minimum
    rw.quantile_path(data.X, data.y, [0.2, 0.5, 0.9], sample_weight=weights)
    assert not list(kernels_for_read_only_arrays())


def kernels_for_read_only_arrays():
    for name, module in list(sys.modules.items()):
        if name.startswith("reluplex_walk.native"):
            for function in vars(module).values():
                if isinstance(function, Dispatcher):
                    for signature in function.signatures:
                        if any(not array.mutable for array in arrays_of(signature)):
                            yield function.__name__


def arrays_of(kinds):
    for kind in kinds:
        if isinstance(kind, types.Array):
            yield kind
        else:
            yield from arrays_of(getattr(kind, "types", ()))
