"""`EnsembleProgress`: how far an ensemble is."""

from typing import NamedTuple


class EnsembleProgress(NamedTuple):
    """What the callback of :func:`ensemble` is told, and what a callable `stop` decides by.

    Attributes
    ----------
    n_walks, n_total : int
        Walks made so far, those of earlier runs included, and asked for.
    n_minima : int
        Distinct ends so far.
    loss : float
        The least loss at their ends.
    rate : float
        Walks per second in this run.
    elapsed : float
        Seconds of this run.
    n_proofs, n_to_prove : int
        Ends proved so far, with ``proof="distinct"``, and to be proved; both 0 before all walks
        are made.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0])
    >>> told = []
    >>> found = rw.ensemble(loss, walks=20, callback=told.append)
    >>> told[-1].n_walks, told[-1].n_total, bool(abs(told[-1].loss - found.loss) < 1e-9)
    (20, 20, True)
    """

    n_walks: int
    n_total: int
    n_minima: int
    loss: float
    rate: float
    elapsed: float
    n_proofs: int = 0
    n_to_prove: int = 0


__all__ = ["EnsembleProgress"]
