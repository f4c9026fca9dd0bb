"""`TrainingFit`: a trained network, with a certificate for each of its layers."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..._conversions import optimize_result, pandas
from ..._shown import repr_html
from ...ended import Ended
from ...problem.loss import LayerLoss
from ...problem.network import ReLUNetwork
from ...proof.certificate import Certificate
from ...proof.check import CertificateError
from . import file
from .layers import gap, reproduces
from .problem import Samples, layer_loss
from .search import Round

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]

_STATUS = {
    Ended.FINISHED: "certified",
    Ended.WORK_LIMIT: "rounds",
    Ended.TIME_LIMIT: "time_limit",
    Ended.INTERRUPTED: "interrupted",
    Ended.STOPPED: "stopped",
}


@dataclass(frozen=True, eq=False)
class TrainingFit:
    """What :func:`train` returns: a network, and what is proved of its layers.

    Attributes
    ----------
    network : ReLUNetwork
        The trained network, in the units of the data.
    loss : float
        Its loss on the data given, the sum over samples and outputs, without the penalty.
    certificates : tuple of Certificate or None
        One for each layer of the network, about ``layer_loss(layer)``: the loss of that layer, the
        others as they are.  None for layers that were not trained, or not looked at in time.
    kind, tau, penalty, layers
        What was minimised, and by which layers.
    rounds : tuple of Round
        The search, a row for each start; :meth:`to_frame` makes a table of it.
    validation_loss : float or None
        Mean loss of the held-out samples, if there were any.
    seed : int
    ended : Ended
        FINISHED where every trained layer is proved to be at a local minimum; else what ended the
        search: WORK_LIMIT after all rounds, TIME_LIMIT, INTERRUPTED, STOPPED by the held-out loss.
    elapsed : float
        Seconds, without those in which kernels were compiled.
    X, y, sample_weight : ndarray
        The data given.

    Notes
    -----
    No floats hold the exact minima of all layers at once: rounding one layer moves those of the
    others by their last digits.  A layer is certified if it is within rounding of the exact point
    of its certificate: in parameters within 1e-9 of the largest (``TOLERANCES``' record for
    searches, `near`), and in loss as near as any claim demands (1e-9 of it).  :meth:`gap` says how
    near.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> data = rw.datasets.load_motorcycle()
    >>> fit = rw.train(rw.ReLUNetwork.random([1, 3, 1], seed=0), data.X, data.y, rounds=3)
    >>> fit.certified, [certificate.is_local_minimum for certificate in fit.certificates]
    (True, [True, True])
    >>> fit.verify()  # by the independent checker, in rational arithmetic
    >>> fit.loss < rw.baselines(data.X, data.y).linear
    True
    """

    network: ReLUNetwork
    loss: float
    certificates: tuple[Certificate | None, ...]
    kind: str
    tau: float | None
    penalty: float
    layers: tuple[int, ...]
    rounds: tuple[Round, ...]
    validation_loss: float | None
    seed: int
    ended: Ended
    elapsed: float
    X: Floats
    y: Floats
    sample_weight: Floats

    @property
    def certified(self) -> bool:
        """Whether every trained layer is proved to be at a local minimum of its loss."""
        return all(each is not None and each.is_local_minimum for each in self._of_trained())

    @property
    def status(self) -> str:
        """What ended the training: certified, rounds, time_limit, interrupted or stopped.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 1, 1], seed=0)
        >>> rw.train(net, [[0.0], [1.0], [2.0]], [0.0, 0.0, 1.0], rounds=1).status
        'certified'
        """
        return _STATUS[self.ended]

    @property
    def objective(self) -> float:
        """Loss plus penalty, which was minimised.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 1, 1], seed=0)
        >>> fit = rw.train(net, [[0.0], [1.0], [2.0]], [0.0, 0.0, 1.0], rounds=1)
        >>> fit.objective == fit.loss
        True
        """
        weights = sum(float(np.abs(self.network.weights[layer]).sum()) for layer in self.layers)
        return self.loss + (self.penalty * weights if self.penalty else 0.0)

    def layer_loss(self, layer: int) -> LayerLoss:
        """The loss of one `layer`, the others as they are, which its certificate is about.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 1, 1], seed=0)
        >>> fit = rw.train(net, [[0.0], [1.0], [2.0]], [0.0, 0.0, 1.0], rounds=1)
        >>> check = fit.certificates[0].verify_exact(fit.layer_loss(0))
        >>> abs(float(check.loss) - fit.loss) < 1e-9
        True
        """
        samples = Samples(self.X, self.y, self.sample_weight)
        return layer_loss(self.network, samples, layer, self.kind, self.tau, self.penalty)

    def gap(self, layer: int) -> Fraction:
        """The loss of the network above that of the exact local minimum of `layer`.

        In rational arithmetic, of the floats as they are.  ValueError where there is no certificate
        with an exact point.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> data = rw.datasets.load_motorcycle()
        >>> fit = rw.train(rw.ReLUNetwork.random([1, 2, 1], seed=0), data.X, data.y, rounds=2)
        >>> 0.0 <= fit.gap(0) <= 1e-9 * fit.loss
        True
        """
        certificate = self.certificates[layer]
        if certificate is None or not certificate.is_local_minimum:
            raise ValueError(f"layer: expected one that is certified, found {layer}")
        loss = self.layer_loss(layer)
        return gap(loss, loss.theta, certificate)

    def verify(self) -> None:
        """Have the independent checker confirm what is claimed of every layer.

        Raises
        ------
        CertificateError
            (a ValueError) If a trained layer has no certificate, or anything differs.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 1, 1], seed=0)
        >>> rw.train(net, [[0.0], [1.0], [2.0]], [0.0, 0.0, 1.0], rounds=1).verify()
        """
        for layer in self.layers:
            certificate = self.certificates[layer]
            if certificate is None:
                raise CertificateError(f"layer {layer}: nothing is claimed")
            loss = self.layer_loss(layer)
            certificate.verify_exact(loss)
            if not reproduces(loss, loss.theta, certificate):
                raise CertificateError(f"layer {layer}: the network is not at the certified point")

    def predict(self, X: ArrayLike) -> Floats:
        """Outputs of the network (n, n_out), as ``network(X)``.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 1, 1], seed=0)
        >>> fit = rw.train(net, [[0.0], [1.0], [2.0]], [0.0, 0.0, 1.0], rounds=1)
        >>> fit.predict([[0.0], [2.0]]).shape
        (2, 1)
        """
        return self.network(X)

    def to_frame(self) -> Any:
        """The rounds as a table of pandas, a row for each.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 1, 1], seed=0)
        >>> fit = rw.train(net, [[0.0], [1.0], [2.0]], [0.0, 0.0, 1.0], rounds=2)
        >>> list(fit.to_frame().columns)[:4]
        ['number', 'start', 'loss', 'best']
        """
        return pandas().DataFrame(self.rounds, columns=Round._fields)

    def to_scipy(self) -> Any:
        """A ``scipy.optimize.OptimizeResult``; ``success`` if `certified`.

        Then each trained layer is at a proved local minimum, the others as they are, which is no
        proof for all of them together.  ``x`` are the parameters of the trained layers one after
        the other, ``fun`` the `objective`, ``nit`` the rounds, and there are `certificates`.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 1, 1], seed=0)
        >>> found = rw.train(net, [[0.0], [1.0], [2.0]], [0.0, 0.0, 1.0], rounds=2).to_scipy()
        >>> found.success, found.message, found.x.shape
        (True, 'each trained layer is at a proved local minimum', (4,))
        """
        network, certified = self.network, self.certified
        proved = "each trained layer is at a proved local minimum"
        return optimize_result(
            np.concatenate([network.layer_parameters(k).ravel() for k in self.layers]),
            self.objective,
            success=certified,
            ended=self.ended,
            message=proved if certified else self.ended.message,
            nit=len(self.rounds),
            certificates=self.certificates,
        )

    def plot(self, ax: "Axes | None" = None, title: str | None = None) -> "Axes":
        """Losses by round on `ax`, with a `title`: see ``plotting.plot_training``.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> from matplotlib.figure import Figure
        >>> net = rw.ReLUNetwork.random([1, 1, 1], seed=0)
        >>> fit = rw.train(net, [[0.0], [1.0], [2.0]], [0.0, 0.0, 1.0], rounds=2)
        >>> fit.plot(Figure().subplots()).get_xlabel()
        'round'
        """
        from ...plotting import plot_training

        return plot_training(self, ax, title)

    def save(self, path: str | Path, force: bool = False) -> None:
        """Write all of it, data and certificates, to `path` (npz).

        FileExistsError if it exists, unless `force`.

        Examples
        --------
        >>> import pathlib, tempfile, reluplex_walk as rw
        >>> net = rw.ReLUNetwork.random([1, 1, 1], seed=0)
        >>> fit = rw.train(net, [[0.0], [1.0], [2.0]], [0.0, 0.0, 1.0], rounds=1)
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     fit.save(pathlib.Path(folder, "fit.npz"))
        ...     again = rw.TrainingFit.load(pathlib.Path(folder, "fit.npz"))
        >>> again.verify()
        >>> again.network == fit.network
        True
        """
        file.write({each.name: getattr(self, each.name) for each in fields(self)}, path, force)

    @classmethod
    def load(cls, path: str | Path) -> "TrainingFit":
        """Read a fit from `path`, where :meth:`save` wrote it.

        FileNotFoundError if there is no file, ValueError if it is another one or damaged.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> rw.TrainingFit.load("no such file")
        Traceback (most recent call last):
            ...
        FileNotFoundError: path: no file at no such file
        """
        return cls(**file.read(path))

    _repr_html_ = repr_html

    def __repr__(self) -> str:
        proved = sum(each is not None and each.is_local_minimum for each in self._of_trained())
        return (
            f"TrainingFit({self.network!r}, {self.kind}, loss={self.loss:.10g}, "
            f"{proved} of {len(self.layers)} layers certified, {len(self.rounds)} rounds)"
        )

    def _of_trained(self) -> Sequence[Certificate | None]:
        return [self.certificates[layer] for layer in self.layers]


__all__ = ["TrainingFit"]
