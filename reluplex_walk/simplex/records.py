"""The records that a walk is made of: its status, options, steps, and the state it goes on from."""

from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from ..ended import Ended
from ..proof.certificate import Certificate
from ..tolerances import TOLERANCES, Tolerances

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class WalkStatus(Enum):
    """Why a walk ended and what is proved of its end, in one word.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork([[[0.0]]], [[0.0]])
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [1.0, 2.0, 10.0])
    >>> status = rw.walk(loss).status
    >>> status is rw.WalkStatus.GLOBAL_MINIMUM, status.proved, status.message
    (True, True, 'the end is a proved global minimum')
    >>> [status.name for status in rw.WalkStatus if status.proved]
    ['LOCAL_MINIMUM', 'GLOBAL_MINIMUM']
    """

    LOCAL_MINIMUM = "the end is a proved local minimum"
    GLOBAL_MINIMUM = "the end is a proved global minimum"
    NOT_PROVED = "no descent was found, but a local minimum is not proved"
    PIVOT_LIMIT = "stopped at max_pivots, before its end"
    TIME_LIMIT = "stopped at time_limit, before its end"
    INTERRUPTED = "interrupted, before its end"
    LEVEL_GAP = "stopped where the estimated remaining decrease is small; nothing is proved"
    STOPPED = "stopped by stop_when, before its end; nothing is proved"

    @classmethod
    def of(cls, ended: Ended, certificate: Certificate) -> "WalkStatus":
        """The short name of why a walk `ended` and of what its `certificate` proves.

        Examples
        --------
        >>> import reluplex_walk as rw
        >>> loss = rw.LayerLoss(rw.ReLUNetwork([[[0.0]]], [[0.0]]), [[0.0], [1.0]], [1.0, 2.0])
        >>> traj = rw.walk(loss)
        >>> rw.WalkStatus.of(rw.Ended.TIME_LIMIT, traj.certificate).name
        'TIME_LIMIT'
        """
        if ended is Ended.WORK_LIMIT:
            return cls.PIVOT_LIMIT
        if ended.early:
            return cls[ended.name]
        if certificate.is_global:
            return cls.GLOBAL_MINIMUM
        return cls.LOCAL_MINIMUM if certificate.is_local_minimum else cls.NOT_PROVED

    @property
    def message(self) -> str:
        """The status in words."""
        return self.value

    @property
    def proved(self) -> bool:
        """Whether a local or global minimum was proved."""
        return self in (WalkStatus.LOCAL_MINIMUM, WalkStatus.GLOBAL_MINIMUM)


@dataclass(frozen=True)
class WalkOptions:
    """How a walk chooses its steps; a resumed walk keeps them.

    Attributes
    ----------
    step, rule : str
    seed : int
    proof : str
    proof_budget : float
        Seconds.
    plateau : str
    tolerances : Tolerances
        All as :func:`walk` takes them.

    Examples
    --------
    >>> import reluplex_walk as rw
    >>> net = rw.ReLUNetwork([[[0.0]]], [[0.0]])
    >>> loss = rw.LayerLoss(net, [[0.0], [1.0], [2.0]], [1.0, 2.0, 10.0])
    >>> traj = rw.walk(loss, step="long", seed=3)
    >>> traj.options.step, traj.options.rule, traj.options.seed
    ('long', 'steepest', 3)
    >>> again = rw.walk(loss, **vars(traj.options))  # the same walk
    >>> again.n_pivots == traj.n_pivots
    True
    """

    step: str = "adjacent"
    rule: str = "steepest"
    seed: int = 0
    proof: str = "on"
    proof_budget: float = 5.0
    plateau: str = "stop"
    tolerances: Tolerances = TOLERANCES


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """A state of the walk from which it goes on bit for bit.

    Everything else follows from it.  It may lie a few pivots before the last vertex; those
    pivots are then made again.
    """

    n_pivots: int
    theta: Floats  # (D,)
    basis: Ints  # (D,)
    side: NDArray[np.bool_]  # (H, n) True: positive
    side_r: NDArray[np.bool_]  # (K, m)
    tied: Ints
    tied_w: Floats
    random: NDArray[np.uint64]  # (1,)


@dataclass(frozen=True, eq=False)
class Steps:
    """One entry per pivot, in arrays; entry k leads from vertex k to vertex k + 1.

    Attributes
    ----------
    length : ndarray (K - 1,)
        Length of the edge in parameter space; 0 for a change of basis at a degenerate vertex.
    slope : ndarray (K - 1,)
        Slope of the loss per unit length where the edge starts.
    leaving, entering : ndarray (K - 1,)
        Breakpoint ids; leaving is FREE (-1) in phase 1.
    crossed : ndarray (K - 1,)
        Breakpoints crossed on the way (long steps).
    flipped : ndarray (K - 1,) of bool
        Whether the edge was a far half-edge, on the other side of the leaving breakpoint.
    tied : ndarray (K - 1,)
        Further breakpoints that vanish at the vertex reached.

    Examples
    --------
    >>> import numpy as np, reluplex_walk as rw
    >>> net = rw.ReLUNetwork.random([1, 3, 1], seed=0)
    >>> traj = rw.walk(rw.LayerLoss(net, [[0.0], [1.0], [2.0], [4.0]], [0.0, 1.0, 1.0, 3.0]))
    >>> bool(np.allclose(traj.steps.length * traj.steps.slope, np.diff(traj.losses)))
    True
    """

    length: Floats
    slope: Floats
    leaving: Ints
    entering: Ints
    crossed: Ints
    flipped: NDArray[np.bool_]
    tied: Ints


__all__ = ["Checkpoint", "Steps", "WalkOptions", "WalkStatus"]
