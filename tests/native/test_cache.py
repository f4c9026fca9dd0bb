"""Compiled kernels are kept where nobody else can put any."""

import os
import stat
import tempfile
from pathlib import Path

import pytest

from reluplex_walk.native import _cache, _jit

pytestmark = pytest.mark.skipif(not hasattr(os, "getuid"), reason="folders have no modes there")


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home without a cache, and a temporary folder that everybody may write to."""
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "home").mkdir()
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp").chmod(0o1777)
    return tmp_path / "home"


@pytest.fixture
def shared(home):
    """Where a folder of this user's is sought if the home cannot be written to."""
    (home / ".cache").touch()
    return home.parent / "tmp" / f"reluplex_walk-{os.getuid()}"


def mode(folder: Path) -> int:
    return stat.S_IMODE(folder.lstat().st_mode)


def test_in_use():
    assert _jit.source_hash() in _jit.CACHE_FOLDER


def test_in_the_home(home):
    assert _cache.cache_folder("x") == home / ".cache" / "reluplex_walk" / "x"


def test_where_the_user_wants_it(home, tmp_path):
    assert _cache.cache_folder("x", str(tmp_path / "it")) == tmp_path / "it" / "reluplex_walk" / "x"


def test_in_the_temporary_folder(shared):
    assert _cache.cache_folder("x") == shared / "x"
    assert mode(shared) == 0o700
    assert _cache.cache_folder("x") == shared / "x"  # found again


def test_not_where_others_can_write(shared):
    for planted in (0o777, 0o770, 0o750, 0o755):
        shared.mkdir()
        shared.chmod(planted)
        folder = _cache.cache_folder("x")
        assert folder.parent != shared
        assert mode(folder.parent) == 0o700
        shared.rmdir()


def test_not_behind_a_link(shared, tmp_path):
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    shared.symlink_to(tmp_path / "elsewhere")
    folder = _cache.cache_folder("x")
    assert folder.parent != shared
    assert mode(folder.parent) == 0o700
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_not_in_a_file(shared):
    shared.touch()
    assert _cache.cache_folder("x").is_dir()


def test_not_in_a_folder_of_somebody_else(shared, monkeypatch):
    shared.mkdir(mode=0o700)
    me = os.getuid()
    monkeypatch.setattr(os, "getuid", lambda: me + 1)
    mine = shared.with_name(f"reluplex_walk-{me + 1}")
    shared.rename(mine)  # of the name that is sought, but not its owner
    folder = _cache.cache_folder("x")
    assert folder.parent != mine
    assert folder.parent.parent == mine.parent


def test_not_in_a_home_that_everybody_shares(home):
    (home / ".cache").mkdir()
    (home / ".cache").chmod(0o1777)
    folder = _cache.cache_folder("x")
    assert home not in folder.parents
    (home / ".cache").chmod(0o755)
    (home / ".cache" / "reluplex_walk").mkdir(exist_ok=True)
    (home / ".cache" / "reluplex_walk").chmod(0o777)
    assert home not in _cache.cache_folder("x").parents
    (home / ".cache" / "reluplex_walk").chmod(0o775)  # a group of one, as many systems have it
    assert home in _cache.cache_folder("x").parents
