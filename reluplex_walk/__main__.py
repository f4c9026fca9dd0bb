"""``python -m reluplex_walk``: the same as the command ``reluplex-walk``."""

import atexit
import gc
import sys

from .cli.commands import main


def command() -> int:
    """:func:`main` in a process of its own, which ends without a last search for garbage."""
    atexit.register(gc.freeze)  # it takes longer than many a walk, with Numba's modules in memory
    return main()


if __name__ == "__main__":
    sys.exit(command())
