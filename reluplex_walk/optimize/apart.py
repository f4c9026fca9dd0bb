"""Integer programs in a process of their own, which can be ended: HiGHS listens to nobody.

Small ones are solved here, for a moment, in which most of them end.
"""

import pickle
import subprocess
import sys
import time
from typing import Any

import numpy as np
from scipy import optimize

from .._limits import Limits
from .._threads import polled

_AT_ONCE = 0.5  # seconds here, before a process is started
_SMALL = 20_000  # entries of a program that is tried here: presolving a larger one takes longer
_GRACE = 0.3  # seconds after the time limit in which HiGHS may come to its end
_LEAST = 0.01  # seconds, where the time limit is all but over

_WORKER = """
import pickle, sys, time
sys.path[:], program, until = pickle.load(sys.stdin.buffer)
from scipy.optimize import milp
if until is not None:
    program["options"]["time_limit"] = max(until - time.time(), 0.01)
sys.stdout.buffer.write(pickle.dumps(milp(**program)))
"""


def integer_program(limits: Limits, program: dict[str, Any]) -> optimize.OptimizeResult | None:
    """What ``scipy.optimize.milp(**program)`` returns; None where a limit ended it."""
    options = program.pop("options", {})
    entries = sum(constraint.A.nnz for constraint in program["constraints"])
    if entries <= _SMALL:
        seconds = max(min(_AT_ONCE, limits.left), _LEAST)
        limited = options | {"time_limit": seconds}
        with Limits(seconds=seconds + _GRACE) as patience:
            result = polled(lambda: optimize.milp(options=limited, **program), patience)
        if limits.over is not None or (result is not None and result.status != 1):
            return None if limits.interrupted else result
    return _apart(limits, program | {"options": options})


def _apart(limits: Limits, program: dict[str, Any]) -> optimize.OptimizeResult | None:
    until = None if np.isinf(limits.seconds) else time.time() + limits.left
    process = subprocess.Popen(
        [sys.executable, "-c", _WORKER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    task = pickle.dumps((sys.path, program, until))
    with Limits(seconds=limits.left + _GRACE) as patience:
        try:
            found = polled(lambda: process.communicate(task)[0], patience)
        finally:
            process.kill()
    if not found or limits.interrupted:
        return None
    return pickle.loads(found)


__all__ = ["integer_program"]
