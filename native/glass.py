"""Jumps of the gradient at breakpoints crossed in turn, each computed on its sample alone.

A jump is parallel to the normal of its breakpoint: ``J = u (x) x`` with x the inputs of the sample
and u (h,) the derivative of the breakpoint's function by the trained layer's pre-activations, times
the change of the slope there: of the activation times the derivative of the loss by it, or of the
loss of the residual.
"""

import numpy as np
from numba import float64, int64, void

from ._jit import entry, kernel


@kernel
def down(w, offset, widths, row, slope, s, t, until, back):
    """Turn `back`, derivatives by the rows of stage t, into those by the rows of stage `until`."""
    for earlier in range(t - 1, until - 1, -1):
        inn, out, width = row[earlier], row[earlier + 1], widths[earlier]
        for k in range(width):
            back[inn + k] = 0.0
        for m in range(widths[earlier + 1]):
            factor, at = back[out + m], offset[earlier + 1] + m * width
            if factor != 0.0:
                for k in range(width):
                    back[inn + k] += factor * w[at + k]
        for k in range(width):
            back[inn + k] *= slope[s, inn + k]


@entry(
    void,
    float64[::1],  # w
    int64[::1],  # offset
    int64[::1],  # widths
    int64[::1],  # row
    int64[::1],  # stage
    int64[::1],  # crossed
    int64[::1],  # place
    int64[::1],  # curve
    float64[:, ::1],  # slope
    float64[:, ::1],  # turn
    float64[:, ::1],  # rate
    float64[:, ::1],  # step
    float64[::1],  # back
    float64[:, ::1],  # u
)
def jump(w, offset, widths, row, stage, crossed, place, curve, slope, turn, rate, step, back, u):
    """Write `u` (c, h), of breakpoints sorted by sample and, on it, in the order of crossing.

    The layers above the trained one, `w` to `stage`, are as in the record of a loss.  `crossed`
    (c,) is the row of each breakpoint among R, `place` (c,) a residual's place in `step`, `curve`
    (c,) the place of its sample among S.  Carried along and changed: `slope` (S, H) of activations,
    `turn` (S, H) what a crossing adds to it, `rate` (S, K) derivative of the loss by each output,
    `step` (residual rows, K) what a crossing adds to it.  `back` (R,) is scratch.
    """
    last = widths.size - 1
    hidden = row[last]
    for k in range(crossed.size):
        a, s = crossed[k], curve[k]
        t = stage[a]
        if t == last:
            p, output = place[k], a - hidden
            change = step[p, output]
            rate[s, output] += change
            step[p, output] = -change
        else:
            for m in range(widths[last]):
                back[hidden + m] = rate[s, m]
            down(w, offset, widths, row, slope, s, last, t + 1, back)
            change, width = 0.0, widths[t]
            for m in range(widths[t + 1]):
                change += back[row[t + 1] + m] * w[offset[t + 1] + m * width + a - row[t]]
            change *= turn[s, a]
            slope[s, a] += turn[s, a]
            turn[s, a] = -turn[s, a]
        for m in range(row[t], row[t + 1]):
            back[m] = 0.0
        back[a] = change
        down(
            w, offset, widths, row, slope, s, t, np.int64(0), back
        )  # a literal is a type of its own
        for j in range(widths[0]):
            u[k, j] = back[j]
