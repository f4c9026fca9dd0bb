"""A walk as a table of pandas, a dataset of xarray and a record of SciPy, for `Trajectory`."""

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._conversions import after_first, dataset, frame, of_layer, optimize_result
from ..native.arrays import FREE
from ..problem.loss import LayerLoss

if TYPE_CHECKING:
    from .trajectory import Trajectory


def to_frame(traj: "Trajectory") -> Any:
    """A row for each entry, with the pivot that led there."""
    steps, loss = traj.steps, traj.problem
    columns = {
        "loss": traj.losses,
        "tracked": traj.tracked,
        "descending": traj.descending,
        "rank": traj.ranks,
        "is_vertex": traj.is_vertex,
        "length": after_first(steps.length),
        "slope": after_first(steps.slope),
        "leaving": after_first(labels(loss, steps.leaving), ""),
        "entering": after_first(labels(loss, steps.entering), ""),
        "crossed": after_first(steps.crossed, 0),
        "flipped": after_first(steps.flipped, False),
        "tied": after_first(steps.tied, 0),
    }
    if traj.held_out is not None:
        columns["held_out"] = np.full(len(traj.losses), np.nan)
        columns["held_out"][traj.held_out.at] = traj.held_out.losses
    return frame(columns, "vertex")


def labels(loss: LayerLoss, ids: NDArray[np.int64]) -> list[str]:
    """Breakpoints as "layer:sample:neuron", "" for none."""
    labels = np.full(len(ids), "", object)
    labels[ids != FREE] = [":".join(map(str, row)) for row in loss.locate(ids).tolist()]
    return labels.tolist()


def to_dataset(traj: "Trajectory") -> Any:
    """Vertices (vertex, neuron, input), and what is known at each."""
    figures = traj.summary_dict()
    return dataset(
        {
            "theta": (("vertex", "neuron", "input"), traj.vertices),
            "loss": ("vertex", traj.losses),
            "tracked": ("vertex", traj.tracked),
            "descending": ("vertex", traj.descending),
            "rank": ("vertex", traj.ranks),
            "is_vertex": ("vertex", traj.is_vertex),
        },
        {
            "vertex": np.arange(len(traj.losses)),
            **of_layer(traj.problem.shape, traj.problem.fit_intercept),
        },
        {**figures, "tau": traj.problem.tau if traj.problem.kind == "pinball" else None},
    )


def to_scipy(traj: "Trajectory") -> Any:
    """Where the walk ended; a success if that is a proved minimum."""
    message, reason = traj.status.message, traj.certificate.reason
    if reason is not None and not traj.ended.early:
        message += f": {reason.message}"
    return optimize_result(
        traj.theta,
        traj.loss,
        success=traj.status.proved,
        ended=traj.ended,
        message=message,
        nit=traj.n_pivots,
        certificate=traj.certificate,
    )


__all__ = ["labels", "to_dataset", "to_frame", "to_scipy"]
