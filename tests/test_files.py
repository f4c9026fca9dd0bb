"""Files are read as they were written or refused in a sentence, and written whole or not at all."""

import os
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import reluplex_walk as rw
from benchmarks._damage import DAMAGES, members, npy, packed
from benchmarks.damaged import FAULTS, forged, mutations
from reluplex_walk import _memory
from reluplex_walk._errors import DamagedFileError
from reluplex_walk._files import open_archive, write_archive
from reluplex_walk._whole import whole_file
from reluplex_walk.cli.commands import main

ARRAYS = {"a": np.arange(6.0).reshape(2, 3), "word": np.array("one"), "none": np.zeros((0, 3))}


@pytest.fixture
def path(tmp_path):
    write_archive(tmp_path / "some.npz", "network", ARRAYS)
    return tmp_path / "some.npz"


def refusal(path: Path, kind: str = "network") -> str:
    with pytest.raises((ValueError, OSError)) as error:
        open_archive(path, kind)
    text = str(error.value)
    assert str(path) in text
    assert "\n" not in text
    return text


# ---------------------------------------------------------------- reading


def test_damage_is_refused(tmp_path):
    """Ten of each; `python -m benchmarks damaged` has 2,000."""
    found = list(mutations(tmp_path, 10 * len(DAMAGES), seed=7))
    assert [each for each in found if each[4][0] in FAULTS] == []
    assert {damage for _, _, damage, _, verdict in found if verdict[0] == "refused"} >= {
        damage.__name__ for damage in DAMAGES if damage.__name__ != "twice"
    }


def test_forged_files_break_nothing(tmp_path):
    """The digest is right: what is wrong is found later, or nothing is."""
    found = list(forged(tmp_path, 150, seed=7))
    assert [each for each in found if each[4][0] in FAULTS] == []
    assert Counter(each[4][0] for each in found)["refused"] > 50


def test_what_is_said_of_each(tmp_path, path):
    (tmp_path / "empty").touch()
    (tmp_path / "text").write_text("hello")
    np.save(tmp_path / "one.npy", np.zeros(3))
    np.savez(tmp_path / "other.npz", a=np.zeros(2))
    assert "no file at" in refusal(tmp_path / "missing")
    assert "the folder" in refusal(tmp_path)
    assert "which is empty" in refusal(tmp_path / "empty")
    assert "no npz archive" in refusal(tmp_path / "text")
    assert "no npz archive" in refusal(tmp_path / "one.npy")
    assert "other origin" in refusal(tmp_path / "other.npz")
    expected = "expected a reluplex_walk region file, found reluplex_walk network"
    assert expected in refusal(path, "region")
    (tmp_path / "cut.npz").write_bytes(path.read_bytes()[:-30])
    assert "damaged" in refusal(tmp_path / "cut.npz")


def test_a_header_is_not_believed(path):
    """A member that claims 1e12 numbers is refused before memory is asked for."""
    parts = members(path.read_bytes())
    for shape in ("(1000000000000,)", "(4294967296, 4294967296)"):
        head = npy(np.zeros(3))[10:]
        text = head[: head.index(b"}") + 1].replace(b"(3,)", shape.encode()) + b"\n"
        raw = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text
        path.write_bytes(packed({**parts, "a.npy": raw}))
        assert "announces" in refusal(path)


def test_pickles_are_not_read(path):
    parts = members(path.read_bytes())
    path.write_bytes(packed({**parts, "a.npy": npy(np.array([None]), allow_pickle=True)}))
    assert "a header of no array" in refusal(path)


def test_too_large_for_the_memory(path, monkeypatch):
    monkeypatch.setattr(_memory, "available", lambda: 2.0**20)
    parts = members(path.read_bytes())
    path.write_bytes(packed({**parts, "a.npy": npy(np.zeros(2**19, np.int8))}))
    assert "digest" in refusal(path)
    path.write_bytes(packed({**parts, "a.npy": npy(np.zeros(2**21, np.int8))}))
    assert "takes 0.00195 GiB of memory, and 0.000977 GiB are free" in refusal(path)


def test_read_as_written(path):
    arrays = open_archive(path, "network")
    assert list(arrays) == list(ARRAYS)
    for name, array in ARRAYS.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert (arrays[name].dtype, arrays[name].shape) == (array.dtype, array.shape)
    with np.load(path) as archive:  # by NumPy, too
        np.testing.assert_array_equal(archive["a"], ARRAYS["a"])


