"""Naive references: one sample at a time, in any number type, sharing no code with the library.

With ``Fraction`` arguments every result is exact; floats are rationals, so `exact` loses nothing.
"""

from fractions import Fraction

import numpy as np


def exact(array):
    """The same numbers as nested lists of Fractions."""
    if np.ndim(array) == 0:
        return array if isinstance(array, Fraction) else Fraction(float(array))
    return [exact(part) for part in array]


def layers_of(loss, theta):
    """(weights, biases) of the trained layer at `theta` and of those above, as Fractions."""
    theta = np.reshape(theta, loss.shape)
    above = range(loss.layer + 1, loss.network.n_layers)
    return [
        (exact(theta[:, :-1]), exact(theta[:, -1])),
        *((exact(loss.network.weights[k]), exact(loss.network.biases[k])) for k in above),
    ]


def dot(a, b):
    return sum((x * y for x, y in zip(a, b, strict=True)), Fraction(0))


def written(number, places):
    """A float as the decimal of so many places that it stands for; None: as it is."""
    if places is None:
        return exact(number)
    return Fraction(round(float(number) * 10.0**places), 10**places)


def values_and_rates(loss, theta, direction, row):
    """Pre-activations of each stage and their one-sided derivatives, on one row of X, exactly."""
    slope = Fraction(loss.network.negative_slope)
    features = loss.network.features(loss.X, loss.layer)[row]
    inputs = [written(v, k) for v, k in zip(features, loss.decimals.X, strict=True)]
    rates = [Fraction(0)] * len(inputs)
    d = np.reshape(direction, loss.shape)
    values_out, rates_out = [], []
    for stage, (w, b) in enumerate(layers_of(loss, theta)):
        z = [dot(wr, inputs) + b[m] for m, wr in enumerate(w)]
        dz = [dot(wr, rates) for wr in w]
        if stage == 0:
            dw, db = exact(d[:, :-1]), exact(d[:, -1])
            dz = [dot(dw[m], inputs) + db[m] for m in range(len(dw))]
        values_out.append(z)
        rates_out.append(dz)
        up = [v > 0 or (v == 0 and r > 0) for v, r in zip(z, dz, strict=False)]
        inputs = [v if u else slope * v for v, u in zip(z, up, strict=False)]
        rates = [r if u else slope * r for r, u in zip(dz, up, strict=False)]
    return values_out, rates_out


def kink_slopes(loss, target):
    """(left, right) of the loss of one residual."""
    if loss.kind == "hinge":
        return (Fraction(1), Fraction(0)) if target > 0 else (Fraction(0), Fraction(1))
    if loss.kind == "pinball":
        tau = written(loss.tau, loss.decimals.tau)
        return tau, 1 - tau
    return Fraction(1), Fraction(1)


def loss_and_derivative(loss, theta, direction=None):
    """F(theta) and its one-sided derivative along `direction`, as exact Fractions."""
    direction = np.zeros(loss.dim) if direction is None else direction
    total = rate = Fraction(0)
    for row in range(len(loss.X)):
        values, rates = values_and_rates(loss, theta, direction, row)
        weight = written(loss.sample_weight[row], loss.decimals.sample_weight)
        for k, target in enumerate(loss.y[row]):
            left, right = kink_slopes(loss, target)
            r, dr = values[-1][k] - written(target, loss.decimals.y[k]), rates[-1][k]
            total += weight * (right * r if r > 0 else -left * r)
            positive = r > 0 or (r == 0 and dr > 0)
            rate += weight * (right * dr if positive else -left * dr)
    return total, rate


def breakpoint_gradient(loss, pattern, layer, row, neuron):
    """Gradient (D,) of one breakpoint function in the region `pattern`, in floats."""
    network = loss.network
    x = np.append(network.features(loss.X[row : row + 1], loss.layer)[0], 1.0)
    jacobian = np.eye(loss.shape[0])
    for stage in range(layer):
        w = network.weights[loss.layer + 1 + stage]
        sign = pattern[stage][row]
        jacobian = w @ (np.where(sign > 0, 1.0, network.negative_slope)[:, None] * jacobian)
    return np.outer(jacobian[neuron], x).ravel()


def rows_sharing(loss, layer, row):
    """Rows of X that have a breakpoint in common: equal inputs, for residuals equal targets too."""
    features = loss.network.features(loss.X, loss.layer)
    same = (features == features[row]).all(axis=1)
    if layer == loss.n_hidden:
        same &= (loss.y == loss.y[row]).all(axis=1)
    return np.flatnonzero(same)


def half_edges(loss, pattern, active):
    """All 2r half-edges at a vertex, each by a linear solve of its own: (2r, D).

    `pattern` must have no zeros: the region the vertex is looked at from.  Pseudo-inverse, so
    that faces (r < D) are covered, on what is free.
    """
    edges = []
    for flip in (False, True):
        for c, (layer, row, neuron) in enumerate(active):
            region = [p.copy() for p in pattern]
            if flip:
                region[layer][rows_sharing(loss, layer, row), neuron] *= -1
            normals = np.array(
                [region[a][i, j] * breakpoint_gradient(loss, region, a, i, j) for a, i, j in active]
            )
            edges.append(np.linalg.pinv(normals * loss.free.ravel())[:, c])
    return np.array(edges)


def region_at(loss, theta, active):
    """A region around the vertex: its pattern with the active breakpoints set to +1."""
    pattern = loss.pattern(theta, 0.0)
    for layer, row, neuron in active:
        pattern[layer][rows_sharing(loss, layer, row), neuron] = 1
    return [np.where(p == 0, 1, p).astype(np.int8) for p in pattern]
