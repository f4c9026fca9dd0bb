"""How kernels are compiled: what, how often, how large, by whom, and what users see of it."""

import io
import os
import subprocess
import sys
import time

import numpy as np
import pytest

import reluplex_walk as rw
from reluplex_walk._limits import Limits
from reluplex_walk.native import _compiling, _jit, _workers

SIZES = {
    "backprop.network_gradient": 4_300,
    "backprop.network_loss": 2_900,
    "backprop.network_products": 9_300,
    "basis.exchange": 3_000,
    "basis.flip": 3_800,
    "basis.price_far": 3_200,
    "basis.price_near": 300,
    "decimals.decimal_places": 800,
    "factorise.normals": 1_200,
    "game.balance": 1_200,
    "glass.jump": 1_900,
    "lad.descend": 3_100,
    "lad.measure": 900,
    "lad.meet": 3_000,
    "lad.move": 2_200,
    "lad.rescale": 700,
    "lad.stop": 700,
    "lad.sweep": 2_100,
    "lad_bootstrap.resample": 4_600,
    "lad_parametric.look": 3_500,
    "lad_parametric.record": 600,
    "lad_parametric.trace": 1_300,
    "lad_rounding.error_bounds": 1_000,
    "lad_rounding.judge": 1_300,
    "lad_rounding.nearest": 900,
    "lad_rounding.residual": 400,
    "lad_rounding.sides": 300,
    "lad_sizes.powers": 400,
    "lad_sparse.direct": 600,
    "lad_sparse.gradient": 300,
    "lad_sparse.meet": 300,
    "lad_sparse.move": 1_400,
    "lad_sparse.part": 300,
    "lad_sparse.peel": 1_100,
    "lad_sparse.reduced": 400,
    "lad_sparse.residuals": 300,
    "lad_sparse.settle": 500,
    "lad_sparse_interior.advance": 400,
    "lad_sparse_interior.begin": 2_100,
    "lad_sparse_interior.correct": 1_500,
    "lad_sparse_interior.predict": 1_600,
    "lad_sparse_interior.step": 1_500,
    "lad_sparse_interior.weigh": 2_000,
    "lad_sparse_sums.sums": 400,
    "nearby.evaluate": 1_100,
    "nearby.evaluate_near": 100,
    "nearby.retire": 300,
    "pivot.blocking_tie": 700,
    "pivot.depart": 2_000,
    "pivot.pivot": 1_600,
    "pivot.pivot_at_vertex": 1_400,
    "ratio.advance_all": 1_000,
    "ratio.advance_near": 600,
    "ratio.first_of_all": 700,
    "ratio.first_of_near": 1_100,
    "ratio.line_search": 6_100,
    "ratio.tangent_all": 1_700,
    "refresh.loss_and_gradient": 1_300,
    "refresh.reconcile": 1_500,
    "refresh.scales": 1_200,
    "refresh.settle": 900,
    "refresh.values": 2_000,
    "region_affine.affine": 1_700,
    "region_output.advance": 600,
    "region_output.centre": 700,
    "region_output.cross": 1_100,
    "region_output.record": 3_500,
    "region_split.split": 3_800,
    "rows.number_rows": 600,
    "subdivide.branch": 100,
    "subdivide.descend": 100,
    "subdivide.probe": 100,
    "subdivide.sift": 3_700,
    "walk.choose": 700,
    "walk.decrease": 300,
    "walk.follow": 100,
    "walk.half_edges": 3_200,
    "walk.leap": 700,
    "walk.prices": 100,
    "walk.run": 900,
}
"""LLVM instructions of each entry, rounded, on the machine on which it was written last.  Of a walk
alone there were 200,000 before records were handed over by address.
"""
ROOM = 1.5, 200
"""By how many times, and how many more, an entry may be larger: vectors differ in width."""

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
    module = entry.result.library._get_module_for_linking()
    return sum(
        sum(1 for _ in block.instructions)
        for function in module.functions
        for block in function.blocks
    )