def test_members_are_those_that_numpy_writes(path, tmp_path):
    """Files of earlier versions, which NumPy wrote, are read."""
    with np.load(path) as archive:
        np.savez_compressed(tmp_path / "numpy.npz", **archive)
    assert members(path.read_bytes()) == members((tmp_path / "numpy.npz").read_bytes())
    open_archive(tmp_path / "numpy.npz", "network")
    fortran = np.asfortranarray(ARRAYS["a"])
    parts = members(path.read_bytes())
    path.write_bytes(packed({**parts, "a.npy": npy(fortran)}))
    np.testing.assert_array_equal(open_archive(path, "network")["a"], fortran)


def test_exit_codes(tmp_path, capsys):
    walk = tmp_path / "trajectory.npz"
    rw.walk(rw.LayerLoss(rw.ReLUNetwork.random([1, 1]), [[0.0], [1.0]], [0.0, 1.0])).save(walk)
    walk.write_bytes(walk.read_bytes()[:-40])
    for command in ("show", "verify", "resume"):
        assert main([command, str(walk)]) == 1
        out, err = capsys.readouterr()
        assert out == ""
        (line,) = err.splitlines()
        assert line.startswith("reluplex-walk: refused: ")
        assert str(walk) in line


# ---------------------------------------------------------------- writing


def test_equal_arrays_make_equal_files(path, tmp_path):
    write_archive(tmp_path / "again.npz", "network", ARRAYS)
    assert path.read_bytes() == (tmp_path / "again.npz").read_bytes()


def partial(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir() if each.name.endswith(".part")]


def test_a_write_that_fails_leaves_what_was_there(path):
    before = path.read_bytes()
    with pytest.raises(TypeError), whole_file(path) as stream:
        stream.writelines([b"half", None])
    assert path.read_bytes() == before
    assert partial(path.parent) == []


KILLED = """
import sys, time
from reluplex_walk._whole import whole_file

with whole_file(sys.argv[1]) as stream:
    stream.write(b"half")
    stream.flush()
    print("writing", flush=True)
    time.sleep(60)
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="processes are killed otherwise there")
def test_what_a_killed_writer_leaves_goes_with_the_next(path):
    root = str(Path(rw.__file__).parent.parent)
    before = path.read_bytes()
    other = path.with_name("other.npz")
    with subprocess.Popen(
        [sys.executable, "-c", KILLED, str(path)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": root},
    ) as writer:
        writer.stdout.readline()
        (left,) = partial(path.parent)
        write_archive(path, "network", ARRAYS, force=True)
        assert partial(path.parent) == [left]  # its writer lives
        writer.kill()
    assert path.read_bytes() == before
    write_archive(other, "network", ARRAYS)
    assert partial(path.parent) == [left]  # of another file
    write_archive(path, "network", ARRAYS, force=True)
    assert partial(path.parent) == []


def test_what_is_no_partial_file_stays(path):
    others = [".some.npz.notes", "some.npz.part", ".other.npz.1.part"]
    for name in others:
        path.with_name(name).touch()
    write_archive(path, "network", ARRAYS, force=True)
    assert {*others} <= {each.name for each in path.parent.iterdir()}


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no such files there")
def test_planted_files_hold_nobody_up(path):
    os.mkfifo(path.with_name(".some.npz.1.part"))
    path.with_name(".some.npz.2.part").symlink_to(path)
    before = path.read_bytes()
    write_archive(path, "network", ARRAYS, force=True)
    assert path.read_bytes() == before
    os.mkfifo(path.with_name("pipe"))
    assert "no regular file" in refusal(path.with_name("pipe"))


def test_a_link_stays_one(path):
    link = path.with_name("link.npz")
    link.symlink_to(path)
    write_archive(link, "network", {"a": np.zeros(1)}, force=True)
    assert link.is_symlink()
    assert list(open_archive(path, "network")) == ["a"]


def test_no_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no folder .*missing to write x\.npz to"):
        write_archive(tmp_path / "missing" / "x.npz", "network", ARRAYS)


def test_damaged_is_a_value_error():
    assert issubclass(DamagedFileError, ValueError)
