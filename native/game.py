"""A small matrix game: can one choice of tangents serve all generators of a cone at once?"""

import numpy as np
from numba import boolean, float64, int64

from ._jit import entry


@entry(
    boolean,
    float64[::1],  # base
    float64[:, ::1],  # terms
    float64[::1],  # size
    float64[::1],  # least
    float64[::1],  # most
    float64,  # rounding
    int64,  # rounds
    float64[:, ::1],  # work
    float64[::1],  # theta
)
def balance(base, terms, size, least, most, rounding, rounds, work, theta):
    """Look for theta (k,) in [least, most] with  base + terms @ theta > rounding size.

    Multiplicative weights: weights on the rows (those that are short gain), the best theta
    against them, and the mean of these.  base, size (d,), terms (d, k); work (2, d) is scratch.
    Returns whether the mean, in `theta`, serves; stops where the weights show that nothing does.
    """
    d, k = terms.shape
    payoff, weight = work[0], work[1]  # sums of relative payoffs: the lower, the heavier
    for j in range(d):
        payoff[j] = 0.0
    for c in range(k):
        theta[c] = 0.0
    for turn in range(1, rounds + 1):
        lowest = payoff[0]
        for j in range(d):
            lowest = min(lowest, payoff[j])
        rate = np.sqrt(8.0 / turn)
        best = 0.0
        for j in range(d):
            weight[j] = np.exp(-rate * (payoff[j] - lowest)) / size[j]
            best += weight[j] * base[j]
            payoff[j] += base[j] / size[j]
        for c in range(k):
            gain = 0.0
            for j in range(d):
                gain += weight[j] * terms[j, c]
            chosen = most[c] if gain > 0.0 else least[c]
            best += gain * chosen
            theta[c] += chosen
            for j in range(d):
                payoff[j] += terms[j, c] * chosen / size[j]
        if best <= 0.0:  # no theta is positive on this mixture of rows
            return False
        serves = True
        for j in range(d):
            if not payoff[j] > 2.0 * rounding * turn:
                serves = False
        if serves:
            for c in range(k):
                theta[c] /= turn
            return True
    return False
