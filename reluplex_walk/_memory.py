"""Sizes that will not fit in memory, said before they are tried."""

import os
import sys
from pathlib import Path

GIB = 2.0**30


def require_memory(what: str, size: float, remedy: str) -> None:
    """ValueError if `what` takes `size` bytes and fewer are free.

    `what` begins with the argument at fault; `remedy` says what to do.
    """
    free = available()
    if size > free:
        raise ValueError(
            f"{what} takes {size / GIB:.3g} GiB of memory, and {free / GIB:.3g} GiB are free; "
            f"{remedy}"
        )


def available() -> float:
    """Bytes that this process can still take, inf where the system does not say."""
    return min(_of_machine(), _of_group(), _of_process())


def _of_machine() -> float:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return 1024.0 * int(line.split()[1])
    except (OSError, ValueError, IndexError):
        pass
    if sys.platform == "win32":
        return float("inf")
    try:  # without /proc: all that there is
        return float(os.sysconf("SC_PHYS_PAGES")) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return float("inf")


def _of_group() -> float:
    """What the limit of a container or a job leaves (Linux control groups, version 2 or 1)."""
    for folder, limit, used in (
        ("/sys/fs/cgroup", "memory.max", "memory.current"),
        ("/sys/fs/cgroup/memory", "memory.limit_in_bytes", "memory.usage_in_bytes"),
    ):
        try:
            most, now = (int(Path(folder, name).read_text()) for name in (limit, used))
            stat = Path(folder, "memory.stat").read_text().split()
            files = int(stat[stat.index("inactive_file") + 1])  # given back when needed
            return float(max(0, most - now + files))
        except (OSError, ValueError, IndexError):  # no such group, or no limit ("max")
            continue
    return float("inf")


def _of_process() -> float:
    """What ``ulimit -v`` leaves."""
    try:
        import resource  # not on Windows

        most, _ = resource.getrlimit(resource.RLIMIT_AS)
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (ImportError, OSError, ValueError):
        return float("inf")
    if most == resource.RLIM_INFINITY:
        return float("inf")
    return float(max(0, most - pages * resource.getpagesize()))


__all__ = ["GIB", "available", "require_memory"]
