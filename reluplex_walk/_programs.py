"""Linear programs of proofs: HiGHS through SciPy, ended by iterations instead of a clock.

What a program may take and what it spends of a budget follow from its size.  A long one is solved
in a thread of its own, so that time limits and Ctrl-C are looked at meanwhile.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ._budget import Budget
from ._threads import polled

Floats = NDArray[np.float64]

_WORK = (2000.0, 0.1, 6e-4)  # of any program, of each entry, and for it of each row and column
_ITERATIONS = (1000, 20)  # in any program, and more for each row and column
_LONG = 3e5  # work from which on a program gets its thread
_LEAST = 0.01  # seconds, where the time limit is all but over


def linear_program(cost: Floats, budget: Budget, **rest: Any) -> Any:
    """What ``scipy.optimize.linprog`` finds with `rest`; ``x`` is None where it finds nothing.

    That is so, too, where the program is too large for what is left of `budget`.
    """
    from scipy import optimize  # here: it takes a while to import

    matrices = [rest[name] for name in ("A_ub", "A_eq") if name in rest]
    size = sum(matrix.shape[0] for matrix in matrices) + cost.size
    entries = sum(matrix.nnz if hasattr(matrix, "nnz") else matrix.size for matrix in matrices)
    fixed, entry, product = _WORK
    work = fixed + entries * (entry + product * size)
    if not budget.begin(work):
        return optimize.OptimizeResult(x=None)
    least, more = _ITERATIONS
    options: dict[str, float] = {"maxiter": least + more * size}
    if budget.limits.seconds < np.inf:
        options["time_limit"] = max(budget.limits.left, _LEAST)

    def solve() -> Any:
        return optimize.linprog(cost, method="highs-ds", options=options, **rest)

    found = polled(solve, budget.limits) if work > _LONG else solve()
    return optimize.OptimizeResult(x=None) if found is None else found


__all__ = ["linear_program"]
