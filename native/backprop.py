"""Loss, gradient and Hessian-vector products of a network in all of its layers.

Samples are taken in blocks, whose values stay in the first-level cache; rows hold one neuron, or
one input, for all samples of a block.  In every array of rows the neurons of the layers come one
after the other.

Inputs x (p, n), targets y (K, n).  theta (P,) has the layers one after the other, of each a row
(weights, bias) for each neuron.  widths (L + 1,): inputs, then the neurons of each layer; trained
(L,): the layers whose parameters move.  left, right (K, n): slopes of the loss around its kink; a
squared loss has them equal, and its slopes grow with the residual.
"""

import numpy as np
from numba import boolean, float64, int64, void

from ._jit import entry, inlined, kernel

ZERO, ONE = np.int64(0), np.int64(1)  # literals would have kernels compiled twice
BLOCK = 128
"""Samples of a block."""


@inlined
def _add(m, factor, source, target):
    for s in range(m):
        target[s] += factor * source[s]


@inlined
def _add_all(m, count, factors, at, step, rows, first, target):
    """Adds to target: rows first, first + 1, ... times factors at, at + step, ...

    Four rows at a time, so that target is read and written once for four.
    """
    i = 0
    while i + 4 <= count:
        p, q = factors[at + i * step], factors[at + (i + 1) * step]
        r, t = factors[at + (i + 2) * step], factors[at + (i + 3) * step]
        a, b, c, d = rows[first + i], rows[first + i + 1], rows[first + i + 2], rows[first + i + 3]
        for s in range(m):
            target[s] += (p * a[s] + q * b[s]) + (r * c[s] + t * d[s])
        i += 4
    while i < count:
        _add(m, factors[at + i * step], rows[first + i], target)
        i += 1


@inlined
def _dot(m, a, b):
    total = 0.0
    for s in range(m):
        total += a[s] * b[s]
    return total


@inlined
def _sum(m, a):
    total = 0.0
    for s in range(m):
        total += a[s]
    return total


@kernel
def _forward(theta, widths, leak, x, first, m, act, side):
    """Rows of act: what each neuron puts out; of side: the slope of its activation."""
    at, below, row = ZERO, ZERO, ZERO
    layers = widths.size - 1
    for layer in range(layers):
        inputs, neurons = widths[layer], widths[layer + 1]
        for j in range(neurons):
            out, slope = act[row + j], side[row + j]
            bias = theta[at + inputs]
            for s in range(m):
                out[s] = bias
            if layer == 0:
                for i in range(inputs):
                    _add(m, theta[at + i], x[i, first : first + m], out)
            else:
                _add_all(m, inputs, theta, at, ONE, act, below, out)
            if layer < layers - 1:
                for s in range(m):
                    slope[s] = 1.0 if out[s] >= 0.0 else leak
                for s in range(m):
                    out[s] *= slope[s]
            at += inputs + 1
        below, row = row, row + neurons


@kernel
def _residuals(widths, y, left, right, squared, first, m, act, back):
    """The loss of the block; the last rows of back: its derivatives by the outputs."""
    value = 0.0
    outputs = widths[-1]
    row = act.shape[0] - outputs
    for k in range(outputs):
        out, slope = act[row + k], back[row + k]
        for s in range(m):
            r = out[s] - y[k, first + s]
            if squared:
                slope[s] = right[k, first + s] * r
                value += 0.5 * slope[s] * r
            else:
                slope[s] = right[k, first + s] if r >= 0.0 else -left[k, first + s]
                value += slope[s] * r
    return value


@kernel
def _backward(theta, widths, trained, x, first, m, act, side, back, gradient):
    """Rows of back: derivatives of the loss by what each neuron receives; adds to gradient."""
    at, row = theta.size, act.shape[0]
    for layer in range(widths.size - 2, -1, -1):
        inputs, neurons = widths[layer], widths[layer + 1]
        at -= neurons * (inputs + 1)
        row -= neurons
        below = row - inputs
        if trained[layer]:
            for j in range(neurons):
                place, b = at + j * (inputs + 1), back[row + j]
                for i in range(inputs):
                    if layer == 0:
                        gradient[place + i] += _dot(m, b, x[i, first : first + m])
                    else:
                        gradient[place + i] += _dot(m, b, act[below + i])
                gradient[place + inputs] += _sum(m, b)
        if layer > 0:
            for i in range(inputs):
                b, slope = back[below + i], side[below + i]
                for s in range(m):
                    b[s] = 0.0
                _add_all(m, neurons, theta, at + i, inputs + 1, back, row, b)
                for s in range(m):
                    b[s] *= slope[s]


@kernel
def _forward_along(theta, v, widths, trained, x, first, m, act, side, rate):
    """Rows of rate: derivatives of act along v (P,)."""
    at, below, row = ZERO, ZERO, ZERO
    layers = widths.size - 1
    for layer in range(layers):
        inputs, neurons = widths[layer], widths[layer + 1]
        for j in range(neurons):
            out, slope = rate[row + j], side[row + j]
            moved = v[at + inputs] if trained[layer] else 0.0
            for s in range(m):
                out[s] = moved
            if layer > 0:
                _add_all(m, inputs, theta, at, ONE, rate, below, out)
                if trained[layer]:
                    _add_all(m, inputs, v, at, ONE, act, below, out)
            elif trained[layer]:
                for i in range(inputs):
                    _add(m, v[at + i], x[i, first : first + m], out)
            if layer < layers - 1:
                for s in range(m):
                    out[s] *= slope[s]
            at += inputs + 1
        below, row = row, row + neurons


