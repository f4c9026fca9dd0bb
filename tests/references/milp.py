"""Least one-sided derivative by mixed-integer programming, with a binary for every kink.

Built from the arrays of the network alone; shares no code with the library's proofs.
"""

import numpy as np
from scipy import optimize, sparse


def least_derivative(loss, theta, seconds=30.0, pattern=None):
    """Min of F'(theta; d) over |d|_inf <= 1, as HiGHS finds it (to some 1e-6); None if it does not.

    What vanishes is decided in floats, as by ``loss.pattern``, unless a `pattern` of the rows of X
    is given.
    """
    assert loss.kind != "hinge"
    pattern = loss.pattern(theta) if pattern is None else pattern
    network, h, q = loss.network, *loss.shape
    inputs = np.column_stack([network.features(loss.X, loss.layer), np.ones(len(loss.X))])
    left, right = (loss.tau, 1.0 - loss.tau) if loss.kind == "pinball" else (1.0, 1.0)
    program = Program()
    for _ in range(h * q):
        program.variable(-1.0, 1.0)
    for i, x in enumerate(inputs):
        # Rates as linear terms {variable: factor}, with a bound on their size.
        rates = [({j * q + k: x[k] for k in range(q)}, np.abs(x).sum()) for j in range(h)]
        for stage, layer in enumerate(range(loss.layer + 1, network.n_layers)):
            active = [
                program.activation(*rate, sign, network.negative_slope)
                for rate, sign in zip(rates, pattern[stage][i], strict=True)
            ]
            rates = [combination(row, active) for row in network.weights[layer]]
        weight = loss.sample_weight[i]
        for (terms, _), sign in zip(rates, pattern[loss.n_hidden][i], strict=True):
            program.pay(terms, sign, weight, left, right)
    for (j, k), weight in np.ndenumerate(np.reshape(theta, (h, q))[:, :-1]):
        program.pay({j * q + k: 1.0}, np.sign(weight), loss.penalty, 1.0, 1.0)
    return program.least(seconds)


def scaled(terms, factor):
    return {v: factor * t for v, t in terms.items()}


def combination(row, parts):
    """The sum of `parts`, each times its entry of `row`, and a bound on its size."""
    terms, big = {}, 0.0
    for factor, (part, size) in zip(row, parts, strict=True):
        big += abs(factor) * size
        for v, t in part.items():
            terms[v] = terms.get(v, 0.0) + factor * t
    return terms, big


class Program:
    """A mixed-integer program, variable by variable and row by row."""

    def __init__(self):
        self.lower, self.upper, self.integer, self.cost = [], [], [], []
        self.rows, self.bounds = [], []

    def variable(self, low, high, whole=0, price=0.0):
        """A new variable; its number."""
        self.lower.append(low)
        self.upper.append(high)
        self.integer.append(whole)
        self.cost.append(price)
        return len(self.lower) - 1

    def constrain(self, terms, low, high):
        self.rows.append(terms)
        self.bounds.append((low, high))

    def activation(self, terms, big, sign, low):
        """The rate after an activation whose argument has this sign; where it is 0, by a binary."""
        if sign != 0:
            return scaled(terms, 1.0 if sign > 0 else low), big
        a, on = self.variable(-big, big), self.variable(0, 1, 1)
        # a = rate if on, low * rate if not
        for factor, side in ((1.0, 1.0), (low, 0.0)):
            difference = {a: 1.0, **scaled(terms, -factor)}
            slack = 2.0 * big
            weight = -slack if side == 0.0 else slack
            self.constrain({**difference, on: weight}, -np.inf, slack if side else 0.0)
            self.constrain({**difference, on: -weight}, -slack if side else 0.0, np.inf)
        self.constrain({on: -2.0 * big, **terms}, -np.inf, 0.0)
        self.constrain({on: -2.0 * big, **terms}, -2.0 * big, np.inf)
        return {a: 1.0}, big

    def pay(self, terms, sign, weight, left, right):
        """The derivative of a residual's term, whose residual has this sign."""
        if sign == 0:
            o = self.variable(0.0, np.inf, 0, weight)
            self.constrain({o: 1.0, **scaled(terms, -right)}, 0.0, np.inf)
            self.constrain({o: 1.0, **scaled(terms, left)}, 0.0, np.inf)
        else:
            for v, t in terms.items():
                self.cost[v] += weight * (right if sign > 0 else -left) * t

    def least(self, seconds):
        matrix = sparse.lil_matrix((len(self.rows), len(self.lower)))
        for r, terms in enumerate(self.rows):
            for v, t in terms.items():
                matrix[r, v] = t
        bounds = np.array(self.bounds).reshape(-1, 2).T
        limits = optimize.LinearConstraint(matrix.tocsr(), *bounds)
        result = optimize.milp(
            np.array(self.cost),
            integrality=np.array(self.integer),
            bounds=optimize.Bounds(np.array(self.lower), np.array(self.upper)),
            constraints=limits if self.rows else None,
            options={"time_limit": seconds},
        )
        return float(result.fun) if result.status == 0 else None
