"""What is not installed: one error for all, which says what to install."""

import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

import reluplex_walk as rw
from tests.problems.ensembles import LOSS


@pytest.mark.parametrize(
    ("module", "call", "message"),
    [
        ("loky", lambda _: rw.ensemble(LOSS, 2, executor=1), "executor: needs loky"),
        (
            "threadpoolctl",
            lambda _: rw.ensemble(LOSS, 2, executor=ThreadPoolExecutor(1)),
            "executor: needs threadpoolctl",
        ),
        ("filelock", lambda folder: rw.ensemble(LOSS, 2, out=folder), "out: needs filelock"),
        ("pyarrow", lambda folder: rw.ensemble(LOSS, 2, out=folder), "out: needs pyarrow"),
        ("pandas", lambda _: rw.measures.statistics({"x": [1.0]}), "statistics: needs pandas"),
    ],
)
def test_says_what_to_install(monkeypatch, tmp_path, module, call, message):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError) as error:
        call(tmp_path)
    assert str(error.value).startswith(f"{message}; install it: pip install ")
    assert "[ensemble]" in str(error.value)


def test_this_process_alone_needs_none(monkeypatch):
    for module in ("loky", "threadpoolctl", "filelock", "pyarrow"):
        monkeypatch.setitem(sys.modules, module, None)
    assert len(rw.ensemble(LOSS, 2)) == 2
