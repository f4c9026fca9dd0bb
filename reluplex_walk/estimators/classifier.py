"""`ReLUClassifier`: averaged networks with an output for each class, by the hinge loss."""

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from .._limits import Limits
from ..problem.aliased import RankWarning
from ..problem.loss import LayerLoss
from ..problem.network import ReLUNetwork
from ..proof.certificate import Certificate
from ..simplex.trajectory import Trajectory
from ..simplex.walk import walk
from ._checks import inputs
from ._members import Loss, Rows, centre_and_scale, held_out, merged, start, train_member
from ._options import FEWEST, OUTPUT_SHARE, Options
from ._stacked import Part, in_units, outputs_of, stacked

Floats = NDArray[np.float64]

_PROOF = 0.5  # seconds, counted as work, for the proof of one output


class ReLUClassifier(ClassifierMixin, BaseEstimator):
    """Networks of ReLU neurons for two or more classes, by the hinge loss.

    The average of `n_nets` small networks with an output for each class against all others (for two
    classes: one output).  Each is trained on all rows but a fold, stopped where that fold likes it
    best, and given an exact output layer.  Features are standardised within.

    Parameters
    ----------
    hidden : int or sequence of int, default (8,)
        Widths of the hidden layers.
    penalty : float, default 0.2
        How strongly weights are drawn to 0: by so much of the length of each step (an L1 penalty,
        decoupled from the steps).
    n_nets : int, default 5
        Networks that are averaged.
    validation_fraction : float, optional
        Share of the rows that each network holds out, drawn anew for each; by default the rows are
        dealt to as many folds as there are networks (for one network: a fifth).
    n_steps : int, default 1000
        Steps of each network, the budget.
    time_limit : float, optional
        Seconds; networks that are not begun until then are left out.
    random_state : int, RandomState or None, default 0
        Of starts and folds.

    Attributes
    ----------
    classes_ : ndarray (k,)
        The labels.
    network_ : ReLUNetwork
        What decides, as one network of the features as given.
    fits_ : tuple of Trajectory
        The exact fits of the output layers, network by network and class by class.
    certificates_ : tuple of Certificate
        Their proofs.  Hidden layers are stopped before a minimum, and nothing is claimed of them.
    n_iter_ : int
        Steps made.
    n_features_in_, feature_names_in_ : int, ndarray (p,)
        Of the data of :meth:`fit`; names of data frames alone.

    Notes
    -----
    The hinge loss knows no probabilities: there is no ``predict_proba``;
    ``sklearn.calibration.CalibratedClassifierCV`` makes some from ``decision_function``.

    Examples
    --------
    >>> import numpy as np
    >>> from reluplex_walk.estimators import ReLUClassifier
    >>> X = np.random.default_rng(0).uniform(-1, 1, (200, 2))
    >>> inside = np.where(np.abs(X).sum(axis=1) < 0.8, "in", "out")
    >>> model = ReLUClassifier(n_nets=2).fit(X, inside)
    >>> model.predict([[0.0, 0.0], [0.9, 0.9]]), model.classes_
    (array(['in', 'out'], dtype='<U3'), array(['in', 'out'], dtype='<U3'))
    >>> model.score(X, inside) > 0.9, all(each.is_global for each in model.certificates_)
    (True, True)
    """

    def __init__(
        self,
        hidden: int | Sequence[int] = (8,),
        penalty: float = 0.2,
        n_nets: int = 5,
        validation_fraction: float | None = None,
        n_steps: int = 1000,
        time_limit: float | None = None,
        random_state: Any = 0,
    ) -> None:
        self.hidden = hidden
        self.penalty = penalty
        self.n_nets = n_nets
        self.validation_fraction = validation_fraction
        self.n_steps = n_steps
        self.time_limit = time_limit
        self.random_state = random_state

    def fit(
        self, X: ArrayLike, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> "ReLUClassifier":
        """Fit to `X` (n, p) and labels `y` (n,), with weights >= 0 `sample_weight` (n,).

        Returns self.  Raises ValueError or TypeError if an argument does not fit.

        Examples
        --------
        >>> from reluplex_walk.estimators import ReLUClassifier
        >>> model = ReLUClassifier(n_nets=2).fit([[0.0], [1.0], [2.0], [3.0]] * 5, list("abab") * 5)
        >>> model.predict([[0.0], [3.0]])
        array(['a', 'b'], dtype='<U1')
        """
        options, limits = Options.of(self), Limits.asked(self.time_limit, None)
        checked, labels = validate_data(self, X, y, dtype=np.float64)
        check_classification_targets(labels)
        weight = None
        if sample_weight is not None:
            weight = _check_sample_weight(
                sample_weight, checked, dtype=np.float64, ensure_non_negative=True
            )
        self.classes_, which = np.unique(labels, return_inverse=True)
        k = len(self.classes_)
        if k < 2:
            raise ValueError("y: expected labels of at least two classes, found one class")
        signs = np.where(np.arange(k) == which[:, None], 1.0, -1.0)
        rows = merged(checked, signs if k > 2 else signs[:, 1:], weight)
        with limits:
            networks, self.fits_, self.n_iter_ = _members(rows, options, limits)
        limits.pass_on()
        share = 1.0 / max(len(networks), 1)
        each = [outputs_of(network) for network in networks]
        parts = [Part(j, share, one) for found in each for j, one in enumerate(found)]
        self.network_ = stacked(parts, rows.X.shape[1], np.zeros(rows.y.shape[1]))
        return self

    def decision_function(self, X: ArrayLike) -> Floats:
        """Outputs at the rows of `X` (m, p): (m,) for two classes, else (m, k).

        Raises ValueError if `X` does not fit, NotFittedError before a fit.

        Examples
        --------
        >>> from reluplex_walk.estimators import ReLUClassifier
        >>> model = ReLUClassifier(n_nets=2).fit([[0.0], [1.0], [2.0], [3.0]] * 5, [0, 0, 1, 1] * 5)
        >>> model.decision_function([[0.0], [3.0]]) > 0.0
        array([False,  True])
        """
        check_is_fitted(self)
        found = self.network_(inputs(self, X))
        return found[:, 0] if found.shape[1] == 1 else found

    def predict(self, X: ArrayLike) -> NDArray[Any]:
        """Labels (m,) at the rows of `X` (m, p).

        Examples
        --------
        >>> from reluplex_walk.estimators import ReLUClassifier
        >>> model = ReLUClassifier(n_nets=2).fit([[0.0], [1.0], [2.0], [3.0]] * 5, [0, 0, 1, 1] * 5)
        >>> model.predict([[0.0], [3.0]])
        array([0, 1])
        """
        found = self.decision_function(X)
        which = (found > 0.0).astype(int) if found.ndim == 1 else found.argmax(axis=1)
        return np.asarray(self.classes_[which])

    @property
    def certificates_(self) -> tuple[Certificate, ...]:
        """The proofs of `fits_`: each output layer is a global minimum of its own loss."""
        check_is_fitted(self)
        return tuple(fit.certificate for fit in self.fits_)


def _members(
    rows: Rows, options: Options, limits: Limits
) -> tuple[list[ReLUNetwork], tuple[Trajectory, ...], int]:
    """Networks of the features as given, the fits of their output layers, steps made."""
    mean, scale = centre_and_scale(rows.X, rows.w)
    within = rows._replace(X=(rows.X - mean) / scale)
    rng = np.random.default_rng(options.seed)
    networks, fits, steps = list[ReLUNetwork](), list[Trajectory](), 0
    for held in held_out(len(rows.y), options.n_nets, options.held, rng):
        if networks and limits.over is not None:
            break
        few = len(rows.y) < FEWEST  # too few to hold some out
        seen, rest = (within, within) if few else (within.some(~held), within.some(held))
        widths = [seen.X.shape[1], *options.hidden, seen.y.shape[1]]
        theta = start(widths, seen.X, rng)
        trained = train_member(
            seen, rest, Loss("hinge", None), theta, widths, options.penalty, options.n_steps, limits
        )
        alpha = OUTPUT_SHARE * options.penalty
        each = enumerate(outputs_of(trained.network))
        ends = [_output(one, seen, j, alpha, limits) for j, one in each]
        output = np.vstack([end.theta for end in ends])
        network = trained.network.with_layer(trained.network.n_layers - 1, output)
        networks.append(in_units(network, mean, scale))
        fits += ends
        steps += trained.steps
    return networks, tuple(fits), steps


def _output(network: ReLUNetwork, seen: Rows, j: int, alpha: float, limits: Limits) -> Trajectory:
    """The exact fit of the output layer of one class."""
    last = network.n_layers - 1
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RankWarning)
        loss = LayerLoss(
            network, seen.X, seen.y[:, j], layer=last, kind="hinge", sample_weight=seen.w,
            penalty=alpha * float(seen.w.sum()),
        )  # fmt: skip
        return walk(loss, step="long", time_limit=limits.remaining, proof_budget=_PROOF)


__all__ = ["ReLUClassifier"]