@kernel
def _backward_along(
    theta, v, widths, trained, right, squared, x, first, m, act, side, back, rate, turn, product
):
    """Rows of turn: derivatives of back along v (P,); adds those of the gradient to product."""
    at, row = theta.size, act.shape[0]
    outputs = widths[-1]
    for k in range(outputs):
        b = turn[row - outputs + k]
        for s in range(m):
            b[s] = right[k, first + s] * rate[row - outputs + k, s] if squared else 0.0
    for layer in range(widths.size - 2, -1, -1):
        inputs, neurons = widths[layer], widths[layer + 1]
        at -= neurons * (inputs + 1)
        row -= neurons
        below = row - inputs
        turned = squared or layer < widths.size - 2
        if trained[layer]:
            for j in range(neurons):
                place, b = at + j * (inputs + 1), back[row + j]
                for i in range(inputs):
                    if layer == 0:
                        if turned:
                            product[place + i] += _dot(m, turn[row + j], x[i, first : first + m])
                    else:
                        product[place + i] += _dot(m, b, rate[below + i])
                        if turned:
                            product[place + i] += _dot(m, turn[row + j], act[below + i])
                if turned:
                    product[place + inputs] += _sum(m, turn[row + j])
        if layer > 0:
            for i in range(inputs):
                b, slope = turn[below + i], side[below + i]
                for s in range(m):
                    b[s] = 0.0
                if turned:
                    _add_all(m, neurons, theta, at + i, inputs + 1, turn, row, b)
                if trained[layer]:
                    _add_all(m, neurons, v, at + i, inputs + 1, back, row, b)
                for s in range(m):
                    b[s] *= slope[s]


@entry(
    float64,
    float64[::1],  # theta
    int64[::1],  # widths
    float64,  # leak
    float64[:, ::1],  # x
    float64[:, ::1],  # y
    float64[:, ::1],  # left
    float64[:, ::1],  # right
    boolean,  # squared
    float64[:, :, ::1],  # rows
)
def network_loss(theta, widths, leak, x, y, left, right, squared, rows):
    """The loss; rows (3, W, BLOCK) is scratch space, W the neurons of all layers."""
    value, n = 0.0, x.shape[1]
    for first in range(0, n, BLOCK):
        m = min(BLOCK, n - first)
        _forward(theta, widths, leak, x, first, m, rows[0], rows[1])
        value += _residuals(widths, y, left, right, squared, first, m, rows[0], rows[2])
    return value


@entry(
    float64,
    float64[::1],  # theta
    int64[::1],  # widths
    boolean[::1],  # trained
    float64,  # leak
    float64[:, ::1],  # x
    float64[:, ::1],  # y
    float64[:, ::1],  # left
    float64[:, ::1],  # right
    boolean,  # squared
    float64[:, :, ::1],  # rows
    float64[::1],  # gradient
)
def network_gradient(theta, widths, trained, leak, x, y, left, right, squared, rows, gradient):
    """The loss; adds its gradient to gradient (P,); rows (3, W, BLOCK) is scratch space."""
    value, n = 0.0, x.shape[1]
    for first in range(0, n, BLOCK):
        m = min(BLOCK, n - first)
        _forward(theta, widths, leak, x, first, m, rows[0], rows[1])
        value += _residuals(widths, y, left, right, squared, first, m, rows[0], rows[2])
        _backward(theta, widths, trained, x, first, m, rows[0], rows[1], rows[2], gradient)
    return value


@entry(
    void,
    float64[::1],  # theta
    float64[:, ::1],  # directions
    int64[::1],  # widths
    boolean[::1],  # trained
    boolean[::1],  # none
    float64,  # leak
    float64[:, ::1],  # x
    float64[:, ::1],  # y
    float64[:, ::1],  # left
    float64[:, ::1],  # right
    boolean,  # squared
    float64[:, :, ::1],  # rows
    float64[:, ::1],  # products
)
def network_products(
    theta, directions, widths, trained, none, leak, x, y, left, right, squared, rows, products
):
    """Adds to products (k, P) those of the Hessian with the directions (k, P).

    rows (5, W, BLOCK) is scratch space; none (L,) is False throughout: no gradient is asked for.
    """
    n = x.shape[1]
    act, side, back, rate, turn = rows[0], rows[1], rows[2], rows[3], rows[4]
    for first in range(0, n, BLOCK):
        m = min(BLOCK, n - first)
        _forward(theta, widths, leak, x, first, m, act, side)
        _residuals(widths, y, left, right, squared, first, m, act, back)
        _backward(theta, widths, none, x, first, m, act, side, back, products[0])
        for k in range(directions.shape[0]):
            v = directions[k]
            _forward_along(theta, v, widths, trained, x, first, m, act, side, rate)
            _backward_along(
                theta, v, widths, trained, right, squared, x, first, m,
                act, side, back, rate, turn, products[k],
            )  # fmt: skip
