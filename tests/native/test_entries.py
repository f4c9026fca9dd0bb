"""How kernels are compiled: what, how often, how large, by whom, and what users see of it."""

import os
import pickle
import subprocess
import sys
import time
from dataclasses import dataclass

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk._limits import Limits
from reluplex_walk.native import _compiling, _jit, _workers
from reluplex_walk.native._record import Floats2, Ints1, Record
from reluplex_walk.native.refresh import new_state, values

MOST_INSTRUCTIONS = 110_000
"""Of all entries together, for LLVM: 80,000 when this was written, 200,000 of a walk alone before
records were handed over by address."""
MOST_OF_AN_ENTRY = 10_000

DATA = {"decimals.decimal_places", "rows.number_rows"}
TIES = {"pivot.blocking_tie", "pivot.pivot_at_vertex", "walk.leap"}
"""What is compiled only where more breakpoints vanish than a vertex has."""

WALK = """
import reluplex_walk as rw
data = rw.datasets.load_motorcycle()
net = rw.ReLUNetwork.random([1, 8, 1], seed=20)
y = (data.y - data.y.mean()) / data.y.std()
loss = rw.LayerLoss(net, (data.X - data.X.mean()) / data.X.std(), y)
traj = rw.walk(loss, net.layer_parameters(0), seed=20)
assert traj.n_pivots > 10 and traj.certificate.is_local_minimum
from reluplex_walk.native import _jit
print(*(entry.name for entry in _jit._ENTRIES.values() if entry.ready))
"""


def run(code, **environment):
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.split()


@pytest.fixture
def silent(monkeypatch):
    """What is told of the compiler goes into a list."""
    told = []
    monkeypatch.setattr(_compiling.COMPILING, "tell", told.append)
    return told


# ---------------------------------------------------------------- what is compiled


def test_a_walk_of_adjacent_steps_needs_its_group_alone():
    ready = set(run(WALK))
    assert ready - DATA - TIES == set(_workers.GROUPS["walk"])


def test_a_fit_needs_its_group_alone():
    # Few samples: those of a larger fit are the same.
    ready = set(
        run(
            "import reluplex_walk as rw\n"
            "data = rw.datasets.load_stackloss()\n"
            "rw.lad(data.X, data.y)\n"
            "from reluplex_walk.native import _jit\n"
            "print(*(entry.name for entry in _jit._ENTRIES.values() if entry.ready))"
        )
    )
    assert ready - DATA == set(_workers.GROUPS["lad"])


def test_regions_need_their_group_alone():
    ready = set(
        run(
            "import numpy as np, reluplex_walk as rw\n"
            "X, y = np.random.default_rng(0).normal(size=(2, 6, 1))\n"
            "net = rw.ReLUNetwork.random([1, 2, 1], seed=0)\n"
            "assert len(rw.enumerate_regions(rw.LayerLoss(net, X, y))) > 10\n"
            "from reluplex_walk.native import _jit\n"
            "print(*(entry.name for entry in _jit._ENTRIES.values() if entry.ready))"
        )
    )
    assert ready - DATA == set(_workers.GROUPS["regions"])


@pytest.fixture(scope="module")
def compiled():
    """All entries, compiled or loaded, with the LLVM instructions of each."""
    entries = _jit.entries()
    for entry in entries:
        entry.compile()
    return {entry: instructions(entry) for entry in entries}


def instructions(entry):
    """In the module that is kept of an entry, with all kernels that are part of it."""
    module = entry.dispatcher.overloads[entry.signature.args].library._get_module_for_linking()
    return sum(
        sum(1 for _ in block.instructions)
        for function in module.functions
        for block in function.blocks
    )


def test_entries_stay_small(compiled):
    large = {e.name: size for e, size in compiled.items() if size > MOST_OF_AN_ENTRY}
    assert not large
    assert 10_000 < sum(compiled.values()) < MOST_INSTRUCTIONS


def test_an_entry_is_compiled_for_its_signature_alone(compiled):
    for entry in compiled:
        assert list(entry.dispatcher.overloads) == [entry.signature.args], entry.name
    array = np.zeros((2, 3), np.float32)
    with pytest.raises(TypeError, match="No matching definition"):
        _jit.find("lad.measure")(array, np.zeros(2), np.zeros(2))


def test_no_kernel_is_compiled_twice(compiled):
    """But `side_of`, for the states of walks and for those of regions."""
    twice = set()
    for name, module in list(sys.modules.items()):
        if name.startswith("reluplex_walk.native."):
            kernels = [each for each in vars(module).values() if isinstance(each, _jit.Kernel)]
            assert all(kept(each.dispatcher) for each in kernels)
            twice |= {e.function.__name__ for e in kernels if len(kept(e.dispatcher)) > 1}
    assert twice == {"side_of"}


