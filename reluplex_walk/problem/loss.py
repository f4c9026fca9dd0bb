"""`LayerLoss`: the training loss as a function of one layer's parameters theta.

    F(theta) = sum_i w_i sum_k rho(r_ik),    r_ik = f_k(x_i; theta) - y_ik

with ``rho`` convex with one kink at 0, ``rho(r) = left max(-r, 0) + right max(r, 0)``:

* ``l1``: left = right = 1;
* ``pinball``: left = tau, right = 1 - tau, so that a constant fit is the tau-quantile of y;
* ``hinge``: max(0, 1 - y f) with y = +-1, which is max(0, -y r): one of left, right is 0.

A penalty adds  penalty sum_j sum_c |theta[j, c]|  over the weights, not the biases (last column).

Everything here is plain NumPy and shares no code with the kernels of the walk.
"""

from dataclasses import replace
from fractions import Fraction
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .._validate import (
    LARGEST,
    flag,
    instance,
    integer,
    integers,
    real,
    real_array,
    samples,
    sequence,
)
from ..native.arrays import KernelArrays
from ..tolerances import PROBLEM, TOLERANCES
from . import penalty as penalties
from .aliased import Aliased, find, warn_of_aliased
from .breakpoints import BreakpointIndex
from .decimals import Decimals, fraction, places
from .fingerprint import as_text, digests
from .forward import outputs
from .free import FreeUnits
from .kernel_arrays import kernel_arrays
from .kinks import check_labels, kind_and_tau, slopes
from .network import ReLUNetwork
from .rows import distinct_rows
from .scaling import Units
from .start import Data, fitted_start, ordinary

Floats = NDArray[np.float64]
Pattern = list[NDArray[np.int8]]


FLOATS = float(np.finfo(float).max)


