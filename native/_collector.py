"""Python's garbage collector, paused while much is made that lasts."""

import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused() -> Iterator[None]:
    """No garbage is collected within: modules and kernels are none, but each round looks at all."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


_FEW = 30_000  # objects of an interpreter with NumPy; pandas or PyTorch bring several times as many


@contextmanager
def importing() -> Iterator[None]:
    """Like :func:`paused`; where nothing large was there before, what was imported is then exempt.

    Numba's and SciPy's 70,000 objects last as long as the process: every later collection, and the
    one at its end, which would take as long as a walk, passes over them.  What a user may have
    made before is not exempted with them, unless it is as good as nothing.
    """
    # Once Numba is there all has been said; to count many objects takes milliseconds.
    alone = "numba" not in sys.modules and len(gc.get_objects()) < _FEW
    with paused():
        yield
    if alone and "numba" in sys.modules:
        gc.freeze()


__all__ = ["importing", "paused"]
