"""Where compiled kernels are kept: in a folder that nobody else can write to.

They are pickles, and reading one runs what it says: a folder that others may have filled is none.
"""

import atexit
import os
import shutil
import stat
import sys
import tempfile
from contextlib import suppress
from pathlib import Path


def cache_folder(name: str, chosen: str = "") -> Path:
    """A folder of this `name` for this user, below the one `chosen` or that for caches.

    Where that cannot be written to, or belongs to somebody else, one in the temporary folder.
    """
    base = Path(chosen) if chosen else _base()
    folder = base / "reluplex_walk" / name
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        if not chosen and not (_ours(base) and _ours(folder.parent)):
            raise PermissionError
        folder.mkdir(exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError:
        folder = _private() / name
        folder.mkdir(exist_ok=True)
    return folder


def _base() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home()))
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")


def _ours(folder: Path) -> bool:
    """Whether a folder belongs to this user or to root, and not everybody may write to it."""
    if not hasattr(os, "getuid"):
        return True
    found = folder.stat()
    return found.st_uid in (os.getuid(), 0) and not found.st_mode & stat.S_IWOTH


def _private() -> Path:
    """A folder in the temporary one, where everybody may have made one before."""
    if not hasattr(os, "getuid"):  # Windows: the temporary folder is the user's own
        folder = Path(tempfile.gettempdir(), "reluplex_walk")
        folder.mkdir(exist_ok=True)
        return folder
    folder = Path(tempfile.gettempdir(), f"reluplex_walk-{os.getuid()}")
    with suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()  # of a link: of the link
    others = found.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
    if stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not others:
        return folder
    folder = Path(tempfile.mkdtemp(prefix="reluplex_walk-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)  # nobody would find it again
    return folder


__all__ = ["cache_folder"]