def test_entries_stay_small(compiled):
    found = {entry.name: size for entry, size in compiled.items()}
    assert found.keys() == SIZES.keys()
    times, more = ROOM
    assert not {name: size for name, size in found.items() if size > times * SIZES[name] + more}
    assert 0.5 < sum(found.values()) / sum(SIZES.values()) < 1.25


def test_an_entry_is_compiled_for_its_signature_alone(compiled):
    for entry in compiled:
        assert list(entry.dispatcher.overloads) == [entry.signature.args], entry.name
    array = np.zeros((2, 3), np.float32)
    with pytest.raises(TypeError, match="No matching definition"):
        _jit.find("lad.measure")(array, 0, 3, np.zeros(2), np.zeros(2))


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
    workers.start(["walk.choose", "lad.stop"], "")
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
        "measure(np.array([[1.0, -3.0]]), 0, 2, sums, most)\n"
        "print(*sums, *most)"
    )
    environment = {"NUMBA_CACHE_DIR": str(tmp_path)}
    assert run(code, **environment) == ["4.0", "3.0"]
    kept = [*tmp_path.rglob("*.nbc"), *tmp_path.rglob("*.nbi")]
    assert kept
    for path in kept:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert run(code, **environment) == ["4.0", "3.0"]


@pytest.mark.parametrize(
    ("raised", "caught"),
    [
        ("KeyboardInterrupt", "KeyboardInterrupt"),
        ("SystemExit(3)", "SystemExit"),
        ("TimeoutError",) * 2,
    ],
)
def test_what_signals_raise_waits_for_the_compiler(raised, caught):
    # No exception may pass through the kernel that asks for an entry: it comes when that returns.
    code = (
        "from reluplex_walk.native import _jit\n"
        "find, calls = _jit.find, []\n"
        "def interrupted(name):\n"
        "    calls.append(name)\n"
        f"    if len(calls) in (2, 5): raise {raised}\n"
        "    return find(name)\n"
        "_jit.find = interrupted\n"
        "import reluplex_walk as rw\n"
        "net = rw.ReLUNetwork.random([1, 2, 1])\n"
        "loss = rw.LayerLoss(net, [[0.0], [1.0], [3.0]], [0.0, 1.0, 0.0])\n"
        "try:\n"
        "    rw.walk(loss)\n"
        f"except {caught}:\n"
        "    print('raised', len(calls) > 5)\n"
    )
    assert run(code) == ["raised", "True"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are not forked there")
def test_a_fork_while_a_worker_is_busy_does_not_wait_for_it():
    code = (
        "import os\n"
        "from reluplex_walk.native import _compiling, _jit, _workers\n"
        "_workers.WORKERS.busy.add('walk.choose')\n"
        "_compiling.COMPILING.__enter__()\n"
        "_jit._LOCK.acquire()\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    _jit.find('walk.choose').compile()\n"
        "    os._exit(7 if _compiling.COMPILING._running == 0 else 8)\n"
        "print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))\n"
    )
    assert run(code) == ["7"]


def test_without_the_compiler_all_is_ready():
    code = (
        "from reluplex_walk.cli.commands import main\n"
        "from reluplex_walk.native import _jit\n"
        "assert main(['warmup']) == 0\n"
        "assert all(entry.ready for entry in _jit.entries())\n"
    )
    assert run(code, NUMBA_DISABLE_JIT="1")[1:4] == ["kernels", "ready,", "0"]


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


@pytest.mark.parametrize("stderr", [None, object(), io.StringIO()])
def test_nothing_to_write_to_is_no_error(monkeypatch, stderr):
    if isinstance(stderr, io.StringIO):
        stderr.close()
    monkeypatch.setattr(sys, "stderr", stderr)
    _compiling.tell("compiling")
    _compiling.tell(None)