class LayerLoss:
    """Training loss of a ReLU network as a piecewise affine function of one layer.

    The loss is the *sum* over samples and outputs.  Samples with equal inputs to the trained
    layer share their breakpoints, equal (input, target) rows are merged into one weight, rows of
    weight 0 are left out.

    Parameters
    ----------
    network : ReLUNetwork
        All its layers but one stay fixed.
    X : array_like (n, n_in)
        Inputs of the network; those below 1e-100 in size count as 0.
    y : array_like (n,) or (n, n_out)
        Targets; labels -1 or +1 for the hinge loss.
    layer : int, default 0
        The trained layer, counted from 0; h neurons with q = inputs + 1 parameters each.
    kind : {"l1", "pinball", "hinge"}, default "l1"
    tau : float, optional
        Quantile of the pinball loss, in (0, 1), default 0.5.
    sample_weight : array_like (n,), optional
        Weights >= 0, default all 1; those below 1e-100 count as 0.
    decimals : bool, default True
        Exact arithmetic takes columns of short decimals for the decimals: 0.1 for one tenth.
        False: for the binary fractions that floats are.
    fit_intercept : bool, default True
        Whether searches move the biases of the trained layer.  If not, they stay where a search
        starts: at 0 by default.
    penalty : float, default 0.0
        What the sum of the absolute weights of the trained layer, not of its biases, is multiplied
        by and added; a decimal is taken for what is written, as tau is.

    Attributes
    ----------
    network, X, y, layer, kind, tau, sample_weight, fit_intercept, penalty
        As given, but for what counts as 0; the arrays are read-only, `y` is (n, n_out).
    shape : tuple
        (h, q).
    dim : int
        D = h q, the number of trained parameters.
    decimals : Decimals
        How many decimal places each column has, None where floats are taken as they are.

    Raises
    ------
    ValueError, TypeError
        If an argument does not fit; the message names it.

    Warns
    -----
    RankWarning
        If columns of `X` depend on each other and the first layer is trained; see :attr:`aliased`.

    Examples
    --------
    The fit ``2 max(0, w x + b) + 1``, with the weight w and the bias b to be trained:

    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork([[[1.0]], [[2.0]]], [[0.0], [1.0]])
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [0.0, 1.0, 6.0])
    >>> loss.shape, loss.dim, loss.n_hidden
    ((1, 2), 2, 1)
    >>> loss.theta, loss(loss.theta), loss([2.0, 1.0])  # residuals 1, 2, -1 and 3, 6, 5
    (array([[1., 0.]]), 4.0, 14.0)
    """

    def __init__(
        self,
        network: ReLUNetwork,
        X: ArrayLike,
        y: ArrayLike,
        layer: int = 0,
        kind: str = "l1",
        tau: float | None = None,
        sample_weight: ArrayLike | None = None,
        decimals: bool = True,
        fit_intercept: bool = True,
        penalty: float = 0.0,
    ) -> None:
        instance("network", network, ReLUNetwork)
        self.network = network
        self.layer = integer("layer", layer, 0, network.n_layers - 1)
        self.kind, self.tau = kind_and_tau(kind, tau)
        self.X, self.y, self.sample_weight = self._data(X, y, sample_weight)
        for array in (self.X, self.y, self.sample_weight):
            array.flags.writeable = False
        self.shape = (network.widths[self.layer + 1], network.widths[self.layer] + 1)
        self.dim = self.shape[0] * self.shape[1]
        self.fit_intercept = flag("fit_intercept", fit_intercept)
        self.penalty = penalties.checked(penalty)
        self._merge()
        self.decimals = self._decimals(flag("decimals", decimals))
        self._weigh()
        if not self.free.any():
            raise ValueError("fit_intercept: expected True, found False where all inputs are 0")
        if self.layer == 0:
            warn_of_aliased(self.inputs, self.aliased)

    def _data(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None
    ) -> tuple[Floats, Floats, Floats]:
        n_in, n_out = self.network.widths[0], self.network.widths[-1]
        inputs, targets, weight = samples(X, y, sample_weight, n_in, n_out)
        check_labels(self.kind, targets)
        return inputs, targets, weight

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Pickles forget that arrays are read-only, and may map them: kernels get arrays anew."""
        for name in ("kernel", "free_kernel"):
            state.pop(name, None)
        self.__dict__.update(state)
        for array in (self.X, self.y, self.sample_weight):
            array.flags.writeable = False

    def _merge(self) -> None:
        """Distinct inputs of the trained layer (samples) and distinct (input, target) rows."""
        kept = np.flatnonzero(self.sample_weight)
        rows = kept if len(kept) < len(self.X) else slice(None)
        features = self.network.features(self.X[rows], self.layer) + 0.0  # no -0.0
        targets = self.y[rows] + 0.0
        sample_first, sample_of_row = distinct_rows(features)
        if len(sample_first) == len(kept):  # numbered in order of appearance
            self.row_of = self.owner = sample_of_row
            self.inputs, self.targets = features, targets
            self.sample_rows = self.residual_rows = kept
            return
        keys = np.column_stack([sample_of_row, targets])
        pair_first, pair_of_row = distinct_rows(keys)
        by_sample = np.argsort(sample_of_row[pair_first], kind="stable")
        pair_first = pair_first[by_sample]
        place = np.empty_like(by_sample)
        place[by_sample] = np.arange(len(place))
        self.row_of = place[pair_of_row]  # residual row of each row of weight > 0
        self.inputs = features.take(sample_first, axis=0)  # (distinct samples, q - 1)
        self.owner = sample_of_row[pair_first]  # sample of each residual row
        self.targets = targets[pair_first]  # (residual rows, K)
        self.sample_rows = kept[sample_first]  # first row of X with that input
        self.residual_rows = kept[pair_first]  # first row of X with that input and target

    def _decimals(self, wanted: bool) -> Decimals:
        """What exact arithmetic takes for decimals; rows of weight 0 have no say."""
        none = Decimals.none(self.shape[1] - 1, self.targets.shape[1])
        if not wanted:
            return none
        kept = self.sample_weight[self.sample_weight > 0]
        return Decimals(
            X=none.X if self.layer else places(self.inputs),
            y=places(self.targets),
            sample_weight=places(kept[:, None])[0],
            tau=places(np.array([[self.tau]]))[0],
            penalty=places(np.array([[self.penalty]]))[0] if self.penalty else None,
        )

    @property
    def share(self) -> Fraction:
        """The quantile tau, exactly: one tenth for 0.1, unless floats are taken as they are.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 1])
        >>> rw.LayerLoss(net, [[0.0]], [0.0], kind="pinball", tau=0.1).share
        Fraction(1, 10)
        """
        return fraction(self.tau, self.decimals.tau)

    @property
    def exact_penalty(self) -> Fraction:
        """The penalty, exactly: one tenth for 0.1, unless floats are taken as they are.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 1])
        >>> rw.LayerLoss(net, [[0.0]], [0.0], penalty=0.1).exact_penalty
        Fraction(1, 10)
        """
        return fraction(self.penalty, self.decimals.penalty)

    def _weigh(self) -> None:
        """Slopes of each residual row (rows, K) on both sides of its kink."""
        kept = self.sample_weight[self.sample_weight > 0]
        weight = np.asarray(np.bincount(self.row_of, kept, len(self.targets)), float)[:, None]
        self.left, self.right = slopes(self.kind, self.share, self.targets, weight)

    # ---------------------------------------------------------------- evaluation

    def parameters(self, theta: ArrayLike, name: str = "theta") -> Floats:
        """`theta` (h, q) or flat (D,) as a checked copy (h, q).

        ValueError, TypeError, which call it `name`, if it does not fit.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 2, 1]), [[0.0], [1.0]], [0.0, 1.0])
        >>> loss.parameters([1, 2, 3, 4])
        array([[1., 2.],
               [3., 4.]])
        """
        return self._shaped(real_array(name, theta, (1, 2), self._expected), name)

    @property
    def _expected(self) -> str:
        return f"of shape {self.shape} or ({self.dim},)"

    def _shaped(self, array: Floats, name: str) -> Floats:
        if array.shape not in (self.shape, (self.dim,)):
            raise ValueError(
                f"{name}: expected an array {self._expected}, found shape {array.shape}"
            )
        return array.reshape(self.shape)

    @property
    def theta(self) -> Floats:
        """Parameters (h, q) of the trained layer as the network has them."""
        return self.network.layer_parameters(self.layer)

    def random_start(self, seed: int = 0, scale: float | None = None) -> Floats:
        """Parameters (h, q) where searches start by default; the same for the same `seed`.

        With a `scale`: uniform on (-`scale`, `scale`), whatever the data.  Without, the same with 1
        for data of ordinary size: columns with a mean of at most 1.5 standard deviations, these
        of 0.1 to 20, and targets of 0.01 to 100 on average.

        Any other data (years, prices, counts) are standardised first, so that their units do not
        matter, and every neuron bends between two random samples.  With one hidden layer and one
        output, two neurons then make up the best linear function, if the weights above have both
        signs or its values lie on one side of the bias above; the others are added one by one, each
        of a size that lowers the loss.  So a walk cannot end above the best linear function.  With
        more layers above or more outputs, all neurons together are scaled, or added one by one.

        Parameters that searches do not move (see :attr:`free`) are 0: walks with and without
        columns that depend on others are the same.

        Examples
        --------
        >>> import numpy as np, reluplex_walk as rw
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 8, 1]), [[0.0], [1.0]], [0.0, 1.0])
        >>> start = loss.random_start(seed=3)
        >>> start.shape, bool((start == loss.random_start(seed=3)).all())
        ((8, 2), True)
        >>> years = np.arange(1950.0, 2021.0)[:, None]
        >>> y = 300.0 + 1.5 * np.maximum(0.0, years[:, 0] - 1990.0)
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 8, 1]), years, y)
        >>> loss(loss.random_start()) < rw.baselines(years, y).linear
        True
        """
        rng = np.random.default_rng(seed)
        theta = np.zeros(self.shape)
        if scale is None and not self.ordinary:
            start = self.standard_units.outer(fitted_start(self._standardised, rng), theta)
            return np.clip(start, -LARGEST, LARGEST)  # for columns of 1e-100
        size = 1.0 if scale is None else scale
        theta[self.free] = rng.uniform(-size, size, self.n_free)
        return theta

    @cached_property
    def ordinary(self) -> bool:
        """Whether inputs and targets are of ordinary size, as :meth:`random_start` has it.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 3, 1])
        >>> [rw.LayerLoss(net, [[x], [x + 1]], [0.0, 1.0]).ordinary for x in (0.0, 1950.0)]
        [True, False]
        """
        return ordinary(self.standard_units.units, self.targets)

    @cached_property
    def standard_units(self) -> FreeUnits:
        """From parameters to the free ones in standardised inputs, as starts and kicks are drawn.

        Examples
        --------
        >>> import numpy as np, reluplex_walk as rw
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 1]), [[1999.0], [2001.0]], [0.0, 1.0])
        >>> loss.standard_units.outer(np.array([[1.0, 0.0]]))  # 0 in the middle
        array([[ 1.e+00, -2.e+03]])
        """
        units = Units.standard(self.inputs, self.fit_intercept)
        return FreeUnits.of(self.dependence, units, self.fit_intercept)

    @cached_property
    def _standardised(self) -> Data:
        x = self.standard_units.inputs(self.inputs)
        return Data(x, self.fit_intercept, self.tail, self.network.negative_slope, self._arrays(x))

    @property
    def tail(self) -> list[tuple[Floats, Floats]]:
        """Weights (n_{l+1}, n_l) and biases (n_{l+1},) of the layers above the trained one.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([4, 5, 3, 1])
        >>> loss = rw.LayerLoss(net, [[0.0, 1.0, 2.0, 3.0]], [1.0])
        >>> [(w.shape, b.shape) for w, b in loss.tail]
        [((3, 5), (3,)), ((1, 3), (1,))]
        """
        above = slice(self.layer + 1, None)
        return list(zip(self.network.weights[above], self.network.biases[above], strict=True))

    @property
    def n_hidden(self) -> int:
        """Hidden layers from the trained one upwards (0: plain linear regression)."""
        return len(self.tail)

    def pre_activations(self, theta: Floats, inputs: Floats) -> list[Floats]:
        """Those of the trained and every later layer at `theta` (h, q), each (n, width).

        For rows `inputs` (n, q - 1) of what the trained layer receives; nothing is checked.

        Examples
        --------
        >>> import numpy as np, reluplex_walk as rw
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 3, 1]), [[0.0], [1.0]], [0.0, 1.0])
        >>> [part.shape for part in loss.pre_activations(loss.theta, np.ones((7, 1)))]
        [(7, 3), (7, 1)]
        """
        values = [inputs @ theta[:, :-1].T + theta[:, -1]]
        for w, b in self.tail:
            values.append(self.network.activation(values[-1]) @ w.T + b)
        return values

    def _residual_slopes(self, residual_signs: NDArray) -> Floats:
        return np.where(residual_signs >= 0, self.right, -self.left)

    def __call__(self, theta: ArrayLike) -> float:
        """The loss at `theta`, (h, q) or (D,); ValueError, TypeError if it does not fit.

        Walks may come to parameters that are too large for what else there is: inf where floats
        do not hold the loss.
        """
        point = self._shaped(real_array("theta", theta, (1, 2), self._expected, FLOATS), "theta")
        return self.value(point)

    def value(self, theta: Floats) -> float:
        """The loss at `theta` (h, q), which is not checked: what calls give, for loops.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([1, 2, 1]), [[0.0], [1.0]], [0.0, 1.0])
        >>> loss.value(loss.theta) == loss(loss.theta)
        True
        """
        layers = [(theta[:, :-1], theta[:, -1]), *self.tail]
        with np.errstate(over="ignore", invalid="ignore"):
            residuals = outputs(self.inputs, layers, self.network.negative_slope)
            if len(self.owner) > len(residuals):
                residuals = residuals[self.owner]
            residuals -= self.targets
            value = float((self._residual_slopes(residuals) * residuals).sum())
            if self.penalty:
                value += self.penalty * penalties.size(theta)
        return np.inf if np.isnan(value) else value

    def breakpoints(self, theta: ArrayLike) -> list[Floats]:
        """Values of all breakpoint functions at `theta`, per row of `X`.

        Returns
        -------
        list of ndarray
            One (n, width) array per hidden layer from the trained one upwards, then the
            residuals (n, n_out); with a penalty the weights (inputs, h) of the trained layer.

        Raises
        ------
        ValueError, TypeError
            If `theta` does not fit.

        Examples
        --------
        The hidden neuron ``x - 1`` and the residuals ``max(0, x - 1) - y``:

        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork([[[1.0]], [[1.0]]], [[0.0], [0.0]])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [0.0, 1.0, 1.0])
        >>> [values.ravel().tolist() for values in loss.breakpoints([[1.0, -1.0]])]
        [[-1.0, 0.0, 1.0], [0.0, -1.0, 0.0]]
        """
        theta = self.parameters(theta)
        values = self.pre_activations(theta, self.network.features(self.X, self.layer))
        values[-1] = values[-1] - self.y
        return [*values, theta[:, :-1].T.copy()] if self.penalty else values

    def pattern(self, theta: ArrayLike, zero: float | None = None) -> Pattern:
        """Activation pattern at `theta`: the signs -1, 0, +1 of :meth:`breakpoints`, as int8.

        `zero` (default :class:`Tolerances`.zero) is the size up to which a breakpoint counts as
        0, relative to the largest sum of absolute terms in its layer.  ValueError, TypeError if
        an argument does not fit.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork([[[1.0]], [[1.0]]], [[0.0], [0.0]])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [0.0, 1.0, 1.0])
        >>> [signs.ravel().tolist() for signs in loss.pattern([[1.0, -1.0 + 1e-15]])]
        [[-1, 0, 1], [0, -1, 0]]
        """
        values = self.breakpoints(theta)
        bounds = self._zero_bounds(self.parameters(theta), zero)
        return [
            np.where(np.abs(v) <= b, 0, np.sign(v)).astype(np.int8)
            for v, b in zip(values, bounds, strict=True)
        ]

    def _zero_bounds(self, theta: Floats, zero: float | None) -> list[float | Floats]:
        """Size up to which a breakpoint of each layer counts as 0, at `theta`."""
        relative = TOLERANCES.zero if zero is None else real("zero", zero)
        if relative < 0:
            raise ValueError(f"zero: expected a number >= 0, found {relative}")
        sizes = [float(terms.max()) for terms in self.terms(theta)]
        sizes[-1] = max(sizes[-1], float(np.abs(self.targets).max()))
        bounds: list[float | Floats] = [relative * size for size in sizes]
        if self.penalty:
            bounds.append(penalties.zero_bounds(self.inputs, relative * sizes[0]))
        return bounds

    def terms(self, theta: Floats) -> list[Floats]:
        """Sums of the absolute terms that each breakpoint's value at `theta` (h, q) is made of.

        One (distinct samples, width) array per layer from the trained one upwards; the rounding
        of a value is relative to them.

        Examples
        --------
        >>> import numpy as np, reluplex_walk as rw
        >>> loss = rw.LayerLoss(rw.ReLUNetwork([[[1.0]]], [[0.0]]), [[3.0], [-3.0]], [1.0, 2.0])
        >>> loss.terms(np.array([[1.0, -3.0]]))[0].ravel()  # of 3 - 3 and -3 - 3
        array([6., 6.])
        """
        inputs, sizes = self.inputs, []
        for w, b in [(theta[:, :-1], theta[:, -1]), *self.tail]:
            sizes.append(np.abs(inputs) @ np.abs(w).T + np.abs(b))
            inputs = self.network.activation(inputs @ w.T + b)
        return sizes

    def magnitude(self, theta: Floats) -> float:
        """Sum of the absolute terms the loss at `theta` (h, q) is made of.

        Examples
        --------
        >>> import numpy as np, reluplex_walk as rw
        >>> loss = rw.LayerLoss(rw.ReLUNetwork([[[1.0]]], [[0.0]]), [[3.0], [-3.0]], [0.0, -6.0])
        >>> theta = np.array([[1.0, -3.0]])  # an exact fit, by cancellation
        >>> loss(theta), loss.magnitude(theta)
        (0.0, 18.0)
        """
        cost = np.maximum(self.left, self.right)
        terms = self.terms(theta)[-1][self.owner] + np.abs(self.targets)
        return float((cost * terms).sum()) + self.penalty * penalties.size(theta)

    @cached_property
    def target_size(self) -> float:
        """Sum of ``w |y|``, over outputs too: the size of losses that are not small.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> loss = rw.LayerLoss(rw.ReLUNetwork([[[1.0]]], [[0.0]]), [[3.0], [-3.0]], [1.0, -6.0])
        >>> loss.target_size
        7.0
        """
        return float((self.sample_weight[:, None] * np.abs(self.y)).sum())

    def reproduces(self, theta: Floats, value: float) -> bool:
        """Whether the loss at `theta` (h, q) is `value`, as far as double precision can tell.

        It is not where the data exceed what double precision can tell apart.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> loss = rw.LayerLoss(rw.ReLUNetwork([[[1.0]]], [[0.0]]), [[0.0], [1.0]], [0.0, 2.0])
        >>> loss.reproduces(loss.theta, 1.0 + 1e-12), loss.reproduces(loss.theta, 1.1)
        (True, False)
        """
        here = self(theta)
        cost = np.maximum(self.left, self.right)
        targets = float((cost * np.abs(self.targets)).sum())
        scale = PROBLEM.targets * targets + PROBLEM.terms * self.magnitude(theta)
        return abs(here - value) <= PROBLEM.share * here + scale

    def gradient(self, theta: ArrayLike, pattern: Pattern | None = None) -> Floats:
        """Gradient (h, q) of the affine piece of the loss that `theta` lies in.

        Parameters
        ----------
        theta : array_like (h, q) or (D,)
        pattern : list of arrays, optional
            The region to take the gradient of, as from :meth:`pattern`; default that of `theta`.
            Zeros count as +1.

        Returns
        -------
        ndarray (h, q)
            Where breakpoints vanish at `theta` they count as positive, all of them, which need
            not be a region that `theta` borders on.

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> loss = rw.LayerLoss(rw.ReLUNetwork([[[1.0]]], [[0.0]]), [[2.0]], [1.0])
        >>> loss.gradient([[1.0, 0.0]])
        array([[2., 1.]])
        >>> loss.gradient([[1.0, 0.0]], loss.pattern([[0.0, 0.0]]))  # on the other side
        array([[-2., -1.]])
        """
        theta = self.parameters(theta)
        signs = self.pattern(theta, 0.0) if pattern is None else self._checked_pattern(pattern)
        rows = [s[self.sample_rows] for s in signs[: self.n_hidden]]
        residuals = signs[self.n_hidden][self.residual_rows]
        back = self._of_samples(self._residual_slopes(residuals))
        for (w, _), sign in zip(reversed(self.tail), reversed(rows), strict=True):
            back = (back @ w) * np.where(sign >= 0, 1.0, self.network.negative_slope)
        gradient = np.column_stack([back.T @ self.inputs, back.sum(axis=0)])
        if self.penalty:
            gradient += self.penalty * penalties.gradient(signs[-1] >= 0)
        return gradient

    def _of_samples(self, slopes: Floats) -> Floats:
        """Sums over the residual rows (m, K) of each sample."""
        n = len(self.inputs)
        if len(slopes) == n:  # each sample has one, in order
            return slopes
        return np.column_stack([np.bincount(self.owner, column, n) for column in slopes.T])

    def _checked_pattern(self, pattern: Pattern) -> Pattern:
        widths, n = self.network.widths[self.layer + 1 :], len(self.X)
        signs = [
            np.sign(real_array(f"pattern[{k}]", part, 2)).astype(np.int8)
            for k, part in enumerate(sequence("pattern", pattern))
        ]
        expected, found = [(n, width) for width in widths], [part.shape for part in signs]
        if self.penalty:
            expected.append((self.shape[1] - 1, self.shape[0]))
        if found != expected:
            raise ValueError(f"pattern: expected arrays of shapes {expected}, found {found}")
        return signs

    def directional_derivative(
        self, theta: ArrayLike, direction: ArrayLike, zero: float | None = None
    ) -> float:
        """One-sided derivative ``lim_{t -> 0+} (F(theta + t d) - F(theta)) / t``.

        Exact also where breakpoints vanish: their side is then the one `direction` leads to.

        Parameters
        ----------
        theta : array_like (h, q) or (D,)
            The point.
        direction : array_like (h, q) or (D,)
            The direction d, of any length.
        zero : float, optional
            As in :meth:`pattern`; 0.0 takes the computed values at their word.

        Returns
        -------
        float

        Raises
        ------
        ValueError, TypeError
            If an argument does not fit.

        Examples
        --------
        From the kink of ``|2 w - 1|`` the loss ascends both ways:

        >>> import reluplex_walk as rw
        >>> loss = rw.LayerLoss(rw.ReLUNetwork([[[1.0]]], [[0.0]]), [[2.0]], [1.0])
        >>> [loss.directional_derivative([0.5, 0.0], [d, 0.0]) for d in (1.0, -1.0)]
        [2.0, 2.0]
        """
        point, d = self.parameters(theta), self.parameters(direction, "direction")
        values = self.pre_activations(point, self.inputs)
        residuals = values[-1][self.owner] - self.targets
        bounds = self._zero_bounds(point, zero)
        rates = self.inputs @ d[:, :-1].T + d[:, -1]
        for (w, _), value, bound in zip(self.tail, values, bounds, strict=False):
            positive = np.where(np.abs(value) > bound, value, rates) >= 0
            rates = np.where(positive, rates, self.network.negative_slope * rates) @ w.T
        rates = rates[self.owner]
        side = np.where(np.abs(residuals) > bounds[self.n_hidden], residuals, rates)
        slope = float((self._residual_slopes(side) * rates).sum())
        if self.penalty:
            weights, moves = point[:, :-1].T, d[:, :-1].T
            side = np.where(np.abs(weights) > bounds[-1], weights, moves)
            slope += self.penalty * float((np.sign(side) * moves).sum())
        return slope

    # ---------------------------------------------------------------- what searches move

    @cached_property
    def dependence(self) -> Aliased:
        """The aliased inputs of the trained layer, and what they are combinations of.

        Examples
        --------
        A column of threes is three times the constant:

        >>> import reluplex_walk as rw
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([2, 1]), [[3.0, 1.0], [3.0, 2.0]], [0.0, 1.0])
        >>> loss.dependence.combination  # the constant is last
        array([[0., 0., 3.]])
        """
        if self.penalty:  # the loss is determined by all weights
            return Aliased(np.zeros(0, np.int64), np.zeros((0, self.shape[1])))
        return find(self.inputs, self.fit_intercept)

    @property
    def aliased(self) -> NDArray[np.int64]:
        """Input columns of the trained layer that those before and the constant determine.

        Up to rounding: 1e-12 of their norm.  Walks leave their weights where the start has them.
        None with a penalty, which determines all weights.

        Examples
        --------
        The third is the second from another zero:

        >>> import reluplex_walk as rw
        >>> X = [[11.3, 1.5, -9.0], [7.2, 2.0, -8.5], [14.6, 7.0, -3.5]]  # few samples: no warning
        >>> rw.LayerLoss(rw.ReLUNetwork.random([3, 1]), X, [0.0, 1.0, 2.0]).aliased
        array([2])
        """
        return self.dependence.columns

    @cached_property
    def free(self) -> NDArray[np.bool_]:
        """(h, q) The parameters that searches move: not those of aliased columns.

        Nor the biases with ``fit_intercept=False``.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([2, 1])
        >>> loss = rw.LayerLoss(net, [[3.0, 1.0], [3.0, 2.0]], [0.0, 1.0])
        >>> loss.free, loss.n_free
        (array([[False,  True,  True]]), 2)
        """
        free = np.ones(self.shape, np.bool_)
        free[:, self.aliased] = False
        free[:, -1] = self.fit_intercept
        return free

    @property
    def n_free(self) -> int:
        """How many parameters are :attr:`free`.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([2, 5, 1])
        >>> loss = rw.LayerLoss(net, [[3.0, 1.0], [3.0, 2.0]], [0.0, 1.0])
        >>> loss.dim, loss.n_free
        (15, 10)
        """
        return int(self.free.sum())

    @property
    def free_shape(self) -> tuple[int, int]:
        """(h, r): the free parameters by neuron.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([2, 5, 1])
        >>> rw.LayerLoss(net, [[3.0, 1.0], [3.0, 2.0]], [0.0, 1.0]).free_shape
        (5, 2)
        """
        return self.shape[0], int(self.free[0].sum())

    @cached_property
    def free_units(self) -> FreeUnits:
        """The map between parameters and those that kernels of searches move.

        Examples
        --------
        Of the weights 1 and 2 and the bias 0.5 on (3, x), the second weight and the bias are free:

        >>> import numpy as np, reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([2, 1])
        >>> units = rw.LayerLoss(net, [[3.0, 1.0], [3.0, 2.0]], [0.0, 1.0]).free_units
        >>> start = np.array([[1.0, 2.0, 0.5]])
        >>> units.inner(start), units.outer(np.array([[5.0, 4.5]]), start)
        (array([[2. , 3.5]]), array([[1. , 5. , 1.5]]))
        """
        units = self.units if self.fit_intercept else Units.of(self.inputs, shift=False)
        return FreeUnits.of(self.dependence, units, self.fit_intercept)

    @cached_property
    def free_kernel(self) -> KernelArrays:
        """The loss of the free parameters as arrays for searches; biases that do not move are 0.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([2, 1]), [[3.0, 1.0], [3.0, 2.0]], [0.0, 1.0])
        >>> loss.kernel.x.shape, loss.free_kernel.x.shape
        ((3, 2), (2, 2))
        """
        if self.free.all():
            return self.kernel
        outer = self.free_units.outer(np.eye(self.free_shape[1]))
        return self._arrays(self.free_units.inputs(self.inputs), outer)

    def kernel_from(self, anchor: Floats) -> KernelArrays:
        """:attr:`free_kernel` for searches whose held parameters are as in `anchor` (h, q).

        Examples
        --------
        >>> import numpy as np, reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 1])
        >>> loss = rw.LayerLoss(net, [[1.0], [2.0]], [0.0, 1.0], fit_intercept=False)
        >>> loss.kernel_from(np.array([[2.0, 0.5]])).bias
        array([0.5])
        """
        kernel = self.free_kernel
        if self.fit_intercept:
            return kernel
        held = np.append(anchor[:, -1], kernel.bias[self.shape[0] :])
        if not self.penalty or self.n_hidden:
            return replace(kernel, bias=held)
        y, weights = kernel.y.copy(), self.shape[1] - 1  # of outputs weights are without biases
        y[:, -weights:] = anchor[:, -1:]
        return replace(kernel, bias=held, y=y)

    # ---------------------------------------------------------------- for the kernels

    @cached_property
    def units(self) -> Units:
        """The units the kernels see the inputs in: columns far from 0 are shifted, exactly.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> years = [[2000.0], [2001.0], [2002.0]]
        >>> rw.LayerLoss(rw.ReLUNetwork.random([1, 1]), years, [0.0, 1.0, 2.0]).units.centre
        array([2001.])
        """
        return Units.of(self.inputs)

    @cached_property
    def kernel(self) -> KernelArrays:
        """The loss as arrays for :mod:`reluplex_walk.native`.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> loss = rw.LayerLoss(rw.ReLUNetwork.random([2, 3, 1]), [[0.0, 1.0]] * 9, range(9))
        >>> loss.kernel.x.shape, loss.kernel.y.shape  # (q, samples), (n_out, residual rows)
        ((3, 1), (1, 9))
        """
        inner = self.units.inner_inputs(self.inputs)
        x = np.column_stack([inner, np.ones(len(inner))])
        return self._arrays(x, self.units.outer(np.eye(self.shape[1])))

    def _arrays(self, x: Floats, outer: Floats | None = None) -> KernelArrays:
        """Those for inputs `x` (n, r); with the penalty, if `outer` (r, q) tells the weights."""
        penalised = penalties.rows(outer) if self.penalty and outer is not None else None
        return kernel_arrays(
            x,
            self.tail,
            self.network.negative_slope,
            self.owner,
            self.targets,
            self.left,
            self.right,
            penalised,
            self.penalty,
        )

    @cached_property
    def index(self) -> BreakpointIndex:
        """Ids of all breakpoints, and what they stand for.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 2, 1])
        >>> index = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0]).index
        >>> index.size, index.hidden, index.start.tolist()
        (9, 6, [0, 6, 9])
        """
        widths = tuple(self.network.widths[self.layer + 1 :])
        rows = (*[self.sample_rows] * self.n_hidden, self.residual_rows)
        if not self.penalty:
            return BreakpointIndex(widths, rows, len(self.X), self.n_hidden)
        h, p = self.shape[0], self.shape[1] - 1
        widths, rows = (*widths, h), (*rows, np.arange(p))
        return BreakpointIndex(widths, rows, max(len(self.X), p), self.n_hidden)

    def locate(self, ids: ArrayLike) -> NDArray[np.int64]:
        """Breakpoint ids of the kernels, `ids` (k,), as rows (layer, sample, neuron), (k, 3).

        ``layer`` counts hidden layers from the trained one (0) upwards, ``n_hidden`` stands for
        the residuals; ``sample`` is the first row of `X` the breakpoint belongs to; ``neuron``
        the neuron of that layer (the output, for residuals).  With a penalty ``n_hidden + 1``
        stands for the weights, ``sample`` for their input.  FREE ids (-1) are left out.
        ValueError, TypeError if `ids` are no such integers.

        Examples
        --------
        Two neurons and three samples: ids 0 to 5 are hidden, 6 to 8 residuals.

        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 2, 1])
        >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [0.0, 1.0, 0.0])
        >>> loss.locate([0, 4, -1, 8]).tolist()
        [[0, 0, 0], [0, 1, 1], [1, 2, 0]]
        """
        return self.index.locate(integers("ids", ids, -1, self.index.size - 1))

    @cached_property
    def fingerprint(self) -> str:
        """Hashes of everything that defines the loss: ``network=... X=... y=...`` and so on.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 2, 1])
        >>> a, b = (rw.LayerLoss(net, [[0.0]], [y]).fingerprint.split() for y in (1.0, 2.0))
        >>> [part.split("=")[0] for part, other in zip(a, b) if part != other]
        ['y']
        """
        parts = {"layer": str(self.layer), "kind": self.kind, "tau": repr(self.tau)}
        parts["decimals"] = str(self.decimals)
        if not self.fit_intercept:
            parts["fit_intercept"] = "False"
        if self.penalty:
            parts["penalty"] = repr(self.penalty)
        data = {"X": self.X, "y": self.y, "sample_weight": self.sample_weight}
        return as_text({**parts, **digests(self.network, **data)})

    def __repr__(self) -> str:
        kind = f"pinball, tau={self.tau:g}" if self.kind == "pinball" else self.kind
        kind += f", penalty={self.penalty:g}" if self.penalty else ""
        return f"LayerLoss({self.network!r}, n={len(self.X)}, layer={self.layer}, {kind})"


__all__ = ["LayerLoss", "Pattern"]
