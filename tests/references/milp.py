"""Least one-sided derivative by mixed-integer programming, with a binary for every kink.

Built from the arrays of the network alone; shares no code with the library's proofs.
"""

import numpy as np
from scipy import optimize, sparse


def least_derivative(loss, theta, seconds=30.0):
    """Min of F'(theta; d) over |d|_inf <= 1, as HiGHS finds it (to some 1e-6); None if it does not.

    What vanishes is decided in floats, as by ``loss.pattern``.
    """
    pattern = loss.pattern(theta)
    network, h, q = loss.network, *loss.shape
    layers = range(loss.layer + 1, network.n_layers)
    inputs = np.column_stack([network.features(loss.X, loss.layer), np.ones(len(loss.X))])
    lower, upper, integer, cost = [-1.0] * h * q, [1.0] * h * q, [0] * h * q, [0.0] * h * q
    rows, bounds = [], []

    def variable(low, high, whole=0, price=0.0):
        lower.append(low)
        upper.append(high)
        integer.append(whole)
        cost.append(price)
        return len(lower) - 1

    def constrain(terms, low, high):
        rows.append(terms)
        bounds.append((low, high))

    for i, x in enumerate(inputs):
        # Rates as linear terms {variable: factor}, with a bound on their size.
        rates = [({j * q + k: x[k] for k in range(q)}, np.abs(x).sum()) for j in range(h)]
        for stage, layer in enumerate(layers):
            active = []
            for (terms, big), sign in zip(rates, pattern[stage][i], strict=True):
                low = network.negative_slope
                if sign != 0:
                    factor = 1.0 if sign > 0 else low
                    active.append(({v: factor * t for v, t in terms.items()}, big))
                    continue
                a, on = variable(-big, big), variable(0, 1, 1)
                # a = rate if on, low * rate if not
                for factor, side in ((1.0, 1.0), (low, 0.0)):
                    difference = {a: 1.0, **{v: -factor * t for v, t in terms.items()}}
                    slack = 2.0 * big
                    weight = -slack if side == 0.0 else slack
                    constrain({**difference, on: weight}, -np.inf, slack if side else 0.0)
                    constrain({**difference, on: -weight}, -slack if side else 0.0, np.inf)
                constrain({on: -2.0 * big, **terms}, -np.inf, 0.0)
                constrain({on: -2.0 * big, **terms}, -2.0 * big, np.inf)
                active.append(({a: 1.0}, big))
            w = network.weights[layer]
            rates = []
            for row in w:
                terms, big = {}, 0.0
                for factor, (part, size) in zip(row, active, strict=True):
                    big += abs(factor) * size
                    for v, t in part.items():
                        terms[v] = terms.get(v, 0.0) + factor * t
                rates.append((terms, big))
        weight = loss.sample_weight[i]
        share = loss.tau if loss.kind == "pinball" else None
        left, right = (share, 1.0 - share) if share else (1.0, 1.0)
        assert loss.kind != "hinge"
        for (terms, _), sign in zip(rates, pattern[-1][i], strict=True):
            if sign == 0:
                o = variable(0.0, np.inf, 0, weight)
                constrain({o: 1.0, **{v: -right * t for v, t in terms.items()}}, 0.0, np.inf)
                constrain({o: 1.0, **{v: left * t for v, t in terms.items()}}, 0.0, np.inf)
            else:
                for v, t in terms.items():
                    cost[v] += weight * (right if sign > 0 else -left) * t
    matrix = sparse.lil_matrix((len(rows), len(lower)))
    for r, terms in enumerate(rows):
        for v, t in terms.items():
            matrix[r, v] = t
    result = optimize.milp(
        np.array(cost),
        integrality=np.array(integer),
        bounds=optimize.Bounds(np.array(lower), np.array(upper)),
        constraints=optimize.LinearConstraint(matrix.tocsr(), *np.array(bounds).T)
        if rows
        else None,
        options={"time_limit": seconds},
    )
    return float(result.fun) if result.status == 0 else None
