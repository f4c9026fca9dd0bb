"""Where searches start by default, whatever the units of the data.

Where inputs and targets are of ordinary size a start is drawn uniformly, as in studies of random
networks.  Elsewhere (years, prices, counts) such neurons would bend far from all data, and most
would be off or on for every sample, for good.  There a start is drawn in standardised inputs: every
neuron bends among the data.  Its size is fitted to the targets, one after the other, on top of the
best linear function, where the layer above can represent that: a walk, which only descends, then
cannot end above a straight line.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..native.arrays import KernelArrays
from ..native.refresh import new_state, place, refresh
from ..native.walk import LIMIT, STEEPEST, new_record, run
from ..tolerances import TOLERANCES
from .kernel_arrays import kernel_arrays
from .scaling import Units

Floats = NDArray[np.float64]

_FAR = 1.5  # standard deviations from 0 of an ordinary column, at most
_SPREAD = (0.1, 20.0)  # an ordinary standard deviation
_TARGETS = (0.01, 100.0)  # mean size of ordinary targets
_TRIES = 10  # draws of a neuron until one lowers the loss
_GAIN = 1e-6  # of the loss: what a neuron has to lower it by, at least
_SHARE = (0.3, 0.9)  # of the best size of a neuron: at the best itself a residual vanishes
_FAINT = 1e-4  # of residuals: the size of neurons for which no draw did
_SIZES = range(-8, 24)  # powers of 2 that are tried where neurons cannot be fitted
_CHUNKS, _CHUNK = 40, 256  # pivots for the linear function


class Data(NamedTuple):
    """A problem in standardised inputs."""

    x: Floats  # (n, r) distinct inputs, the constant last if biases are free
    intercept: bool  # whether they are
    tail: list[tuple[Floats, Floats]]  # weights and biases of the layers above the trained one
    negative_slope: float
    kernel: KernelArrays  # the same, with targets and slopes

    @property
    def neurons(self) -> int:
        """Neurons of the trained layer."""
        return int(self.kernel.widths[0])

    def outputs(self, theta: Floats) -> Floats:
        """(n, K) What the network says at the free parameters `theta` (h, r)."""
        values = self.x @ theta.T
        for w, b in self.tail:
            values = self.activation(values) @ w.T + b
        return values

    def activation(self, values: Floats) -> Floats:
        """Of hidden neurons."""
        return np.where(values >= 0.0, values, self.negative_slope * values)

    def loss(self, outputs: Floats) -> float:
        """The loss of outputs (n, K)."""
        r = self.residuals(outputs)
        return float((np.where(r > 0.0, self.kernel.right, -self.kernel.left) * r).sum())

    def residuals(self, outputs: Floats) -> Floats:
        """(K, m)."""
        return outputs.T[:, self.kernel.owner] - self.kernel.y


def ordinary(units: Units, targets: Floats) -> bool:
    """Whether inputs, of which `units` standardise those that vary, and targets are so by nature.

    Examples
    --------
    >>> import numpy as np
    >>> from reluplex_walk.problem.scaling import Units
    >>> from reluplex_walk.problem.start import ordinary
    >>> years, y = np.array([[2000.0], [2001.0], [2002.0]]), np.ones((3, 1))
    >>> ordinary(Units.standard(years), y), ordinary(Units.standard(years - 2000.0), y)
    (False, True)
    """
    centre, scale = units
    near = np.abs(centre) <= _FAR * scale
    size = float(np.abs(targets).mean())
    return bool(
        (near & (scale >= _SPREAD[0]) & (scale <= _SPREAD[1])).all()
        and (size == 0.0 or _TARGETS[0] <= size <= _TARGETS[1])
    )


def fitted_start(data: Data, rng: np.random.Generator) -> Floats:
    """Free parameters (h, r): neurons that bend among the data, of sizes that fit the targets."""
    neurons = [_bending(data, rng) for _ in range(data.neurons)]
    if len(data.tail) != 1:
        return _scaled(data, np.array(neurons))
    theta, carriers = _linear(data)
    above, outputs = data.tail[0][0], data.outputs(theta)
    for j in rng.permutation(np.setdiff1d(np.arange(data.neurons), carriers)):
        for _ in range(_TRIES):
            rate = data.activation(data.x @ neurons[j])[:, None] * above[:, j]
            size = rng.uniform(*_SHARE) * _best_size(data, outputs, rate)
            if data.loss(outputs + size * rate) < (1.0 - _GAIN) * data.loss(outputs):
                theta[j], outputs = size * neurons[j], outputs + size * rate
                break
            neurons[j] = _bending(data, rng)
        else:  # all that were tried do harm: one that is hardly there, but may grow
            theta[j] = _FAINT * _typical(data.residuals(outputs), data.kernel.y) * neurons[j]
    return theta


def _bending(data: Data, rng: np.random.Generator) -> Floats:
    """A neuron (r,) of a random direction that vanishes between two random samples."""
    free = data.x.shape[1] - data.intercept
    weights = rng.normal(size=free)
    weights /= np.linalg.norm(weights) or 1.0
    if not data.intercept:
        return weights
    share, (a, b) = rng.uniform(), rng.integers(len(data.x), size=2)
    between = share * data.x[a, :free] + (1.0 - share) * data.x[b, :free]
    if not free:
        return np.ones(1)
    return np.append(weights, -(weights @ between))


def _typical(*values: Floats) -> float:
    """The mean size of the first values that are not all 0."""
    return next((float(size) for part in values if (size := np.abs(part).mean())), 1.0)


def _best_size(data: Data, outputs: Floats, rate: Floats) -> float:
    """The size >= 0 for which ``outputs + size * rate`` (n, K) has the least loss."""
    r, rates = data.residuals(outputs), rate.T[:, data.kernel.owner]
    slopes = np.where(
        (r > 0.0) | ((r == 0.0) & (rates > 0.0)), data.kernel.right, -data.kernel.left
    )
    slope = float((slopes * rates).sum())
    ahead = r * rates < 0.0
    if slope >= 0.0 or not ahead.any():
        return 0.0
    at = -r[ahead] / rates[ahead]
    bends = (np.abs(rates) * (data.kernel.left + data.kernel.right))[ahead]
    order = np.argsort(at)
    passed = np.cumsum(bends[order]) >= -slope
    return float(at[order[np.argmax(passed) if passed.any() else -1]])


def _scaled(data: Data, theta: Floats) -> Floats:
    """A multiple of `theta` of low loss."""
    return min((2.0**k * theta for k in _SIZES), key=lambda other: data.loss(data.outputs(other)))


# ---------------------------------------------------------------- the best linear function


def _linear(data: Data) -> tuple[Floats, list[int]]:
    """Free parameters (h, r) of the best linear function, and the one or two neurons for it.

    All others are 0.  If the layer above has weights of one sign, it is bounded by its bias: there
    the function is cut off, or a constant, or 0, whatever has the least loss.
    """
    theta, carriers = np.zeros((data.neurons, data.x.shape[1])), list[int]()
    above, bias = data.tail[0]
    if len(above) > 1:
        return theta, carriers
    options = [(theta, carriers)]
    targets = data.kernel.y[0] - bias[0]
    up, down = int(np.argmax(above[0])), int(np.argmin(above[0]))
    for function in (_constant_fit(data, targets), _linear_fit(data, targets)):
        values = data.x @ function
        for j in (up, down):
            if above[0, j] != 0.0:
                options.append((_one(theta, j, function / above[0, j]), [j]))
        if above[0, up] > 0.0 > above[0, down] and values.min() < 0.0 < values.max():
            both = function / (1.0 + data.negative_slope)
            pair = _one(theta, up, both / above[0, up])
            options.append((_one(pair, down, both / above[0, down]), [up, down]))
    return min(options, key=lambda option: data.loss(data.outputs(option[0])))


def _one(theta: Floats, j: int, neuron: Floats) -> Floats:
    theta = theta.copy()
    theta[j] = neuron
    return theta


def _constant_fit(data: Data, targets: Floats) -> Floats:
    """Parameters (r,) of the best constant for `targets` (m,)."""
    function = np.zeros(data.x.shape[1])
    if data.intercept:
        function[-1] = best_constant(targets, data.kernel.left[0], data.kernel.right[0])
    return function


def best_constant(targets: Floats, left: Floats, right: Floats) -> float:
    """The one of the `targets` (m,) with the least loss for slopes `left`, `right`: a quantile."""
    order = np.argsort(targets, kind="stable")
    rise = np.cumsum((left + right)[order]) >= left[order].sum()  # just above each target
    return float(targets[order[int(np.argmax(rise))]])


def _linear_fit(data: Data, targets: Floats) -> Floats:
    """Parameters (r,) of the best linear function for `targets` (m,), by long steps in floats."""
    owner, left, right = data.kernel.owner, data.kernel.left.T, data.kernel.right.T
    kernel = kernel_arrays(data.x, [], 0.0, owner, targets[:, None], left, right)
    state = new_state(kernel)
    place(kernel, state, np.linalg.lstsq(data.x[owner], targets, rcond=None)[0])
    record = new_record(_CHUNK, data.x.shape[1])
    for _ in range(_CHUNKS):
        refresh(kernel, state, TOLERANCES, True)
        ties = state.tied.size
        stopped, made = run(
            kernel, state, STEEPEST, True, TOLERANCES.drift, ties, 0, _CHUNK, record
        )
        if stopped != LIMIT and made == 0:
            break
    return state.theta.copy()


__all__ = ["Data", "best_constant", "fitted_start", "ordinary"]
