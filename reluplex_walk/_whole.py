"""Files written as a whole or not at all; what a killed writer left behind goes with the next one.

The new content grows in a hidden file beside the target, which it replaces in one step.  The writer
holds a lock on it while it lives: one that can be locked has lost its writer.
"""

import glob
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

try:
    import fcntl
except ImportError:  # Windows, where open files cannot be removed and need no lock
    fcntl = None  # type: ignore[assignment]

_NO_LINK = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


@contextmanager
def whole_file(path: str | Path) -> Iterator[IO[bytes]]:
    """A binary stream whose content replaces `path` at the end of the block, unless that raises.

    Raises FileNotFoundError if there is no such folder.
    """
    target = Path(os.path.realpath(path))  # a link stays one
    check_folder(target)
    remove_partial(target)
    with _partial(target) as stream:
        try:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
            if fcntl is None:
                stream.close()  # Windows replaces by closed files only
            os.replace(stream.name, target)
        except BaseException:
            stream.close()
            Path(stream.name).unlink(missing_ok=True)
            raise


def new_path(path: Any) -> Path:
    """Where a file is to be written, which has a name and lies in a folder that there is.

    Raises TypeError, ValueError or FileNotFoundError.
    """
    from ._numbers import short  # it takes NumPy, which the command line's help does without

    if not isinstance(path, str | os.PathLike):
        raise TypeError(f"path: expected a path, found {short(path)}")
    target = Path(os.fsdecode(path))
    if not target.name or "\0" in str(target):
        raise ValueError(f"path: expected the name of a file, found {short(os.fsdecode(path))}")
    check_folder(target)
    return target


def check_folder(target: Path) -> None:
    """FileNotFoundError without the folder that `target` is to be written to."""
    if not target.parent.is_dir():
        raise FileNotFoundError(f"path: no folder {target.parent} to write {target.name} to")


def remove_partial(target: Path) -> None:
    """Remove the hidden files of writers of `target` that were killed."""
    for path in target.parent.glob(f".{glob.escape(target.name)}.*.part"):
        with suppress(OSError):  # of another user, or just gone
            if fcntl is None:
                path.unlink()
                continue
            with open(os.open(path, os.O_RDWR | _NO_LINK), "r+b") as stream:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()


def _partial(target: Path) -> IO[bytes]:
    """A new hidden file beside `target`, locked."""
    while True:
        path = target.parent / f".{target.name}.{secrets.token_hex(4)}.part"
        stream = open(path, "xb")  # noqa: SIM115
        with suppress(OSError):  # some file systems have no locks
            if fcntl is not None:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if path.exists():  # not removed as another's, in the moment without a lock
            return stream
        stream.close()


__all__ = ["check_folder", "new_path", "remove_partial", "whole_file"]