def kept(dispatcher):
    """The signatures for which a kernel is in the cache, for this processor."""
    here = dispatcher.targetctx.codegen().magic_tuple()
    index = dispatcher._cache._cache_file._load_index()
    return [signature for signature, processor, *_ in index if processor == here]


# ---------------------------------------------------------------- by whom, and what goes wrong


def test_workers_compile_beside_this_process(tmp_path):
    code = (
        "from reluplex_walk.native import _jit, _workers\n"
        "_workers.processors = lambda: 2\n"
        "names = ['walk.choose', 'lad.stop', 'lad_sizes.powers', 'rows.number_rows']\n"
        "names += ['pivot.blocking_tie', 'lad.measure', 'lad.rescale', 'nearby.retire']\n"
        "print(_jit.warm_up([_jit.find(name) for name in names]), len(_workers.WORKERS.done))\n"
    )
    first, by_worker = map(int, run(code, NUMBA_CACHE_DIR=str(tmp_path)))
    assert first == 8
    assert by_worker > 0
    assert run(code, NUMBA_CACHE_DIR=str(tmp_path)) == ["0", "0"]  # all from the cache


def test_a_worker_that_dies_is_done_without(monkeypatch, silent):
    monkeypatch.setattr(_workers.sys, "executable", "/bin/false")
    workers = _workers.Workers()
    workers.off = False
    monkeypatch.setattr(_workers, "processors", lambda: 2)
    workers.start(["walk.choose", "lad.stop"])
    workers.wait("walk.choose")
    while workers.running:
        time.sleep(0.01)
    assert workers.take("walk.choose")
    assert workers.take("lad.stop")


def test_a_damaged_cache_is_done_without(tmp_path):
    code = (
        "import numpy as np\n"
        "from reluplex_walk.native.lad import measure\n"
        "sums, most = np.zeros((2, 1))\n"
        "measure(np.array([[1.0, -3.0]]), sums, most)\n"
        "print(*sums, *most)"
    )
    environment = {"NUMBA_CACHE_DIR": str(tmp_path)}
    assert run(code, **environment) == ["4.0", "3.0"]
    kept = [*tmp_path.rglob("*.nbc"), *tmp_path.rglob("*.nbi")]
    assert kept
    for path in kept:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert run(code, **environment) == ["4.0", "3.0"]


def test_ctrl_c_waits_for_the_compiler():
    # No exception may pass through the kernel that asks for an entry: it asks again.
    code = (
        "import time\n"
        "from reluplex_walk.native import _jit\n"
        "find, calls = _jit.find, []\n"
        "def interrupted(name):\n"
        "    calls.append(name)\n"
        "    if len(calls) == 1: raise KeyboardInterrupt\n"
        "    return find(name)\n"
        "_jit.find = interrupted\n"
        "import reluplex_walk as rw\n"
        "net = rw.ReLUNetwork.random([1, 2, 1])\n"
        "loss = rw.LayerLoss(net, [[0.0], [1.0], [3.0]], [0.0, 1.0, 0.0])\n"
        "try:\n"
        "    rw.walk(loss)\n"
        "    time.sleep(10.0)\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted', len(calls) > 5)\n"
    )
    assert run(code) == ["interrupted", "True"]


# ---------------------------------------------------------------- what users see


def test_no_clock_runs_while_kernels_are_compiled():
    limits = Limits(seconds=0.2)
    with _compiling.COMPILING:
        time.sleep(0.3)
        with _compiling.COMPILING:  # another thread may compile, too
            assert limits.over is None
    assert limits.over is None
    assert limits.elapsed < 0.2
    time.sleep(0.25)
    assert limits.over is rw.ended.Ended.TIME_LIMIT


@pytest.mark.parametrize("terminal", [True, False])
def test_one_line_on_stderr(monkeypatch, capsys, terminal):
    compiling = _compiling.Compiling()
    monkeypatch.setattr(_compiling, "COMPILING", compiling)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    for name in ("walk.run", "pivot.pivot"):
        compiling.begin(name)
        compiling.tell(None)
    told = capsys.readouterr().err
    if terminal:  # written over, and wiped out
        assert told.count("\n") == 0
        assert "walk.run (1)" in told
        assert "pivot.pivot (2)" in told
        assert told.endswith("\r\x1b[K")
    else:
        assert told == "reluplex_walk: compiling its kernels, once\n"


# ---------------------------------------------------------------- records


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
    with pytest.raises(TypeError, match="expected a, b, c; found a, b"):
        Pair(*good[:2])


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
